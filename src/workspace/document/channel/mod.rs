//! Owns the written form of channels and gateways.

mod email;
mod http;
mod reply;
mod smpp;
mod smtp;
mod twilio;

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::email::{DkimDoc, ReturnsDoc};
pub(crate) use self::http::{HttpDoc, InboundDoc, LookupDoc, ReceiptsDoc};
pub(crate) use self::reply::{ReplyAnswersDoc, ReplyWordsDoc};
pub(crate) use self::smpp::{EncodingDoc, NumberDoc, SmppDoc};
pub(crate) use self::smtp::{DomainDoc, SmtpDoc};
pub(crate) use self::twilio::TwilioDoc;
use super::leaf::{Duration, Rate};
use super::word::Word;
use crate::domain::channel::Channel;
use crate::domain::gateway::{ApnsGateway, FcmGateway, FileGateway, OnUncertain, WebpushGateway};
use crate::domain::tracking::Tracking;
use crate::workspace::spanned::{At, Opt};

/// A channel: the gateway behind it, its sender, pace and retries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ChannelDoc {
    pub(crate) channel: At<Word<Channel>>,
    /// Exactly one of `smtp`, `http`, `twilio`, `smpp`, `fcm`, `apns`, `webpush`, `file`.
    pub(crate) gateway: At<GatewayDoc>,
    /// E-mail: `Name <address>`; SMS: the sender's id or number.
    pub(crate) from: Opt<String>,
    pub(crate) reply_to: Opt<String>,
    /// The customer's field that holds the address: `email`, `phone`, and for push `id` unless set.
    pub(crate) address_field: Opt<String>,
    /// `50 per second`, shared by all nodes; no limit unless set.
    pub(crate) pace: Opt<Rate>,
    pub(crate) retry: Option<RetryDoc>,
    /// What to do when it is not known whether the gateway took a message.
    pub(crate) on_uncertain: Opt<Word<OnUncertain>>,
    /// What is seen of those who read its messages; nothing unless set.
    pub(crate) tracking: Option<At<Tracking>>,
    /// SMS: the most parts of a message, 10 unless set; a longer one is withheld.
    #[schemars(range(min = 1, max = 255))]
    pub(crate) max_parts: Opt<u32>,
    /// SMS: whether look-alikes replace characters that are not in GSM-7; `no` unless set.
    pub(crate) transliterate: Opt<bool>,
    /// SMS: the country (ISO 3166-1, such as `UY`) of numbers without a country code.
    pub(crate) country: Opt<String>,
    /// SMS: words of a reply that mean stop, start or help, beside the known ones.
    pub(crate) words: Option<At<ReplyWordsDoc>>,
    /// SMS: what is answered to such a word.
    pub(crate) replies: Option<At<ReplyAnswersDoc>>,
    /// Messages claimed and not settled at once; 2048 unless set.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) slots: Opt<u32>,
    /// Open connections (SMTP, 8 unless set), sessions (SMPP, 1 unless set) or requests (the others, 32
    /// unless set).
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) connections: Opt<u32>,
    /// E-mail: in whose name messages are signed.
    pub(crate) dkim: Option<At<DkimDoc>>,
    /// E-mail: where messages come back to that cannot be delivered.
    pub(crate) returns: Option<At<ReturnsDoc>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RetryDoc {
    /// The longest first wait; `30s` unless set.
    pub(crate) first: Opt<Duration>,
    /// By how much each wait is longer; 2 unless set.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) factor: Opt<f64>,
    /// The longest wait; `1h` unless set.
    pub(crate) max: Opt<Duration>,
    /// When a message is given up; `72h` unless set.
    pub(crate) give_up_after: Opt<Duration>,
}

/// The gateway behind a channel. One whose parts need no place of their own is read as it is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GatewayDoc {
    pub(crate) smtp: Option<At<SmtpDoc>>,
    pub(crate) http: Option<At<HttpDoc>>,
    pub(crate) twilio: Option<At<TwilioDoc>>,
    pub(crate) smpp: Option<At<SmppDoc>>,
    pub(crate) fcm: Option<At<FcmGateway>>,
    pub(crate) apns: Option<At<ApnsGateway>>,
    pub(crate) webpush: Option<At<WebpushGateway>>,
    pub(crate) file: Option<At<FileGateway>>,
}

impl GatewayDoc {
    /// Every kind of gateway, and whether it is written.
    pub(crate) fn kinds(&self) -> [(&'static str, bool); 8] {
        [
            ("smtp", self.smtp.is_some()),
            ("http", self.http.is_some()),
            ("twilio", self.twilio.is_some()),
            ("smpp", self.smpp.is_some()),
            ("fcm", self.fcm.is_some()),
            ("apns", self.apns.is_some()),
            ("webpush", self.webpush.is_some()),
            ("file", self.file.is_some()),
        ]
    }
}
