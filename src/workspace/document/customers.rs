//! Owns the written form of the data model.

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::Color;
use super::word::Word;
use crate::domain::field::{Cardinality, FieldCategory, FieldType};
use crate::workspace::spanned::{At, Named, Opt};

/// The data model: what is known of a customer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CustomersDoc {
    pub(crate) customers: DataModelDoc,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DataModelDoc {
    /// By identifier, in `snake_case`.
    #[serde(default)]
    pub(crate) fields: Named<At<FieldDoc>>,
    /// By name.
    #[serde(default)]
    pub(crate) tags: Named<TagDoc>,
    /// The last day, counted back from today, of the ratings `new`, `frequent` and `dormant`.
    pub(crate) rating: Option<At<RatingDoc>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RatingDoc {
    /// 15 unless set.
    pub(crate) new: Opt<u32>,
    /// 45 unless set.
    pub(crate) frequent: Opt<u32>,
    /// 120 unless set.
    pub(crate) dormant: Opt<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FieldDoc {
    /// What people call it.
    pub(crate) description: Opt<String>,
    /// What it holds; a built-in field keeps its type.
    #[serde(rename = "type")]
    pub(crate) kind: Opt<Word<FieldType>>,
    /// `profile` unless set.
    pub(crate) category: Opt<Word<FieldCategory>>,
    /// `one` unless set.
    pub(crate) cardinality: Opt<Word<Cardinality>>,
    /// The values of a `choice`.
    #[serde(default)]
    pub(crate) choices: Vec<At<String>>,
    /// Checks on each value, with the message that is returned when one fails.
    #[serde(default)]
    pub(crate) validate: Vec<At<ValidationDoc>>,
}

/// One check: exactly one rule, and its message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ValidationDoc {
    /// What is said when the check fails.
    pub(crate) message: At<String>,
    pub(crate) starts_with: Opt<String>,
    pub(crate) ends_with: Opt<String>,
    pub(crate) contains: Opt<String>,
    /// A glob: `*` any run, `?` one character.
    pub(crate) matches: Opt<String>,
    pub(crate) min_length: Opt<u32>,
    pub(crate) max_length: Opt<u32>,
    pub(crate) at_least: Opt<f64>,
    pub(crate) at_most: Opt<f64>,
    /// An expression over `value` that must be true, such as `value|length <= 31`.
    pub(crate) script: Opt<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TagDoc {
    pub(crate) description: Opt<String>,
    /// `"#rrggbb"`.
    pub(crate) color: Opt<Color>,
}
