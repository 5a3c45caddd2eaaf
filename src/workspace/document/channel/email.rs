//! Owns the written form of what a channel says about e-mails.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::spanned::{At, Opt};

/// In whose name e-mails are signed (RFC 6376); the relay signs, or nobody, unless set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DkimDoc {
    /// The domain that signs: that of `from`, or one above it.
    pub(crate) domain: At<String>,
    /// Where DNS has the public key: `SELECTOR._domainkey.DOMAIN`.
    pub(crate) selector: At<String>,
    /// The private key as PEM, RSA of at least 2048 bits or Ed25519, by reference: `${credential:dkim}`.
    pub(crate) key: At<String>,
}

/// What comes back by mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReturnsDoc {
    /// The envelope sender, such as `bounces@news.bank.example`: what names the message is added behind a `+`.
    pub(crate) address: At<String>,
    /// Where the mail server brings what comes back (LMTP, RFC 2033): `127.0.0.1:2424`, or `unix:` and the path of
    /// a socket.
    pub(crate) lmtp: Opt<String>,
    /// The maildir where the mail server puts what comes back.
    pub(crate) maildir: Opt<String>,
}
