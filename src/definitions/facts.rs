//! Owns what is told of definitions, wherever they are made: where from, by whom, in which version.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::domain::definition::{Definition, DefinitionKind, Definitions, Origin};
use crate::domain::field::{
    Cardinality, Field, FieldCategory, FieldType, Tag, Validation, ValidationRule, built_in_fields,
};
use crate::domain::revision::{NameKind, Numbers, Revision};
use crate::domain::segment::Segment;
use crate::domain::segment_words::words;
use crate::workspace;

/// Where a definition comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Made {
    pub origin: Origin,
    /// Who changed it last; null for what is in a file.
    pub author: Option<String>,
    /// Moves with every change; null for what is in a file.
    pub version: Option<i64>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// A field of the data model.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldFacts {
    #[schema(example = "city")]
    pub identifier: String,
    pub description: String,
    pub r#type: FieldType,
    pub category: FieldCategory,
    pub cardinality: Cardinality,
    /// What a choice may be.
    pub choices: Vec<String>,
    /// Checks on each value: one rule each, by its name in the flow language, and its message.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Json>>, example = json!([{"starts-with": "@", "message": "must begin with @"}]))]
    pub validate: Vec<Map<String, Json>>,
    /// Whether every workspace has it.
    pub built_in: bool,
    #[serde(flatten)]
    pub made: Made,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TagFacts {
    #[schema(example = "vip")]
    pub tag: String,
    pub description: Option<String>,
    /// `#rrggbb`
    #[schema(example = "#0a7d5a")]
    pub color: Option<String>,
    /// How many customers carry it.
    pub customers: u64,
    #[serde(flatten)]
    pub made: Made,
}

/// A segment or a smart list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentFacts {
    pub name: String,
    pub description: Option<String>,
    /// Its condition in words.
    pub words: String,
    /// Its condition in the flow language; none for what is in a file.
    pub condition: Option<Json>,
    pub made: Made,
}

/// What is in force, and what of it is in the store.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub revision: &'a Revision,
    pub numbers: &'a Numbers,
    pub definitions: &'a Definitions,
}

impl Told<'_> {
    pub fn fields(&self) -> Vec<FieldFacts> {
        let fields = self.revision.data_model.fields.iter();
        fields.map(|field| self.field_facts(field)).collect()
    }

    pub fn field(&self, identifier: &str) -> Option<FieldFacts> {
        let field = self.revision.data_model.field(identifier)?;
        Some(self.field_facts(field))
    }

    pub fn tags(
        &self,
        counts: &std::collections::BTreeMap<crate::domain::ids::NameNo, u64>,
    ) -> Vec<TagFacts> {
        let tags = self.revision.data_model.tags.iter();
        let count = |name: &str| {
            let number = self.numbers.number(NameKind::Tag, name);
            number.and_then(|number| counts.get(&number).copied())
        };
        tags.map(|(name, tag)| self.tag_facts(name, tag, count(name).unwrap_or(0)))
            .collect()
    }

    /// Segments, or smart lists, by name.
    pub fn segments(&self, kind: DefinitionKind) -> Vec<SegmentFacts> {
        let segments = self.revision.segments.values();
        let of_kind = segments.filter(|segment| self.kind_of(&segment.id) == kind);
        of_kind.map(|segment| self.segment_facts(segment)).collect()
    }

    pub fn segment(&self, kind: DefinitionKind, name: &str) -> Option<SegmentFacts> {
        let segment = self.revision.segments.get(name)?;
        let is_meant = self.kind_of(name) == kind;
        is_meant.then(|| self.segment_facts(segment))
    }

    /// Whether a name of the segments is a smart list's.
    pub fn kind_of(&self, segment: &str) -> DefinitionKind {
        if self.revision.smart_lists.contains(segment) {
            return DefinitionKind::SmartList;
        }
        DefinitionKind::Segment
    }

    fn field_facts(&self, field: &Field) -> FieldFacts {
        let mut built_in = built_in_fields().into_iter();
        FieldFacts {
            identifier: field.identifier.clone(),
            description: field.description.clone(),
            r#type: field.kind,
            category: field.category,
            cardinality: field.cardinality,
            choices: field.choices.clone(),
            validate: field.validations.iter().map(validation).collect(),
            built_in: built_in.any(|own| own.identifier == field.identifier),
            made: self.made(DefinitionKind::Field, &field.identifier),
        }
    }

    fn tag_facts(&self, name: &str, tag: &Tag, customers: u64) -> TagFacts {
        TagFacts {
            tag: name.to_owned(),
            description: tag.description.clone(),
            color: tag.color.clone(),
            customers,
            made: self.made(DefinitionKind::Tag, name),
        }
    }

    fn segment_facts(&self, segment: &Segment) -> SegmentFacts {
        let kind = self.kind_of(&segment.id);
        let stored = self.stored(kind, &segment.id);
        let condition = stored.and_then(|stored| {
            let mut body = workspace::body(kind, &segment.id, &stored.body);
            body.shift_remove("where")
        });
        SegmentFacts {
            name: segment.id.clone(),
            description: segment.description.clone(),
            words: words(&segment.condition, &self.revision.data_model),
            condition,
            made: self.made(kind, &segment.id),
        }
    }

    /// The definition in the store that is in force: a file's namesake wins.
    fn stored(&self, kind: DefinitionKind, name: &str) -> Option<&Definition> {
        let is_in_force = self.revision.made.contains(&(kind, name.to_owned()));
        let stored = self.definitions.find(kind, name);
        stored.filter(|_| is_in_force)
    }

    fn made(&self, kind: DefinitionKind, name: &str) -> Made {
        let stored = self.stored(kind, name);
        Made {
            origin: stored.map_or(Origin::File, |_| Origin::Store),
            author: stored.map(|one| one.actor.clone()),
            version: stored.map(|one| one.version),
            created_at: stored.map(|one| one.created_at),
            updated_at: stored.map(|one| one.updated_at),
        }
    }
}

/// A rule as it is written in the flow language.
fn validation(validation: &Validation) -> Map<String, Json> {
    let (rule, value) = match &validation.rule {
        ValidationRule::StartsWith(text) => ("starts-with", json!(text)),
        ValidationRule::EndsWith(text) => ("ends-with", json!(text)),
        ValidationRule::Contains(text) => ("contains", json!(text)),
        ValidationRule::Matches(text) => ("matches", json!(text)),
        ValidationRule::MinLength(length) => ("min-length", json!(length)),
        ValidationRule::MaxLength(length) => ("max-length", json!(length)),
        ValidationRule::AtLeast(bound) => ("at-least", json!(bound)),
        ValidationRule::AtMost(bound) => ("at-most", json!(bound)),
        ValidationRule::Script(script) => ("script", json!(script)),
    };
    let message = ("message".to_owned(), json!(validation.message));
    [(rule.to_owned(), value), message].into_iter().collect()
}
