//! Owns how channels are configured: gateway, sender, pace, retries. Secrets are references, never values.

mod email;
mod file;
mod http;
mod inbound;
mod pace;
mod push;
mod receipts;
mod secretive;
mod smpp;
mod sms;
mod smtp;
mod twilio;

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::device::DeviceKind;
use super::duration::Delay;
use super::reply_word::ReplyRules;
use super::tracking::Tracking;

pub use self::email::{Dkim, EmailRules, Returns};
pub use self::file::FileGateway;
pub use self::http::{HttpBody, HttpGateway, HttpLookup, Missing, SuccessRule};
pub use self::inbound::HttpInbound;
pub use self::pace::Pace;
pub use self::push::{ApnsGateway, FcmGateway, Urgency, WebpushGateway};
pub use self::receipts::{HttpReceipts, ReceiptId, ReceiptWords, Receipts};
pub use self::secretive::Secretive;
pub use self::smpp::{
    LongMessages, MessageIdForm, SmppAlphabet, SmppBind, SmppEncoding, SmppGateway, SmppNumber,
    SmppSecurity,
};
pub use self::sms::SmsRules;
pub use self::smtp::{DomainLimit, SmtpGateway, SmtpSecurity};
pub use self::twilio::TwilioGateway;

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
    #[serde(default, skip_serializing_if = "EmailRules::is_default")]
    pub email: EmailRules,
    #[serde(default, skip_serializing_if = "SmsRules::is_default")]
    pub sms: SmsRules,
    /// What people may reply to text messages.
    #[serde(default, skip_serializing_if = "ReplyRules::is_empty")]
    pub replies: ReplyRules,
    /// How many messages may be claimed and not yet settled at once.
    pub slots: u32,
    /// How many connections (SMTP), requests (HTTP) or sessions (SMPP) are open at once.
    pub connections: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gateway {
    Smtp(SmtpGateway),
    Http(HttpGateway),
    Fcm(FcmGateway),
    Apns(ApnsGateway),
    Webpush(WebpushGateway),
    Smpp(Box<SmppGateway>),
    Twilio(TwilioGateway),
    File(FileGateway),
}

impl Gateway {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Http(_) => "http",
            Self::Fcm(_) => "fcm",
            Self::Apns(_) => "apns",
            Self::Webpush(_) => "webpush",
            Self::Smpp(_) => "smpp",
            Self::Twilio(_) => "twilio",
            Self::File(_) => "file",
        }
    }

    /// What it tells of its messages itself after it took them.
    fn receipts(&self) -> Receipts {
        match self {
            Self::Http(http) => http
                .receipts
                .as_ref()
                .map_or(Receipts::None, |told| Receipts::of(told)),
            Self::Twilio(_) => Receipts::ByOurs,
            Self::Smpp(smpp) if smpp.receipts => Receipts::ByTheirs,
            Self::Smtp(_)
            | Self::Smpp(_)
            | Self::File(_)
            | Self::Fcm(_)
            | Self::Apns(_)
            | Self::Webpush(_) => Receipts::None,
        }
    }

    /// Which devices it writes to; none: messages go to an address.
    pub fn devices(&self) -> Option<DeviceKind> {
        match self {
            Self::Fcm(_) => Some(DeviceKind::Fcm),
            Self::Apns(_) => Some(DeviceKind::Apns),
            Self::Webpush(_) => Some(DeviceKind::Webpush),
            Self::Smtp(_) | Self::Http(_) | Self::Twilio(_) | Self::Smpp(_) | Self::File(_) => None,
        }
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
    /// What may be told of its messages after the gateway took them: by the gateway, or by mail that comes back.
    pub fn receipts(&self) -> Receipts {
        match &self.gateway {
            Gateway::Smtp(_) if self.email.returns.is_some() => Receipts::ByOurs,
            gateway => gateway.receipts(),
        }
    }

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
