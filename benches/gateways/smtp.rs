//! Owns the measure of SMTP: Postfix's `smtp-sink` takes the mails, its `smtp-source` stands beside.

use std::process::Command;
use std::time::Duration;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{Gateway, Secretive, SmtpGateway, SmtpSecurity};
use drumbeat::domain::message::{Rendered, RenderedEmail};
use futures_util::future::BoxFuture;

use crate::adapter::{Adapter, Server, open, rate, timed};

pub(crate) struct Smtp;

const CONNECTIONS: u32 = 8;
const SENDERS: usize = 64;
/// About what it sends in a run.
const MAILS: u32 = 20_000;

impl Adapter for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn beside(&self) -> &'static str {
        "smtp-source, 8 sessions kept open, the same length"
    }

    fn server(&self) -> anyhow::Result<Server> {
        Server::start(|port| {
            let mut command = Command::new("/usr/sbin/smtp-sink");
            command.args(["-u", "nobody", &format!("127.0.0.1:{port}"), "1000"]);
            command
        })
    }

    fn ours(&self, port: u16, time: Duration) -> BoxFuture<'_, anyhow::Result<f64>> {
        Box::pin(async move {
            let gateway = Gateway::Smtp(SmtpGateway {
                host: Secretive("127.0.0.1".to_owned()),
                port: Secretive(port.to_string()),
                security: SmtpSecurity::None,
                username: None,
                password: None,
                ca_file: None,
                domains: std::collections::BTreeMap::new(),
            });
            let gateway = open(Channel::Email, gateway, CONNECTIONS)?;
            let mail = Rendered::Email(RenderedEmail {
                from: None,
                reply_to: None,
                subject: "Welcome".to_owned(),
                html: None,
                text: Some("x".repeat(1000)),
                unsubscribe_url: None,
                list_id: None,
            });
            rate(gateway, SENDERS, time, "ana@example.test", mail).await
        })
    }

    fn theirs(&self, port: u16, _: Duration) -> anyhow::Result<Option<f64>> {
        let mut command = Command::new("/usr/sbin/smtp-source");
        command
            .args([
                "-d",
                "-s",
                &CONNECTIONS.to_string(),
                "-m",
                &MAILS.to_string(),
            ])
            .args(["-l", "1000", &format!("127.0.0.1:{port}")]);
        timed(command, MAILS)
    }
}
