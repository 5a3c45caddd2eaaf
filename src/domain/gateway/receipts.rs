//! Owns how a gateway tells what became of messages that it took.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;
use crate::domain::news::{Bounce, Fate};

/// What may be told of a gateway's messages, and by whose ids it names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipts {
    /// Nothing: its answer is all there is.
    #[default]
    None,
    ByOurs,
    /// By the ids that it gave, which are written down for that.
    ByTheirs,
}

impl Receipts {
    pub(super) fn of(http: &HttpReceipts) -> Self {
        match http.id {
            ReceiptId::Address | ReceiptId::Ours(_) => Self::ByOurs,
            ReceiptId::Theirs(_) => Self::ByTheirs,
        }
    }

    pub fn are_by_theirs(self) -> bool {
        self == Self::ByTheirs
    }
}

/// Requests to `/hooks/CHANNEL/status/…` that tell of messages. A field is one of the query or of a form, or
/// a JSON pointer (RFC 6901) into a JSON body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpReceipts {
    /// What only the gateway knows.
    pub secret: Secretive,
    /// The header that carries the secret; none: the last part of the address does.
    pub header: Option<String>,
    pub id: ReceiptId,
    /// Where the list stands, when one request tells of many messages; a JSON pointer.
    pub each: Option<String>,
    /// The field with the word that tells the fate.
    pub status: String,
    /// The field with the gateway's own words about it.
    pub detail: Option<String>,
    pub words: ReceiptWords,
}

/// Where a receipt says which message it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptId {
    /// Our dispatch id is part of the address that the gateway was given with the message.
    Address,
    /// Our dispatch id is in this field.
    Ours(String),
    /// The gateway's own id is in this field.
    Theirs(String),
}

/// Which words mean what; any other word is news of nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReceiptWords {
    pub accepted: Vec<String>,
    pub delivered: Vec<String>,
    /// The address is dead.
    pub bounced: Vec<String>,
    /// The mailbox is full, the telephone is off.
    pub bounced_soft: Vec<String>,
    /// The sender is not wanted.
    pub bounced_policy: Vec<String>,
    pub complained: Vec<String>,
    pub expired: Vec<String>,
    pub failed: Vec<String>,
}

impl ReceiptWords {
    /// Every list of words with what they mean and the key they are written under.
    pub fn all(&self) -> [(&'static str, Fate, &[String]); 8] {
        [
            ("accepted", Fate::Accepted, &self.accepted),
            ("delivered", Fate::Delivered, &self.delivered),
            ("bounced", Fate::Bounced(Bounce::Hard), &self.bounced),
            (
                "bounced-soft",
                Fate::Bounced(Bounce::Soft),
                &self.bounced_soft,
            ),
            (
                "bounced-policy",
                Fate::Bounced(Bounce::Policy),
                &self.bounced_policy,
            ),
            ("complained", Fate::Complained, &self.complained),
            ("expired", Fate::Expired, &self.expired),
            ("failed", Fate::Failed, &self.failed),
        ]
    }

    /// The list that is written under a key.
    pub fn of(&mut self, key: &str) -> Option<&mut Vec<String>> {
        Some(match key {
            "accepted" => &mut self.accepted,
            "delivered" => &mut self.delivered,
            "bounced" => &mut self.bounced,
            "bounced-soft" => &mut self.bounced_soft,
            "bounced-policy" => &mut self.bounced_policy,
            "complained" => &mut self.complained,
            "expired" => &mut self.expired,
            "failed" => &mut self.failed,
            _ => return None,
        })
    }

    /// What a word means, without regard to case.
    pub fn fate(&self, word: &str) -> Option<Fate> {
        let word = word.trim();
        self.all()
            .into_iter()
            .find(|(_, _, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
            .map(|(_, fate, _)| fate)
    }
}
