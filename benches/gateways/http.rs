//! Owns the measure of HTTP: a server that answers 202 takes the requests, `wrk` stands beside.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{Gateway, HttpBody, HttpGateway, Secretive, SuccessRule};
use drumbeat::domain::message::{Rendered, RenderedSms};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::adapter::{Adapter, Server, open, rate};

/// The word by which this program is started again as the server.
pub(crate) const SERVER: &str = "serve-http";
const CONNECTIONS: u32 = 32;

pub(crate) struct Http;

/// Answers whatever is posted.
pub(crate) fn serve(port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let router = Router::new().fallback(|_: String| async { StatusCode::ACCEPTED });
        axum::serve(listener, router).await?;
        Ok(())
    })
}

impl Adapter for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn beside(&self) -> &'static str {
        "wrk, 32 connections, the same body"
    }

    fn server(&self) -> anyhow::Result<Server> {
        let own = std::env::current_exe()?;
        Server::start(|port| {
            let mut command = Command::new(own);
            command.args([SERVER, &port.to_string()]);
            command
        })
    }

    fn ours(&self, port: u16, time: Duration) -> BoxFuture<'_, anyhow::Result<f64>> {
        Box::pin(async move {
            let gateway = Gateway::Http(HttpGateway {
                method: "POST".to_owned(),
                url: Secretive(format!("http://127.0.0.1:{port}/send")),
                headers: BTreeMap::new(),
                body: HttpBody::Json(
                    json!({ "to": "{{ message.to }}", "text": "{{ message.text }}" }),
                ),
                success: SuccessRule {
                    status: vec![202],
                    body_contains: None,
                },
                id_pointer: None,
                idempotency_header: None,
                timeout: Delay::seconds(30),
                receipts: None,
                inbound: None,
                lookup: None,
            });
            let gateway = open(Channel::Sms, gateway, CONNECTIONS)?;
            let sms = Rendered::Sms(RenderedSms {
                text: "x".repeat(100),
            });
            rate(gateway, CONNECTIONS as usize, time, "+15550100", sms).await
        })
    }

    fn theirs(&self, port: u16, time: Duration) -> anyhow::Result<Option<f64>> {
        let folder = tempfile::TempDir::new()?;
        let script = folder.path().join("post.lua");
        let body = json!({ "to": "+15550100", "text": "x".repeat(100) });
        let lua = format!(
            "wrk.method='POST' wrk.headers['Content-Type']='application/json' wrk.body='{body}'"
        );
        fs::write(&script, lua)?;
        let done = Command::new("wrk")
            .args(["-t", "1", "-c", &CONNECTIONS.to_string(), "-d"])
            .args([format!("{}s", time.as_secs()), "-s".to_owned()])
            .arg(&script)
            .arg(format!("http://127.0.0.1:{port}/send"))
            .output();
        let done = match done {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            done => done.context("wrk")?,
        };
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let figure = said
            .lines()
            .find_map(|line| line.strip_prefix("Requests/sec:"));
        let figure = figure.with_context(|| format!("wrk said: {said}"))?;
        Ok(Some(figure.trim().parse()?))
    }
}
