//! Owns the measure of what goes by HTTP: a server that takes all requests, `wrk` stands beside.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use drumbeat::channels::SharedGateway;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::message::{Rendered, RenderedPush, RenderedSms};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::adapter::{Adapter, Server, rate};

/// The word by which this program is started again as the server.
pub(crate) const SERVER: &str = "serve-http";
pub(crate) const CONNECTIONS: u32 = 32;

/// What each of them reads as a yes, or as a token.
const YES: &str = r#"{"sid":"SM1","name":"projects/bank/messages/1","access_token":"t","expires_in":3600,"token_type":"Bearer"}"#;

/// One gateway that posts to this port, and whom it writes to.
pub(crate) struct Http {
    pub(crate) name: &'static str,
    pub(crate) channel: Channel,
    pub(crate) open: fn(u16) -> anyhow::Result<(SharedGateway, String)>,
}

/// Answers whatever is posted.
pub(crate) fn serve(port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let kind = [("content-type", "application/json")];
        let router = Router::new().fallback(move |uri: Uri, _: Bytes| async move {
            let is_token = uri.path() == "/token";
            let status = if is_token {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            };
            (status, kind, YES)
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}

fn rendered(channel: Channel) -> Rendered {
    if channel == Channel::Push {
        return Rendered::Push(RenderedPush {
            title: "Welcome".to_owned(),
            body: "x".repeat(100),
            link: None,
        });
    }
    Rendered::Sms(RenderedSms {
        text: "x".repeat(100),
    })
}

impl Adapter for Http {
    fn name(&self) -> &'static str {
        self.name
    }

    fn beside(&self) -> &'static str {
        "wrk, 32 connections, a body of 140 bytes"
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
            let (gateway, to) = (self.open)(port)?;
            let message = rendered(self.channel);
            rate(gateway, CONNECTIONS as usize, time, &to, message).await
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
