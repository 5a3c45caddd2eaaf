//! Owns the bodies of segments and smart lists, which differ in the key of their names alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::defining::Given;
use crate::definitions::change::Done;
use crate::definitions::facts::{Made, SegmentFacts};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How many are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// A condition of the flow language.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object, example = json!({"all": [{"field": "city", "is": "Lyon"}]}))]
pub(super) struct ConditionInput(Map<String, Json>);

/// What is to change of a segment or a smart list; null takes a key away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<ConditionInput>)]
    r#where: Given<ConditionInput>,
}

impl SegmentPatch {
    pub(super) fn body(&self) -> Map<String, Json> {
        let mut body = Map::new();
        self.description.put("description", &mut body);
        self.r#where.put("where", &mut body);
        body
    }
}

/// A segment or a smart list, but for its name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SegmentBody {
    description: Option<String>,
    /// Its condition in words.
    words: String,
    /// Its condition in the flow language; null for what is in a file.
    #[schema(value_type = Option<ConditionInput>)]
    r#where: Option<Json>,
    #[serde(flatten)]
    made: Made,
}

impl SegmentBody {
    pub(super) fn of(facts: SegmentFacts) -> Self {
        Self {
            description: facts.description,
            words: facts.words,
            r#where: facts.condition,
            made: facts.made,
        }
    }

    pub(super) fn version(&self) -> Option<i64> {
        self.made.version
    }
}

/// What a change of a definition came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DefinitionChange {
    #[schema(example = "vip")]
    name: String,
    /// The revision in force with it.
    revision: Option<i32>,
    /// Whether anything is different now.
    changed: bool,
}

impl DefinitionChange {
    pub(super) fn of(name: String, done: &Done) -> Self {
        Self {
            name,
            revision: done.revision.map(|revision| revision.0),
            changed: done.changed,
        }
    }
}

/// The address of something by its name, as one segment of a path.
pub(super) fn address(list: &str, name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escaped = name.bytes().map(|byte| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("/api/v1/{list}/{}", escaped.collect::<String>())
}
