//! Owns how a gateway is configured that takes one HTTP request a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inbound::HttpInbound;
use super::receipts::{HttpReceipts, ReceiptWords};
use super::secretive::Secretive;
use crate::domain::duration::Delay;

/// An SMS or push gateway that takes one HTTP request a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpGateway {
    /// `POST` unless set.
    pub method: String,
    pub url: Secretive,
    /// Values are templates over `message`, after their secrets are put in.
    pub headers: BTreeMap<String, Secretive>,
    pub body: HttpBody,
    pub success: SuccessRule,
    /// Where the gateway's own id stands in a JSON reply, as a JSON pointer (RFC 6901).
    pub id_pointer: Option<String>,
    /// The header that carries the dispatch id, such as `Idempotency-Key`.
    pub idempotency_header: Option<String>,
    pub timeout: Delay,
    /// What it tells of messages that it took; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Box<HttpReceipts>>,
    /// How it passes on what people write back; none: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<HttpInbound>>,
    /// How to ask it about a message whose answer was lost; none: it cannot be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Box<HttpLookup>>,
}

/// Each leaf text is a template over `message` (`to`, `text`, `title`, `body`, `link`, `id`, `from`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpBody {
    Json(serde_json::Value),
    Form(BTreeMap<String, Secretive>),
}

/// What counts as taken: a status, and perhaps a text in the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessRule {
    /// Empty: any 2xx.
    pub status: Vec<u16>,
    pub body_contains: Option<String>,
}

/// A `GET` request that tells what became of one message. A field is one of a JSON reply, or a JSON pointer
/// (RFC 6901) into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpLookup {
    /// A template over `message.id`.
    pub url: Secretive,
    /// Values are templates over `message.id`.
    pub headers: BTreeMap<String, Secretive>,
    /// The field with the word that tells the fate.
    pub status: String,
    /// The field with the gateway's own words about it.
    pub detail: Option<String>,
    pub words: ReceiptWords,
    pub missing: Missing,
}

/// What it means that a gateway answers 404 or 410 to a question about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// It never got the message.
    Failed,
    /// It may have got it, and does not say.
    #[default]
    Nothing,
}
