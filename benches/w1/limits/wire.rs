//! Owns what bare clients do: mails and posts into the same sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::place::Ports;

/// As many connections as an SMTP gateway opens by itself.
const CONNECTIONS: u64 = 8;

/// Mails of one KiB over kept connections without Nagle's delay, each command awaited or all at once.
pub(super) async fn mails(ports: Ports, messages: u64, pipelined: bool) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let next = Arc::clone(&next);
        clients.push(tokio::spawn(async move {
            let mut client = Client::open(ports.smtp).await?;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return Ok::<(), anyhow::Error>(());
                }
                client.carry(n, pipelined).await?;
            }
        }));
    }
    for client in clients {
        client.await??;
    }
    Ok(())
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self(BufReader::new(stream));
        client.reply().await?;
        client.ask("EHLO bench\r\n").await?;
        Ok(client)
    }

    async fn ask(&mut self, text: &str) -> Result<()> {
        self.0.get_mut().write_all(text.as_bytes()).await?;
        self.reply().await
    }

    /// Reads one reply, all its lines.
    async fn reply(&mut self) -> Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                bail!("the sink closed");
            }
            if line.get(3..4) != Some("-") {
                return Ok(());
            }
        }
    }

    async fn carry(&mut self, n: u64, pipelined: bool) -> Result<()> {
        let customer = n * 10;
        let commands = [
            "MAIL FROM:<hello@bank.example>\r\n".to_owned(),
            format!("RCPT TO:<c{customer}@example.com>\r\n"),
            "DATA\r\n".to_owned(),
        ];
        let line = "Your card is ready, and here is how to begin with it in four steps.\r\n";
        let body = format!(
            "Message-ID: <limit-{pipelined}-{n}@bank.example>\r\nSubject: Welcome\r\n\r\n{}.\r\n",
            line.repeat(15)
        );
        if pipelined {
            self.0
                .get_mut()
                .write_all(commands.concat().as_bytes())
                .await?;
            for _ in &commands {
                self.reply().await?;
            }
        } else {
            for command in &commands {
                self.ask(command).await?;
            }
        }
        self.ask(&body).await
    }
}

/// As many requests in flight as an HTTP gateway allows itself.
const REQUESTS: u64 = 32;

pub(super) async fn posts(ports: Ports, messages: u64) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let next = Arc::new(AtomicU64::new(0));
    let mut posting = Vec::new();
    for _ in 0..REQUESTS {
        let (next, client) = (Arc::clone(&next), client.clone());
        posting.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return Ok::<(), anyhow::Error>(());
                }
                let body = serde_json::json!({ "to": format!("+4179{:07}", n * 10), "text": "your card is ready: bank.example/card" });
                let url = format!("http://127.0.0.1:{}/", ports.http);
                let key = format!("limit-{n}");
                let response = client.post(url).header("Idempotency-Key", key).json(&body).send().await?;
                response.bytes().await.context("a reply")?;
            }
        }));
    }
    for client in posting {
        client.await??;
    }
    Ok(())
}
