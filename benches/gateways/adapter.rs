//! Owns what each adapter's measure has: a server, our rate, theirs; and sending as much as goes in a time.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use drumbeat::channels::setup::Setup;
use drumbeat::channels::{HandOver, Recalled, SharedGateway, registry};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::{
    ChannelConfig, EmailRules, Gateway, RetryPolicy, Secretive, SmsRules,
};
use drumbeat::domain::ids::{Bucket, DispatchId, EnrollmentId, InstanceTag, NameNo};
use drumbeat::domain::message::{Frozen, Message, Origin, Rendered};
use drumbeat::domain::reply_word::ReplyRules;
use drumbeat::domain::tracking::Tracking;
use futures_util::future::{BoxFuture, try_join_all};
use secrecy::SecretString;

/// One file each: a further adapter is one more.
pub(crate) trait Adapter {
    fn name(&self) -> &'static str;
    /// Whose rate stands beside ours.
    fn beside(&self) -> &'static str;
    fn server(&self) -> anyhow::Result<Server>;
    /// Messages a second.
    fn ours(&self, port: u16, time: Duration) -> BoxFuture<'_, anyhow::Result<f64>>;
    /// The same of the others; none when their program is missing.
    fn theirs(&self, port: u16, time: Duration) -> anyhow::Result<Option<f64>>;
}

/// A server in a process of its own; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    pub(crate) fn start(command: impl FnOnce(u16) -> Command) -> anyhow::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let child = command(port).stdout(Stdio::null()).spawn()?;
        let server = Self { port, child };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            ensure!(
                begun.elapsed() < Duration::from_secs(10),
                "no server on port {port}"
            );
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

struct NoMark;

impl HandOver for NoMark {
    fn mark(&self) -> Result<(), Recalled> {
        Ok(())
    }
}

/// The gateway of a channel with so many connections.
pub(crate) fn open(
    channel: Channel,
    gateway: Gateway,
    connections: u32,
) -> anyhow::Result<SharedGateway> {
    let from = if channel == Channel::Email {
        "Lakeside <hello@lakeside.test>"
    } else {
        "777"
    };
    let config = ChannelConfig {
        channel,
        gateway,
        from: Some(Secretive(from.to_owned())),
        reply_to: None,
        address_field: "id".to_owned(),
        pace: None,
        retry: RetryPolicy::default(),
        on_uncertain: None,
        tracking: Tracking::default(),
        email: EmailRules::default(),
        sms: SmsRules::default(),
        replies: ReplyRules::default(),
        slots: 2048,
        connections,
    };
    let setup = Setup {
        config: &config,
        workspace: Path::new("/"),
        returns: None,
        reveal: &|text| Ok(SecretString::from(text.0.clone())),
    };
    Ok(registry::open(&setup)?)
}

/// So many senders, each one message after the other, until the time is over.
pub(crate) async fn rate(
    gateway: SharedGateway,
    senders: usize,
    time: Duration,
    to: &str,
    rendered: Rendered,
) -> anyhow::Result<f64> {
    let sent = AtomicUsize::new(0);
    let begun = Instant::now();
    let senders = (0..senders).map(|sender| {
        let message = message(sender, to, rendered.clone());
        let (gateway, sent) = (gateway.clone(), &sent);
        async move {
            while begun.elapsed() < time {
                match gateway.send(&message, &NoMark).await {
                    Outcome::Accepted { .. } => sent.fetch_add(1, Ordering::Relaxed),
                    other => bail!("a message was not taken: {other:?}"),
                };
            }
            Ok(())
        }
    });
    try_join_all(senders).await?;
    let sent = u32::try_from(sent.load(Ordering::Relaxed))?;
    Ok(f64::from(sent) / begun.elapsed().as_secs_f64())
}

fn message(sender: usize, to: &str, rendered: Rendered) -> Message {
    let enrollment = EnrollmentId::new(Bucket(7), i64::try_from(sender).unwrap_or(0));
    Message {
        id: DispatchId::new(InstanceTag::new(99), enrollment, NameNo(1)),
        attempt: 1,
        receipt_url: None,
        frozen: Frozen {
            to: to.to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            rendered,
            origin: Origin {
                customer: "C-1".to_owned(),
                flow: "onboarding".to_owned(),
                step: "welcome".to_owned(),
            },
        },
    }
}

/// How long a program takes for so many messages, as a rate; none when it is missing.
pub(crate) fn timed(mut command: Command, messages: u32) -> anyhow::Result<Option<f64>> {
    let begun = Instant::now();
    let done = match command.stdout(Stdio::null()).status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        done => done.context("the other program")?,
    };
    ensure!(done.success(), "the other program failed: {done}");
    Ok(Some(f64::from(messages) / begun.elapsed().as_secs_f64()))
}
