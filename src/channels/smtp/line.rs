//! Owns one open line to a server: bytes out, replies in, each within its stage's time.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::channels::tls::Duplex;

use super::reply::Reply;
use super::stage::{Cause, Failure, Stage, Timeouts};

/// The longest reply that is read; a server that says more is not a mail server.
const LONGEST_REPLY: usize = 64 * 1024;

/// Dropping it closes the connection.
pub(super) struct Line {
    stream: Box<dyn Duplex>,
    unread: Vec<u8>,
    timeouts: Timeouts,
}

impl Line {
    pub(super) fn new(stream: Box<dyn Duplex>, timeouts: Timeouts) -> Self {
        Self {
            stream,
            unread: Vec::with_capacity(1024),
            timeouts,
        }
    }

    /// Hands the bytes to the system; they may not have reached the server when this returns.
    pub(super) async fn write(&mut self, stage: Stage, bytes: &[u8]) -> Result<(), Failure> {
        let limit = self.timeouts.of(stage);
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        let cause = match timeout(limit, written).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Cause::Lost(error.to_string()),
            Err(_) => Cause::Silent(limit),
        };
        Err(Failure::new(stage, cause))
    }

    /// The next whole reply, whatever it says.
    pub(super) async fn reply(&mut self, stage: Stage) -> Result<Reply, Failure> {
        let limit = self.timeouts.of(stage);
        let read = timeout(limit, self.read_reply()).await;
        read.unwrap_or(Err(Cause::Silent(limit)))
            .map_err(|cause| Failure::new(stage, cause))
    }

    pub(super) async fn ask(&mut self, stage: Stage, command: &str) -> Result<Reply, Failure> {
        self.write(stage, command.as_bytes()).await?;
        self.reply(stage).await
    }

    /// Whether the server has said nothing beyond what was asked.
    pub(super) fn is_quiet(&self) -> bool {
        self.unread.is_empty()
    }

    /// The bare connection, to be encrypted.
    pub(super) fn into_stream(self) -> Box<dyn Duplex> {
        self.stream
    }

    async fn read_reply(&mut self) -> Result<Reply, Cause> {
        loop {
            let taken = Reply::take(&self.unread).map_err(|_| self.babble())?;
            if let Some((reply, used)) = taken {
                self.unread.drain(..used);
                return Ok(reply);
            }
            if self.unread.len() > LONGEST_REPLY {
                return Err(self.babble());
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) => return Err(closed()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(closed()),
                Err(error) => return Err(Cause::Lost(error.to_string())),
            }
        }
    }

    fn babble(&self) -> Cause {
        let start = String::from_utf8_lossy(&self.unread[..self.unread.len().min(200)]);
        Cause::Unfit(format!("this is no SMTP reply: {start}"))
    }
}

fn closed() -> Cause {
    Cause::Lost("the server closed the connection".to_owned())
}
