//! Owns how a mail relay is configured.

use serde::{Deserialize, Serialize};

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
