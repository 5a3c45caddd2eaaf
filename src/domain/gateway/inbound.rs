//! Owns how an HTTP gateway passes on what people write back.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;

/// Requests to `/hooks/CHANNEL/inbound/…`, one for each reply. A field is one of the query or of a form, or a JSON
/// pointer (RFC 6901) into a JSON body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpInbound {
    /// What only the gateway knows.
    pub secret: Secretive,
    /// The header that carries the secret; none: the last part of the address does.
    pub header: Option<String>,
    /// The field with the number or address of who writes.
    pub from: String,
    /// The field with ours.
    pub to: Option<String>,
    pub text: String,
    /// The field with the gateway's own id of the reply, the same when it tells of it again.
    pub id: String,
}
