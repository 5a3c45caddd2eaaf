//! Owns the written form of a gateway that takes one HTTP request a message.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use crate::domain::gateway::Missing;
use crate::workspace::document::leaf::Duration;
use crate::workspace::document::word::Word;
use crate::workspace::spanned::{At, Named, Opt, Place};

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
    /// What it tells of messages that it took, by requests to `/hooks/CHANNEL/status/…`.
    pub(crate) receipts: Option<At<ReceiptsDoc>>,
    /// What people write back, passed on by requests to `/hooks/CHANNEL/inbound/…`.
    pub(crate) inbound: Option<At<InboundDoc>>,
    /// How to ask it about a message whose answer was lost.
    pub(crate) lookup: Option<At<LookupDoc>>,
}

/// Requests of a gateway that tell what became of messages. A field is one of the query or of a form, or a
/// JSON pointer (RFC 6901) into a JSON body. A word that stands in no list is passed over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReceiptsDoc {
    /// What only the gateway knows: the last part of the address, or in `header`.
    pub(crate) secret: At<String>,
    /// The header that carries the secret.
    pub(crate) header: Opt<String>,
    /// The field with our own id of the message; unless set, the address names it.
    pub(crate) id: Opt<String>,
    /// The field with the id that the gateway gave, which needs `id-pointer`.
    pub(crate) gateway_id: Opt<String>,
    /// Where the list stands, when one request tells of many messages (RFC 6901).
    pub(crate) each: Opt<String>,
    /// The field with the word that tells what became of the message.
    pub(crate) status: At<String>,
    /// The field with the gateway's own words, shown to people.
    pub(crate) detail: Opt<String>,
    /// The gateway has it.
    #[serde(default)]
    pub(crate) accepted: Vec<At<String>>,
    /// It arrived.
    #[serde(default)]
    pub(crate) delivered: Vec<At<String>>,
    /// The address is dead, and is not written to any more.
    #[serde(default)]
    pub(crate) bounced: Vec<At<String>>,
    /// The mailbox is full, the telephone is off; the fifth within 30 days counts as `bounced`.
    #[serde(default)]
    pub(crate) bounced_soft: Vec<At<String>>,
    /// The sender is not wanted: the channel is paused.
    #[serde(default)]
    pub(crate) bounced_policy: Vec<At<String>>,
    /// The recipient called it spam, and is not written to any more.
    #[serde(default)]
    pub(crate) complained: Vec<At<String>>,
    /// It lost its time on the way.
    #[serde(default)]
    pub(crate) expired: Vec<At<String>>,
    /// Given up for another reason than the address.
    #[serde(default)]
    pub(crate) failed: Vec<At<String>>,
}

/// Requests of a gateway that each pass on one reply. A field is one of the query or of a form, or a JSON pointer
/// (RFC 6901) into a JSON body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct InboundDoc {
    /// What only the gateway knows: the last part of the address, or in `header`.
    pub(crate) secret: At<String>,
    /// The header that carries the secret.
    pub(crate) header: Opt<String>,
    /// The field with the number of who writes.
    pub(crate) from: At<String>,
    /// The field with our number.
    pub(crate) to: Opt<String>,
    /// The field with what they write.
    pub(crate) text: At<String>,
    /// The field with the gateway's own id of the reply, the same when it tells of it again.
    pub(crate) id: At<String>,
}

/// A `GET` request that tells what became of one message. A field is one of a JSON reply, or a JSON pointer
/// (RFC 6901) into it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LookupDoc {
    /// A template over `message.id`.
    pub(crate) url: At<String>,
    /// Texts are templates over `message.id`.
    #[serde(default)]
    pub(crate) headers: Named<At<String>>,
    /// The field with the word that tells what became of the message.
    pub(crate) status: At<String>,
    /// The field with the gateway's own words, shown to people.
    pub(crate) detail: Opt<String>,
    /// Which words mean `accepted`, `delivered`, `bounced`, `failed` and so on; those of `receipts` unless set.
    pub(crate) words: Option<Named<Vec<At<String>>>>,
    /// What 404 and 410 mean: `failed`, that the gateway never got the message; `nothing` unless set.
    pub(crate) missing: Opt<Word<Missing>>,
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
