//! Owns the written form of segments and conditions.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use super::leaf::Id;
use crate::domain::channel::Channel;
use crate::domain::customer::Status;
use crate::domain::interaction::Kind;
use crate::domain::nps::NpsGroup;
use crate::domain::rating::Rating;
use crate::domain::subscription::Consent;
use crate::workspace::spanned::{At, Later, Opt, Place};

/// A segment: a condition over customers; who meets it is computed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SegmentDoc {
    /// The segment's stable id, unique in the workspace.
    pub(crate) segment: At<Id>,
    /// In a sentence, who they are.
    pub(crate) description: Opt<String>,
    /// The condition.
    #[serde(rename = "where")]
    pub(crate) condition: Option<ConditionDoc>,
    /// A spreadsheet that the segment is made from; a list of the store is asked for in the condition.
    #[serde(rename = "list")]
    pub(crate) _list: Option<Later>,
}

/// A smart list: a saved condition that people look at by itself; it is used like a segment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmartListDoc {
    /// The list's stable id, unique among segments and smart lists.
    pub(crate) smart_list: At<Id>,
    /// In a sentence, who they are.
    pub(crate) description: Opt<String>,
    /// The condition.
    #[serde(rename = "where")]
    pub(crate) condition: Option<ConditionDoc>,
}

/// A segment written in a flow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct InlineSegmentDoc {
    /// The condition.
    #[serde(rename = "where")]
    pub(crate) condition: Option<ConditionDoc>,
}

/// A condition; it is read where the data model is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConditionDoc(pub(crate) Place);

impl<'de> Deserialize<'de> for ConditionDoc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Place::deserialize(from).map(Self)
    }
}

/// The keys that say what a condition is about; exactly one of them stands in each.
pub(crate) const SUBJECTS: [&str; 20] = [
    "all",
    "any",
    "not",
    "field",
    "tag",
    "list",
    "segment",
    "rating",
    "status",
    "identified",
    "created",
    "last-activity",
    "last-engagement",
    "last-transaction",
    "consent",
    "subscribed",
    "did",
    "in-flow",
    "nps",
    "random",
];

impl JsonSchema for ConditionDoc {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Self>();
        let many = json_schema!({ "type": "array", "items": condition });
        let text = json_schema!({ "type": "string" });
        let moment = generator.subschema_for::<MomentDoc>();
        let ratings = Rating::ALL.map(Rating::as_str);
        let statuses = Status::ALL.map(Status::as_str);
        let channels = Channel::ALL.map(Channel::as_str);
        let consents = json_schema!({ "enum": Consent::ALL.map(Consent::as_str) });
        let asked = Kind::ALL.iter().filter(|kind| kind.can_be_asked());
        let kinds: Vec<&str> = asked.map(|kind| kind.as_str()).collect();
        let groups = NpsGroup::ALL.map(NpsGroup::as_str);
        let score = json_schema!({ "type": "integer", "minimum": 0, "maximum": 10 });
        let mut schema = json_schema!({
            "type": "object",
            "description": "One subject (such as `field` or `tag`) and what is asked of it.",
            "additionalProperties": false,
            "x-whole": true,
            "properties": {
                "all": many, "any": many, "not": condition,
                "field": text, "tag": text, "segment": text,
                "list": text,
                "rating": { "enum": ratings }, "status": { "enum": statuses },
                "identified": { "type": "boolean" },
                "created": moment, "last-activity": moment,
                "last-engagement": moment, "last-transaction": moment,
                "consent": { "type": "object", "additionalProperties": false, "properties":
                    { "email": consents, "sms": consents, "push": consents } },
                "subscribed": { "type": "object", "additionalProperties": false, "properties":
                    { "campaign": text, "category": text, "group": text,
                      "channel": { "enum": channels } } },
                "did": { "enum": kinds }, "in-flow": text,
                "nps": { "anyOf": [ { "enum": groups },
                    { "type": "object", "additionalProperties": false, "properties":
                        { "is": score, "at-least": score, "at-most": score } } ] },
                "random": { "type": "string", "x-form": "percent" }
            }
        });
        let tests = tests();
        let tests = tests.as_object().cloned().unwrap_or_default();
        if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
            properties.extend(tests);
        }
        schema
    }
}

/// The keys that say what is asked of a field, and the filters of `did`.
fn tests() -> Schema {
    let scalar = json_schema!({ "type": ["string", "number", "boolean"] });
    let scalars = json_schema!({ "type": "array", "items": scalar });
    let text = json_schema!({ "type": "string" });
    let duration = json_schema!({ "type": "string", "x-form": "duration" });
    let channels = Channel::ALL.map(Channel::as_str);
    json_schema!({
        "is": scalar, "is-not": scalar,
        "in": scalars, "not-in": scalars,
        "starts-with": text, "ends-with": text, "contains": text,
        "does-not-contain": text, "matches": text,
        "exists": { "type": "boolean" }, "missing": { "type": "boolean" },
        "less-than": scalar, "at-most": scalar,
        "more-than": scalar, "at-least": scalar,
        "between": { "type": "array", "items": scalar, "minItems": 2, "maxItems": 2 },
        "before": { "type": "string", "x-form": "date" },
        "on": { "type": "string", "x-form": "date" },
        "after": { "type": "string", "x-form": "date" },
        "within-last": duration, "older-than": duration,
        "exactly-ago": duration, "within-next": duration,
        "anniversary": { "anyOf": [ { "enum": ["today"] },
            { "type": "object", "additionalProperties": false, "required": ["within-next"],
              "properties": { "within-next": duration } } ] },
        "includes": scalar, "includes-any": scalars,
        "includes-all": scalars, "excludes": scalar,
        "count-at-least": { "type": "integer", "minimum": 1 },
        "campaign": text, "flow": text, "step": text, "channel": { "enum": channels }
    })
}

/// The tests of an instant that every customer carries.
pub(crate) struct MomentDoc;

impl JsonSchema for MomentDoc {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let date = json_schema!({ "type": "string", "x-form": "date" });
        let duration = json_schema!({ "type": "string", "x-form": "duration" });
        json_schema!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "before": date, "on": date, "after": date,
                "between": { "type": "array", "items": date, "minItems": 2, "maxItems": 2 },
                "within-last": duration, "older-than": duration,
                "exactly-ago": duration, "within-next": duration,
                "exists": { "type": "boolean" }, "missing": { "type": "boolean" }
            }
        })
    }
}
