//! Owns what segments and smart lists share: their bodies, which differ in the key of the name alone, and
//! how many customers are in one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::defining::{Given, Known};
use super::problem::Problem;
use crate::customers::names;
use crate::definitions::facts::{Made, SegmentFacts};
use crate::domain::definition::DefinitionKind;
use crate::domain::revision::Revision;
use crate::domain::segment::Segment;
use crate::web::state::WebState;

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

/// A segment or a smart list, with how many customers meet its condition now.
pub(super) async fn counted(
    state: &WebState,
    known: &Known,
    kind: DefinitionKind,
    name: &str,
) -> Result<(SegmentFacts, u64), Problem> {
    let segment = found(&known.published.revision, name)?;
    let facts = known.told().segment(kind, name);
    let facts = facts.ok_or_else(|| Problem::not_found(format!("there is no {kind} `{name}`")))?;
    let frame = known.frame(state);
    let count = state.store.segment_count(&segment.condition, &frame);
    Ok((facts, count.await?))
}

/// What of the path names no segment is no field of a body.
pub(super) fn found<'a>(revision: &'a Revision, name: &str) -> Result<&'a Segment, Problem> {
    let segment = names::segment(revision, name);
    segment.map_err(|unknown| Problem::not_found(unknown.to_string()))
}
