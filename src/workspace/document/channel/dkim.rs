//! Owns the written form of how e-mail is signed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::spanned::At;

/// Signs e-mail (RFC 6376); the public key lies at `selector._domainkey.domain`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DkimDoc {
    pub(crate) domain: At<String>,
    pub(crate) selector: At<String>,
    /// A reference to a PEM private key: RSA of at least 2048 bits, or Ed25519.
    pub(crate) key: At<String>,
}
