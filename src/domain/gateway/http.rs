//! Owns how a gateway is configured that takes one HTTP request a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::receipts::HttpReceipts;
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
