//! Owns the JSON Schemas (2020-12) of the document kinds, made from the document types.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::document::Kind;
use super::document::campaign::CampaignDoc;
use super::document::channel::ChannelDoc;
use super::document::customers::CustomersDoc;
use super::document::flow::FlowDoc;
use super::document::policy::PolicyDoc;
use super::document::segment::{ConditionDoc, SegmentDoc, SmartListDoc};
use super::document::settings::SettingsDoc;
use super::document::test::TestDoc;

/// The schema of a kind of document; the same that `check` holds the files to.
pub(crate) fn of(kind: Kind) -> &'static Value {
    static SCHEMAS: OnceLock<Vec<Value>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| Kind::ALL.into_iter().map(generate).collect());
    let position = Kind::ALL.iter().position(|known| *known == kind);
    &schemas[position.unwrap_or_default()]
}

/// The schema of a condition that stands alone.
pub(crate) fn of_condition() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = root::<ConditionDoc>().to_value();
        forbid_null(&mut schema);
        schema
    })
}

fn generate(kind: Kind) -> Value {
    let schema = match kind {
        Kind::Flow => root::<FlowDoc>(),
        Kind::Segment => root::<SegmentDoc>(),
        Kind::SmartList => root::<SmartListDoc>(),
        Kind::Campaign => root::<CampaignDoc>(),
        Kind::Customers => root::<CustomersDoc>(),
        Kind::Policy => root::<PolicyDoc>(),
        Kind::Channel => root::<ChannelDoc>(),
        Kind::Workspace => root::<SettingsDoc>(),
        Kind::Test => root::<TestDoc>(),
    };
    let mut schema = schema.to_value();
    forbid_null(&mut schema);
    schema
}

fn root<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// An optional key may be left out, but its value may not be empty.
fn forbid_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(forbid_null),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::Array(branches)) = map.get_mut("anyOf") {
                branches.retain(|branch| branch["type"] != "null");
                if let [Value::Object(only)] = branches.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    for (key, value) in only {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(forbid_null);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::rules::not_supported_yet::NOT_YET;
    use crate::workspace::spanned::LATER;

    /// The keys of everything that is marked as not supported yet.
    fn refused(schema: &Value, keys: &mut Vec<String>) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            if value.get(LATER).is_some() {
                keys.push(key.clone());
            }
        }
        match schema {
            Value::Object(map) => map.values().for_each(|value| refused(value, keys)),
            Value::Array(items) => items.iter().for_each(|item| refused(item, keys)),
            _ => {}
        }
    }

    #[test]
    fn what_is_refused_for_now_says_what_to_do_instead() {
        let mut keys = Vec::new();
        for kind in Kind::ALL {
            refused(of(kind), &mut keys);
        }
        assert!(keys.contains(&"list".to_owned()), "{keys:?}");
        for key in keys {
            assert!(NOT_YET.iter().any(|(name, _)| *name == key), "{key}");
        }
    }

    #[test]
    fn every_kind_has_a_schema_that_begins_with_its_key() {
        for kind in Kind::ALL {
            let schema = of(kind);
            assert!(schema["properties"][kind.as_str()].is_object(), "{kind:?}");
            assert_eq!(schema["additionalProperties"], false, "{kind:?}");
            let text = schema.to_string();
            assert!(!text.contains("null"), "{kind:?}: {text}");
        }
    }
}
