//! Owns what a channel says about e-mails, whatever gateway is behind it.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;

/// Read for the channel `email` alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmailRules {
    /// How they are signed; none: the relay signs, or nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Dkim>,
    /// Where they come back to; none: to the sender that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Returns>,
}

impl EmailRules {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// In whose name e-mails are signed (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dkim {
    pub domain: Secretive,
    pub selector: Secretive,
    /// A private key as PEM.
    pub key: Secretive,
}

/// What comes back by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// What names the message is added to it; see `domain::return_path`.
    pub address: Secretive,
    /// Where mail servers bring it: `127.0.0.1:2424`, or `unix:` and a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lmtp: Option<Secretive>,
    /// A maildir where it is put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maildir: Option<Secretive>,
}
