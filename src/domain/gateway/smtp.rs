//! Owns how a mail relay is configured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pace::Pace;
use super::secretive::Secretive;

/// A mail relay (RFC 5321).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SmtpGateway {
    pub host: Secretive,
    /// A port number, or a reference to one.
    pub port: Secretive,
    pub security: SmtpSecurity,
    pub username: Option<Secretive>,
    pub password: Option<Secretive>,
    /// A file of PEM certificates to trust beside the system's.
    pub ca_file: Option<Secretive>,
    /// By the recipient's domain in lower case, or [`DomainLimit::OTHERS`].
    #[serde(default)]
    pub domains: BTreeMap<String, DomainLimit>,
}

/// How much mail goes to the recipients of one domain.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DomainLimit {
    /// At once.
    pub connections: Option<u32>,
    pub pace: Option<Pace>,
}

impl DomainLimit {
    /// Stands for every domain that is not named, each by itself.
    pub const OTHERS: &str = "*";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpSecurity {
    /// STARTTLS is required: a server that does not offer it is refused.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// No TLS: only for a relay on the same machine or network.
    None,
}
