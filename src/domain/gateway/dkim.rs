//! Owns how a channel's e-mail is signed.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;

/// Whose name stands under the mail (RFC 6376): the public key lies at `selector._domainkey.domain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DkimConfig {
    pub domain: Secretive,
    pub selector: Secretive,
    /// A reference to a PEM private key: RSA of at least 2048 bits, or Ed25519.
    pub key: Secretive,
}
