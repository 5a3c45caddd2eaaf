//! Owns how a centre is reached: connect, TLS, `bind_transceiver`, up to a session that takes messages.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use rusmpp::pdus::BindTransceiver;
use rusmpp::values::InterfaceVersion;
use rusmpp::{CommandId, CommandStatus};
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::codec::FramedRead;

use crate::channels::setup::{BadGateway, Setup};
use crate::channels::tls::{Duplex, Tls};
use crate::domain::duration::Delay;
use crate::domain::gateway::{SmppGateway, SmppSecurity};

use super::letter::{fitting, secret};
use super::stage::{Cause, Failure, Stage, Timeouts};
use super::wire::{Frames, bytes};

/// Where the centre is and how it is greeted.
pub(super) struct Centre {
    host: String,
    port: u16,
    tls: Option<Tls>,
    bind: BindTransceiver,
    pub(super) enquire_link: Duration,
    pub(super) response: Duration,
    pub(super) timeouts: Timeouts,
}

/// A connection on which the centre let us in.
pub(super) struct Line {
    pub(super) frames: FramedRead<ReadHalf<Box<dyn Duplex>>, Frames>,
    pub(super) writer: WriteHalf<Box<dyn Duplex>>,
}

/// The first request on each connection.
const FIRST: u32 = 1;

impl Centre {
    pub(super) fn read(
        setup: &Setup<'_>,
        smpp: &SmppGateway,
        timeouts: Timeouts,
    ) -> Result<Self, BadGateway> {
        let key = |name: &str| format!("gateway.smpp.{name}");
        let host = setup.text(&key("host"), &smpp.host)?;
        let system_type = setup.optional(smpp.system_type.as_ref(), |text| {
            setup.text(&key("system-type"), text)
        })?;
        let bind = BindTransceiver::builder()
            .system_id(secret(setup, &key("system-id"), &smpp.system_id)?)
            .password(secret(setup, &key("password"), &smpp.password)?)
            .system_type(fitting(
                setup,
                &key("system-type"),
                &system_type.unwrap_or_default(),
            )?)
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        Ok(Self {
            port: port(setup, smpp)?,
            tls: tls(setup, smpp, &host)?,
            bind,
            enquire_link: span(smpp.enquire_link),
            response: span(smpp.response_timeout),
            timeouts,
            host,
        })
    }

    /// A fresh connection, bound.
    pub(super) async fn open(&self) -> Result<Line, Failure> {
        let stream = self.connect().await?;
        let stream = match &self.tls {
            Some(tls) => {
                let limit = self.timeouts.tls;
                self.within(Stage::Tls, limit, tls.wrap(stream)).await?
            }
            None => stream,
        };
        let (reader, writer) = split(stream);
        let mut line = Line {
            frames: FramedRead::new(reader, Frames),
            writer,
        };
        let limit = self.timeouts.bind;
        timeout(limit, self.greet(&mut line))
            .await
            .unwrap_or_else(|_| Err(Failure::new(Stage::Bind, Cause::Silent(limit))))?;
        Ok(line)
    }

    async fn connect(&self) -> Result<Box<dyn Duplex>, Failure> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let limit = self.timeouts.connect;
        let stream = self.within(Stage::Connect, limit, connecting).await?;
        // Without it each message would wait for the centre's delayed ACK of the one before.
        stream
            .set_nodelay(true)
            .map_err(|error| Failure::lost(Stage::Connect, &error))?;
        Ok(Box::new(stream))
    }

    async fn within<T>(
        &self,
        stage: Stage,
        limit: Duration,
        effect: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Failure> {
        match timeout(limit, effect).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                let words = format!("{}:{}: {error}", self.host, self.port);
                Err(Failure::lost(stage, &words))
            }
            Err(_) => Err(Failure::new(stage, Cause::Silent(limit))),
        }
    }

    async fn greet(&self, line: &mut Line) -> Result<(), Failure> {
        let lost = |error: &dyn ToString| Failure::lost(Stage::Bind, &error.to_string());
        let bind = bytes(CommandStatus::EsmeRok, FIRST, self.bind.clone().into());
        let written = async {
            line.writer.write_all(&bind).await?;
            line.writer.flush().await
        };
        written.await.map_err(|error| lost(&error))?;
        while let Some(frame) = line.frames.next().await {
            let frame = frame.map_err(|bad| lost(&bad))?;
            match frame.id {
                CommandId::BindTransceiverResp if frame.status == CommandStatus::EsmeRok => {
                    return Ok(());
                }
                CommandId::BindTransceiverResp => {
                    return Err(Failure::new(Stage::Bind, Cause::Said(frame.status)));
                }
                CommandId::GenericNack => {
                    return Err(Failure::new(Stage::Bind, Cause::Nacked(frame.status)));
                }
                // Nothing else is said before we are let in.
                _ => {}
            }
        }
        Err(lost(&"the centre closed the connection"))
    }
}

fn span(delay: Delay) -> Duration {
    Duration::from_secs(delay.approximate_seconds().max(1).unsigned_abs())
}

fn port(setup: &Setup<'_>, smpp: &SmppGateway) -> Result<u16, BadGateway> {
    let key = "gateway.smpp.port";
    let text = setup.text(key, &smpp.port)?;
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        let reason = format!("`{text}` is not a port: write a number from 1 to 65535");
        setup.bad(key, &reason)
    })
}

fn tls(setup: &Setup<'_>, smpp: &SmppGateway, host: &str) -> Result<Option<Tls>, BadGateway> {
    let key = "gateway.smpp.ca-file";
    let ca_file = setup.optional(smpp.ca_file.as_ref(), |text| {
        setup.text(key, text).map(PathBuf::from)
    })?;
    let ca_file = ca_file.map(|path| setup.workspace.join(path));
    match smpp.tls {
        SmppSecurity::None => Ok(None),
        SmppSecurity::Tls => Tls::new(host, ca_file.as_deref())
            .map(Some)
            .map_err(|error| setup.bad(key, &error)),
    }
}
