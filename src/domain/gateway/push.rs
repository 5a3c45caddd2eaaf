//! Owns how the gateways are configured that write to devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secretive::Secretive;

/// Firebase Cloud Messaging, HTTP v1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FcmGateway {
    /// The id of the Firebase project.
    pub project: Secretive,
    /// The key file of a service account that may send, as JSON: `${credential:fcm}`.
    pub service_account: Secretive,
    /// `https://fcm.googleapis.com` unless set.
    pub base_url: Option<Secretive>,
}

/// Apple Push Notification service, with a token of the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ApnsGateway {
    /// The id of the team, ten characters.
    pub team: Secretive,
    /// The id of the key, ten characters.
    pub key_id: Secretive,
    /// The key as Apple gives it (`.p8`): `${credential:apns}`.
    pub key: Secretive,
    /// The bundle id of the app.
    pub topic: Secretive,
    /// Whether the tokens are of Apple's production environment; they are unless set.
    pub production: Option<bool>,
    /// Apple's own address unless set.
    pub base_url: Option<Secretive>,
    /// PEM certificates to trust beside the system's, relative to the workspace.
    pub ca_file: Option<Secretive>,
}

/// Web Push (RFC 8030), as the application server of VAPID (RFC 8292).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebpushGateway {
    /// Whom a push service may ask: `mailto:` or `https:`.
    pub subject: Secretive,
    /// The private key, 32 bytes in base64url, or PKCS#8 as PEM: `${credential:vapid}`.
    pub key: Secretive,
    /// How soon a browser is to be woken; `normal` unless set.
    pub urgency: Option<Urgency>,
    /// Networks beside the public internet that endpoints may be in, such as `10.1.0.0/16`.
    #[serde(default)]
    pub allow_networks: Vec<String>,
}

/// RFC 8030 §5.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    VeryLow,
    Low,
    Normal,
    High,
}

impl Urgency {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}
