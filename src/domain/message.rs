//! Owns the message: a communication rendered for one customer, as it is handed to a channel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::ids::DispatchId;

/// One message to one address. Everything but the attempt is frozen at the first try, so that a
/// retry is the same to the byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The Message-ID's local part and the gateway's idempotency key, the same on every retry.
    pub id: DispatchId,
    /// Counted from 1.
    pub attempt: u32,
    /// Where the gateway may tell what became of it: `/hooks/CHANNEL/status/ID` of the public URL.
    pub receipt_url: Option<String>,
    pub frozen: Frozen,
}

/// What is stored while a retry or an answer is awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// An e-mail address, a phone number, or what the push gateway knows the customer by.
    pub to: String,
    /// The `Date:` of an e-mail: when the message was first rendered.
    pub at: Timestamp,
    pub rendered: Rendered,
    /// Facts that go with the message as headers or metadata.
    pub origin: Origin,
}

/// The customer's unique id, and where the message came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub customer: String,
    pub flow: String,
    pub step: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rendered {
    Email(RenderedEmail),
    Sms(RenderedSms),
    Push(RenderedPush),
}

impl Rendered {
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::Push(_) => Channel::Push,
        }
    }
}

/// At least one of `html` and `text` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedEmail {
    /// `Name <address>`; none: the channel's own sender.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub subject: String,
    pub html: Option<String>,
    pub text: Option<String>,
    /// The RFC 8058 one-click URL; none for service messages and without a public URL.
    pub unsubscribe_url: Option<String>,
    /// RFC 2919: the flow or campaign this belongs to.
    pub list_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedSms {
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPush {
    pub title: String,
    pub body: String,
    pub link: Option<String>,
}
