//! Owns the written form of a gateway that takes one HTTP request a message.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use crate::workspace::document::leaf::Duration;
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
