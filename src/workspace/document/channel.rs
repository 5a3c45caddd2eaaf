//! Owns the written form of channels and gateways.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use super::leaf::{Duration, Port, Rate};
use super::word::Word;
use crate::domain::channel::Channel;
use crate::domain::gateway::{OnUncertain, SmtpSecurity};
use crate::workspace::spanned::{At, Later, Named, Opt, Place};

/// A channel: the gateway behind it, its sender, pace and retries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ChannelDoc {
    pub(crate) channel: At<Word<Channel>>,
    /// Exactly one of `smtp`, `http`, `file`.
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
    /// Messages claimed and not settled at once; 2048 unless set.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) slots: Opt<u32>,
    /// Open connections (SMTP, 8 unless set) or requests (HTTP, 32 unless set).
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) connections: Opt<u32>,
    #[serde(rename = "dkim")]
    pub(crate) _dkim: Option<Later>,
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

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GatewayDoc {
    pub(crate) smtp: Option<At<SmtpDoc>>,
    pub(crate) http: Option<At<HttpDoc>>,
    pub(crate) file: Option<At<FileDoc>>,
}

/// A mail relay (RFC 5321).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmtpDoc {
    pub(crate) host: At<String>,
    /// 587 unless set, 465 with `tls`, 25 with `none`.
    pub(crate) port: Opt<Port>,
    /// `starttls` unless set.
    pub(crate) security: Opt<Word<SmtpSecurity>>,
    pub(crate) username: Opt<String>,
    pub(crate) password: Opt<String>,
    /// PEM certificates to trust beside the system's.
    pub(crate) ca_file: Opt<String>,
}

/// A gateway that takes one HTTP request a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct HttpDoc {
    /// `POST` unless set.
    pub(crate) method: Opt<String>,
    pub(crate) url: At<String>,
    /// Texts are templates over `message`.
    #[serde(default)]
    pub(crate) headers: Named<At<String>>,
    /// A JSON body whose texts are templates over `message`.
    pub(crate) json: Option<JsonDoc>,
    /// A form body whose texts are templates over `message`.
    pub(crate) form: Option<Named<At<String>>>,
    pub(crate) success: Option<SuccessDoc>,
    /// Where the gateway's own id stands in a JSON reply (RFC 6901).
    pub(crate) id_pointer: Opt<String>,
    /// The header that carries the dispatch id.
    pub(crate) idempotency_header: Opt<String>,
    /// `30s` unless set.
    pub(crate) timeout: Opt<Duration>,
}

/// Any JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonDoc(pub(crate) Place);

impl<'de> Deserialize<'de> for JsonDoc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Place::deserialize(from).map(Self)
    }
}

impl JsonSchema for JsonDoc {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// What counts as taken.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SuccessDoc {
    /// Any 2xx unless set.
    #[serde(default)]
    pub(crate) status: Vec<At<u16>>,
    pub(crate) body_contains: Opt<String>,
}

/// Each message as a file: `.eml` for e-mail, `.json` for the others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FileDoc {
    /// Relative to the workspace.
    pub(crate) folder: At<String>,
}
