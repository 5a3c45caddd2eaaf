//! Owns the stages of handing a message to a centre, how long each may take, and what goes wrong at one.

use std::time::Duration;

use rusmpp::CommandStatus;

use crate::channels::Recalled;
use crate::channels::detail::clean;

use super::status;

/// Where in the conversation something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Connect,
    Tls,
    Bind,
    /// Bound, and the message is not yet handed over.
    Bound,
    /// It is written: the message may have been taken.
    Submit,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Bind => "bind_transceiver",
            Self::Bound => "session",
            Self::Submit => "submit_sm",
        }
    }
}

/// How long is waited where the channel's file says nothing; nothing waits for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// All addresses of the host together.
    pub connect: Duration,
    pub tls: Duration,
    pub bind: Duration,
    /// The last word on a session that is given up.
    pub unbind: Duration,
    /// The longest rest after a first failure to bind; each further one is twice as long.
    pub first_rest: Duration,
    pub longest_rest: Duration,
    /// How long a session rests when the centre says that it is too fast.
    pub pause: Duration,
    /// How long the parts of a reply are waited for.
    pub parts: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            bind: Duration::from_secs(30),
            unbind: Duration::from_secs(5),
            first_rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            parts: Duration::from_mins(5),
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
    /// The centre answered, and not what was needed.
    Said(CommandStatus),
    /// The centre did not understand what it was sent (`generic_nack`).
    Nacked(CommandStatus),
    /// The connection ended or could not be made.
    Lost(String),
    /// Nothing came within the time.
    Silent(Duration),
    /// We broke off: the message is somebody else's now.
    Recalled(Recalled),
    /// The centre does not speak SMPP as we do.
    Unfit(String),
}

impl Failure {
    pub(super) fn new(stage: Stage, cause: Cause) -> Self {
        Self { stage, cause }
    }

    pub(super) fn lost(stage: Stage, why: &impl ToString) -> Self {
        Self::new(stage, Cause::Lost(why.to_string()))
    }

    /// The same for what was handed over before it happened, or was not.
    pub(super) fn at(&self, stage: Stage) -> Self {
        Self::new(stage, self.cause.clone())
    }

    /// The stage and the centre's answer, on one line of at most 500 characters.
    pub(super) fn detail(&self) -> String {
        let words = match &self.cause {
            Cause::Said(status) => status::name(*status),
            Cause::Nacked(status) => format!("generic_nack {}", status::name(*status)),
            Cause::Lost(why) | Cause::Unfit(why) => why.clone(),
            Cause::Recalled(why) => why.to_string(),
            Cause::Silent(limit) => format!("no answer within {} s", limit.as_secs_f64()),
        };
        clean(&format!("{}: {words}", self.stage.as_str()))
    }
}
