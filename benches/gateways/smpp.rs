//! Owns the measure of SMPP: a centre on npm's `smpp` takes the messages, a client on it stands beside.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{
    Gateway, LongMessages, MessageIdForm, Secretive, SmppEncoding, SmppGateway, SmppNumber,
    SmppSecurity,
};
use drumbeat::domain::message::{Rendered, RenderedSms};
use futures_util::future::BoxFuture;

use crate::adapter::{Adapter, Server, open, rate, timed};

pub(crate) struct Smpp;

const SESSIONS: u32 = 2;
const WINDOW: u32 = 32;
/// About what it sends in a run.
const MESSAGES: u32 = 20_000;

impl Adapter for Smpp {
    fn name(&self) -> &'static str {
        "smpp"
    }

    fn beside(&self) -> &'static str {
        "npm's smpp as client, 2 sessions, window 32"
    }

    fn server(&self) -> anyhow::Result<Server> {
        let program = program()?;
        Server::start(|port| {
            let mut command = program;
            command.args(["centre", &port.to_string()]);
            command
        })
    }

    fn ours(&self, port: u16, time: Duration) -> BoxFuture<'_, anyhow::Result<f64>> {
        Box::pin(async move {
            let secretive = |text: &str| Secretive(text.to_owned());
            let gateway = Gateway::Smpp(Box::new(SmppGateway {
                host: secretive("127.0.0.1"),
                port: secretive(&port.to_string()),
                tls: SmppSecurity::None,
                ca_file: None,
                system_id: secretive("drum"),
                password: secretive("s3cret"),
                system_type: None,
                window: WINDOW,
                enquire_link: Delay::seconds(30),
                response_timeout: Delay::seconds(60),
                source: None,
                destination: SmppNumber::E164,
                service_type: None,
                long_messages: LongMessages::Udh,
                encoding: SmppEncoding::default(),
                receipts: false,
                message_id: MessageIdForm::AsGiven,
                validity_period: None,
            }));
            let gateway = open(Channel::Sms, gateway, SESSIONS)?;
            let sms = Rendered::Sms(RenderedSms {
                text: "x".repeat(100),
            });
            let senders = (SESSIONS * WINDOW) as usize;
            rate(gateway, senders, time, "+15550100", sms).await
        })
    }

    fn theirs(&self, port: u16, _: Duration) -> anyhow::Result<Option<f64>> {
        let mut command = program()?;
        command.args(["client", &port.to_string(), &MESSAGES.to_string()]);
        command.args([SESSIONS.to_string(), WINDOW.to_string()]);
        timed(command, MESSAGES)
    }
}

/// Node with what `scripts/test` installed.
fn program() -> anyhow::Result<Command> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join("target/counterparts/package-lock.json");
    let folder = std::fs::read_dir(&installed)
        .ok()
        .and_then(|mut entries| entries.next()?.ok());
    let Some(folder) = folder else {
        anyhow::bail!("run scripts/test once: it installs npm's smpp");
    };
    let mut command = Command::new("node");
    command
        .arg(root.join("benches/gateways/smpp.js"))
        .env("NODE_PATH", folder.path().join("node_modules"));
    Ok(command)
}
