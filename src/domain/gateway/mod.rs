//! Owns how channels are configured: gateway, sender, pace, retries. Secrets are references, never values.

mod dkim;
mod file;
mod http;
mod secretive;
mod smtp;

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::duration::Delay;
use super::tracking::Tracking;

pub use self::dkim::DkimConfig;
pub use self::file::FileGateway;
pub use self::http::{HttpBody, HttpGateway, SuccessRule};
pub use self::secretive::Secretive;
pub use self::smtp::{SmtpGateway, SmtpSecurity};

/// One channel file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelConfig {
    pub channel: Channel,
    pub gateway: Gateway,
    /// E-mail: `Name <address>`; SMS: the sender id or number.
    pub from: Option<Secretive>,
    pub reply_to: Option<Secretive>,
    /// The customer's field that holds the address: `email`, `phone`, and for push `id` unless set.
    pub address_field: String,
    pub pace: Option<Pace>,
    pub retry: RetryPolicy,
    pub on_uncertain: Option<OnUncertain>,
    /// What may be seen of those who read its messages.
    #[serde(default)]
    pub tracking: Tracking,
    /// How its e-mail is signed; none: the relay signs, or nobody.
    #[serde(default)]
    pub dkim: Option<DkimConfig>,
    /// How many messages may be claimed and not yet settled at once.
    pub slots: u32,
    /// How many connections (SMTP) or requests (HTTP) are open at once.
    pub connections: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gateway {
    Smtp(SmtpGateway),
    Http(HttpGateway),
    File(FileGateway),
}

impl Gateway {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Http(_) => "http",
            Self::File(_) => "file",
        }
    }
}

/// At most `messages` in every `per_seconds`, shared by all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub messages: u32,
    pub per_seconds: u32,
}

impl Pace {
    pub fn per_second(self) -> f64 {
        f64::from(self.messages) / f64::from(self.per_seconds.max(1))
    }
}

/// When a deferred message is tried again: full jitter under `first * factor^n`, at most `max`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    pub first: Delay,
    pub factor: f64,
    pub max: Delay,
    pub give_up_after: Delay,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first: Delay::seconds(30),
            factor: 2.0,
            max: Delay::hours(1),
            give_up_after: Delay::hours(72),
        }
    }
}

/// What to do when it cannot be known whether the gateway took a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUncertain {
    /// Send again with the same key: safe only where the gateway takes an idempotency key.
    Resend,
    /// List it for a person, and move on.
    Hold,
}

impl ChannelConfig {
    /// The channel's choice, else `resend` where an idempotency key is sent and `hold` elsewhere.
    pub fn on_uncertain(&self) -> OnUncertain {
        let keyed =
            matches!(&self.gateway, Gateway::Http(http) if http.idempotency_header.is_some());
        let fallback = if keyed {
            OnUncertain::Resend
        } else {
            OnUncertain::Hold
        };
        self.on_uncertain.unwrap_or(fallback)
    }
}
