//! Owns the stages of handing a mail to a relay, how long each may take, and what goes wrong at one.

use std::time::Duration;

use crate::channels::Recalled;
use crate::channels::detail::clean;

use super::reply::Reply;

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Connect,
    Tls,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    /// Clears a transaction that failed on the same connection before.
    Reset,
    Mail,
    Rcpt,
    Data,
    /// The mail's bytes, up to and with the final dot.
    Body,
    /// Everything is written: the mail may have been taken.
    Dot,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Reset => "RSET",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "message body",
            Self::Dot => "final dot",
        }
    }
}

/// How long is waited at each stage; nothing waits for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// All addresses of the host together.
    pub connect: Duration,
    pub tls: Duration,
    /// Greeting, EHLO, STARTTLS, AUTH, RSET, MAIL, RCPT.
    pub command: Duration,
    pub data: Duration,
    /// Each block of the body.
    pub block: Duration,
    pub dot: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
    /// The last word on a connection that is given up.
    pub quit: Duration,
}

impl Default for Timeouts {
    /// RFC 5321 §4.5.3.2 gives the least for `command`, `data`, `block` and `dot`; a shorter one at
    /// the dot "would typically result in delivery of multiple copies".
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            block: Duration::from_mins(3),
            dot: Duration::from_mins(10),
            idle: Duration::from_secs(30),
            quit: Duration::from_secs(5),
        }
    }
}

impl Timeouts {
    pub(super) fn of(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect => self.connect,
            Stage::Tls => self.tls,
            Stage::Greeting
            | Stage::Ehlo
            | Stage::StartTls
            | Stage::Auth
            | Stage::Reset
            | Stage::Mail
            | Stage::Rcpt => self.command,
            Stage::Data => self.data,
            Stage::Body => self.block,
            Stage::Dot => self.dot,
        }
    }
}

/// Why the conversation went no further, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) cause: Cause,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server answered, and not what was needed.
    Said(Reply),
    /// The connection ended or could not be made.
    Lost(String),
    /// Nothing came within the time.
    Silent(Duration),
    /// We broke off: the message is somebody else's now.
    Recalled(Recalled),
    /// The server lacks what the configuration asks for, or does not speak SMTP.
    Unfit(String),
}

impl Failure {
    pub(super) fn new(stage: Stage, cause: Cause) -> Self {
        Self { stage, cause }
    }

    /// The stage and the server's words, on one line of at most 500 characters.
    pub(super) fn detail(&self) -> String {
        let words = match &self.cause {
            Cause::Said(reply) => reply.to_string(),
            Cause::Lost(why) | Cause::Unfit(why) => why.clone(),
            Cause::Recalled(why) => why.to_string(),
            Cause::Silent(limit) => format!("no answer within {} s", limit.as_secs_f64()),
        };
        clean(&format!("{}: {words}", self.stage.as_str()))
    }

    /// The server said no and stays on the line.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(&self.cause, Cause::Said(reply) if reply.class() > 3 && reply.code != 421)
    }

    /// A connection used before was over before this mail was spoken of: the server or a firewall
    /// had ended it, or its own limit was reached, which says nothing about the mail or the relay.
    pub(super) fn is_stale(&self) -> bool {
        let ended = match &self.cause {
            Cause::Lost(_) | Cause::Silent(_) => true,
            Cause::Said(reply) => reply.code == 421,
            Cause::Unfit(_) | Cause::Recalled(_) => false,
        };
        self.stage == Stage::Reset || (self.stage == Stage::Mail && ended)
    }
}
