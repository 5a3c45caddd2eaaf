//! Owns what gateways tell after they took a message: receipts, bounces, complaints, replies.

use jiff::Timestamp;

use super::ids::DispatchId;

/// One thing that a gateway tells. The same may be told twice, and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Receipt(Receipt),
    Reply(Reply),
    Passed(Passed),
}

/// What came back and says nothing of what became of a message: it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// The answer of a machine: somebody is away.
    Automatic,
    /// A message is still tried.
    Delayed,
    /// Feedback other than a complaint.
    Feedback,
    /// Somebody wrote to the address that bounces come back to.
    Letter,
    /// It names no message of ours.
    Strange,
    /// A report that cannot be read.
    Unreadable,
}

impl Passed {
    /// As it is counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Delayed => "delayed",
            Self::Feedback => "feedback",
            Self::Letter => "letter",
            Self::Strange => "strange",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub about: About,
    pub fate: Fate,
    /// When it happened, if the gateway says so.
    pub at: Option<Timestamp>,
    /// The gateway's own words, shown to people.
    pub detail: String,
}

/// How a receipt names its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// By our own id, which the gateway was given.
    Dispatch(DispatchId),
    /// By the id that the gateway gave when it took the message.
    Gateway(String),
}

/// What a gateway says became of a message that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The gateway has it: settles what was uncertain.
    Accepted,
    Delivered,
    Bounced(Bounce),
    /// The recipient called it spam.
    Complained,
    /// It lost its time on the way.
    Expired,
    /// Given up for another reason than the address.
    Failed,
}

/// Why a message came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounce {
    /// The address is dead.
    Hard,
    /// The mailbox is full or away for now.
    Soft,
    /// The sender or the content is not wanted: the address stays good.
    Policy,
}

/// What somebody wrote back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The address it came from, as the gateway writes it.
    pub from: String,
    /// The address of ours that it went to.
    pub to: String,
    pub text: String,
    /// The gateway's id of this reply: the same reply told twice counts once.
    pub id: String,
}
