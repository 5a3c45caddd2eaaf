//! Owns the sink: a mail relay and an HTTP provider in a process of its own, which counts and checks
//! that each key came once and that nobody was reached who must not be.

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::place::Ports;
use crate::workload;

/// What has arrived since the last reset.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) mails: u64,
    pub(crate) texts: u64,
    /// Keys that came more than once.
    pub(crate) doubled: u64,
    /// Messages to customers who must not get them, or to nobody known.
    pub(crate) forbidden: u64,
    /// Seconds from the first to the last arrival.
    pub(crate) span: f64,
}

/// A running sink; it ends when this is dropped.
pub(crate) struct Sink {
    pub(crate) ports: Ports,
    _child: Child,
}

impl Sink {
    pub(crate) async fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("sink")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().context("the sink says nothing")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).await?;
        let ports: Vec<u16> = serde_json::from_str(&line)?;
        let port = |n: usize| ports.get(n).copied().context("a port is missing");
        Ok(Self {
            ports: Ports {
                smtp: port(0)?,
                http: port(1)?,
                control: port(2)?,
            },
            _child: child,
        })
    }
}

/// Forgets what has arrived.
pub(crate) async fn reset(ports: Ports) -> Result<()> {
    ask(ports, "reset\n").await.map(drop)
}

pub(crate) async fn arrived(ports: Ports) -> Result<Arrived> {
    Ok(serde_json::from_str(&ask(ports, "arrived\n").await?)?)
}

async fn ask(ports: Ports, question: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", ports.control)).await?;
    stream.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer)
}

#[derive(Default)]
struct Seen {
    arrived: Arrived,
    keys: HashSet<Vec<u8>>,
    first: Option<Instant>,
}

impl Seen {
    fn note(&mut self, key: &[u8], allowed: bool) {
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        self.arrived.span = now.duration_since(first).as_secs_f64();
        self.arrived.doubled += u64::from(!self.keys.insert(key.to_owned()));
        self.arrived.forbidden += u64::from(!allowed);
    }
}

type Shared = Arc<Mutex<Seen>>;

fn locked(seen: &Shared) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process itself: says its three ports on standard output, and serves until it is killed.
#[expect(clippy::print_stdout, reason = "the ports are what the caller reads")]
pub(crate) async fn serve() -> Result<()> {
    let mut listeners = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        ports.push(listener.local_addr()?.port());
        listeners.push(listener);
    }
    println!("{}", serde_json::to_string(&ports)?);
    let seen = Shared::default();
    let [smtp, http, control]: [TcpListener; 3] = listeners
        .try_into()
        .map_err(|_| anyhow::anyhow!("three listeners"))?;
    let (a, b) = (Arc::clone(&seen), Arc::clone(&seen));
    tokio::spawn(accept(smtp, move |stream| mail(stream, Arc::clone(&a))));
    tokio::spawn(accept(http, move |stream| post(stream, Arc::clone(&b))));
    accept(control, move |stream| answer(stream, Arc::clone(&seen))).await
}

async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that goes away in the middle is its own affair: what it sent in full is counted.
        tokio::spawn(serve(stream));
    }
}

async fn answer(stream: TcpStream, seen: Shared) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut question = String::new();
    stream.read_line(&mut question).await?;
    let reply = {
        let mut seen = locked(&seen);
        if question == "reset\n" {
            *seen = Seen::default();
        }
        format!("{}\n", serde_json::to_string(&seen.arrived)?)
    };
    Ok(stream.write_all(reply.as_bytes()).await?)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

/// The value of a header in a head, whatever its case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

async fn mail(mut stream: TcpStream, seen: Shared) -> Result<()> {
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let (mut input, mut output) = (Vec::with_capacity(16_384), Vec::with_capacity(1_024));
    let (mut recipient, mut in_body) = (String::new(), false);
    loop {
        let end: &[u8] = if in_body { b"\r\n.\r\n" } else { b"\r\n" };
        if let Some(place) = position(&input, end) {
            let part: Vec<u8> = input.drain(..place + end.len()).collect();
            if in_body {
                note_mail(&seen, &part, &recipient);
                output.extend_from_slice(b"250 2.0.0 taken\r\n");
                in_body = false;
            } else {
                let line = String::from_utf8_lossy(&part);
                in_body = command(line.trim_end(), &mut recipient, &mut output);
            }
            continue;
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// Answers a command; whether a body follows.
fn command(line: &str, recipient: &mut String, output: &mut Vec<u8>) -> bool {
    let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
    let reply: &[u8] = match verb.as_str() {
        "EHLO" => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n",
        "DATA" => b"354 go on\r\n",
        "RCPT" => {
            let address = line.split(['<', '>']).nth(1).unwrap_or_default();
            address.clone_into(recipient);
            b"250 2.1.5 ok\r\n"
        }
        "QUIT" => b"221 2.0.0 bye\r\n",
        _ => b"250 2.0.0 ok\r\n",
    };
    output.extend_from_slice(reply);
    verb == "DATA"
}

fn note_mail(seen: &Shared, mail: &[u8], recipient: &str) {
    let head = String::from_utf8_lossy(&mail[..position(mail, b"\r\n\r\n").unwrap_or(mail.len())]);
    let key = header(&head, "message-id").unwrap_or(recipient);
    let allowed = workload::customer_at(recipient).is_some_and(workload::may_get_mail);
    let mut seen = locked(seen);
    seen.arrived.mails += 1;
    seen.note(key.as_bytes(), allowed);
}

#[derive(Deserialize)]
struct Text {
    to: String,
}

async fn post(mut stream: TcpStream, seen: Shared) -> Result<()> {
    let (mut input, mut output) = (Vec::with_capacity(16_384), Vec::with_capacity(1_024));
    loop {
        if let Some(length) = request(&input) {
            let whole: Vec<u8> = input.drain(..length).collect();
            note_text(&seen, &whole);
            let body = "{\"ok\":true}";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            output.extend_from_slice(head.as_bytes());
            continue;
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// The length of a request that has arrived in full.
fn request(input: &[u8]) -> Option<usize> {
    let head = position(input, b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&input[..head]);
    let body: usize = header(&text, "content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let whole = head + 4 + body;
    (input.len() >= whole).then_some(whole)
}

fn note_text(seen: &Shared, request: &[u8]) {
    let head = position(request, b"\r\n\r\n").unwrap_or(request.len());
    let (head, body) = request.split_at(head);
    let head = String::from_utf8_lossy(head);
    let to = serde_json::from_slice::<Text>(body.trim_ascii())
        .map(|text| text.to)
        .unwrap_or_default();
    let key = header(&head, "idempotency-key").unwrap_or(&to);
    let allowed = workload::customer_at(&to).is_some_and(workload::may_get_text);
    let mut seen = locked(seen);
    seen.arrived.texts += 1;
    seen.note(key.as_bytes(), allowed);
}
