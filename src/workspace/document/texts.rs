//! Owns the written form of a text that may be written by language.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::workspace::spanned::At;

/// A text, or one for each language.
#[derive(Debug, Clone)]
pub(crate) enum TextsDoc {
    One(String),
    ByLanguage(Vec<(At<String>, At<String>)>),
}

impl<'de> Deserialize<'de> for TextsDoc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = TextsDoc;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or a map of languages")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TextsDoc, E> {
                Ok(TextsDoc::One(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<TextsDoc, E> {
                Ok(TextsDoc::One(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<TextsDoc, E> {
                Ok(TextsDoc::One(number.to_string()))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<TextsDoc, E> {
                Ok(TextsDoc::One(truth.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextsDoc, A::Error> {
                let mut texts = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    texts.push(entry);
                }
                Ok(TextsDoc::ByLanguage(texts))
            }
        }
        from.deserialize_any(TextsVisitor)
    }
}

impl JsonSchema for TextsDoc {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1 }
        ] })
    }
}
