//! Owns the bytes of a conversation: lines in, replies out, each within its time.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::place::Stream;
use super::reply::Reply;

/// RFC 5321 §4.5.3.1.4 asks for 512, and extensions for more.
const LONGEST_LINE: usize = 4096;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// The other side is gone.
    End,
}

pub(super) struct Wire {
    stream: Stream,
    pub(super) unread: Vec<u8>,
    unsaid: Vec<u8>,
    silence: Duration,
}

impl Wire {
    pub(super) fn new(stream: Stream, silence: Duration) -> Self {
        Self {
            stream,
            unread: Vec::with_capacity(1024),
            unsaid: Vec::new(),
            silence,
        }
    }

    /// Goes out with the next flush, at the latest before more is read.
    pub(super) fn say(&mut self, reply: Reply) {
        self.unsaid.extend_from_slice(reply.0.as_bytes());
        self.unsaid.extend_from_slice(b"\r\n");
    }

    pub(super) fn say_lines(&mut self, lines: &[u8]) {
        self.unsaid.extend_from_slice(lines);
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.unsaid.is_empty() {
            return Ok(());
        }
        let unsaid = std::mem::take(&mut self.unsaid);
        let writing = async {
            self.stream.write_all(&unsaid).await?;
            self.stream.flush().await
        };
        timeout(self.silence, writing).await?
    }

    /// The next line with its end.
    pub(super) async fn line(&mut self) -> io::Result<Line> {
        let mut searched = 0;
        loop {
            let end = self.unread[searched..].iter().position(|b| *b == b'\n');
            if let Some(end) = end {
                return Ok(Line::Whole(self.unread.drain(..=searched + end).collect()));
            }
            searched = self.unread.len();
            if searched > LONGEST_LINE {
                return Ok(Line::TooLong);
            }
            if !self.more().await? {
                return Ok(Line::End);
            }
        }
    }

    /// Reads more; false: there is none.
    pub(super) async fn more(&mut self) -> io::Result<bool> {
        self.flush().await?;
        let reading = self.stream.read_buf(&mut self.unread);
        let count = timeout(self.silence, reading).await??;
        Ok(count > 0)
    }
}
