//! Owns the data model: the fields that customers have, built in or declared, and their validations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a field holds.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    Text,
    Email,
    Phone,
    Integer,
    Number,
    Boolean,
    Date,
    Datetime,
    Url,
    Choice,
}

impl FieldType {
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Email,
        Self::Phone,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::Date,
        Self::Datetime,
        Self::Url,
        Self::Choice,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Url => "url",
            Self::Choice => "choice",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether values are text in the store and compared folded.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Email | Self::Phone | Self::Url | Self::Choice
        )
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// Which part of the profile shows the field.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldCategory {
    Demographic,
    #[default]
    Profile,
}

/// Whether a customer has one value or several.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cardinality {
    #[default]
    One,
    Many,
}

/// One check on a value, with the message that is returned exactly when it fails.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    pub rule: ValidationRule,
    pub message: String,
}

/// A predefined rule, or a sandboxed expression over `value`.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationRule {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(String),
    MinLength(u32),
    MaxLength(u32),
    AtLeast(f64),
    AtMost(f64),
    /// An expression of the template language that must be true, such as `value|length <= 31`.
    Script(String),
}

/// One field of the data model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub identifier: String,
    pub description: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub category: FieldCategory,
    pub cardinality: Cardinality,
    pub choices: Vec<String>,
    pub validations: Vec<Validation>,
}

impl Field {
    fn built_in(identifier: &str, description: &str, kind: FieldType) -> Self {
        Self {
            identifier: identifier.to_owned(),
            description: description.to_owned(),
            kind,
            category: FieldCategory::Demographic,
            cardinality: Cardinality::One,
            choices: Vec::new(),
            validations: Vec::new(),
        }
    }
}

/// The unique identifier: a field in files and templates, a column of its own in the store.
pub const ID: &str = "id";

/// The fields every workspace has without declaring them. A workspace may add validations to one,
/// never change its type.
pub fn built_in_fields() -> Vec<Field> {
    let several = [
        ("organizations", "Organizations", FieldType::Text),
        ("social_links", "Social media", FieldType::Url),
        ("websites", "Websites", FieldType::Url),
    ];
    let several = several
        .into_iter()
        .map(|(identifier, description, kind)| Field {
            category: FieldCategory::Profile,
            cardinality: Cardinality::Many,
            ..Field::built_in(identifier, description, kind)
        });
    [
        ("email", "E-mail address", FieldType::Email),
        ("phone", "Phone number", FieldType::Phone),
        ("first_name", "First name", FieldType::Text),
        ("last_name", "Last name", FieldType::Text),
        ("language", "Language", FieldType::Text),
        ("timezone", "Time zone", FieldType::Text),
        ("country", "Country", FieldType::Text),
        ("city", "City", FieldType::Text),
        ("region", "Region", FieldType::Text),
        ("zip", "Zip code", FieldType::Text),
        ("company", "Company", FieldType::Text),
        ("address", "Street address", FieldType::Text),
        ("gender", "Gender", FieldType::Text),
        ("born_on", "Date of birth", FieldType::Date),
        ("picture_url", "Picture", FieldType::Url),
        ("score", "Score", FieldType::Integer),
    ]
    .into_iter()
    .map(|(identifier, description, kind)| Field::built_in(identifier, description, kind))
    .chain(several)
    .collect()
}

/// A tag that people may put on customers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tag {
    pub description: Option<String>,
    /// `#rrggbb`
    pub color: Option<String>,
}

/// All fields (built in and declared, in that order) and tags of a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataModel {
    pub fields: Vec<Field>,
    pub tags: BTreeMap<String, Tag>,
}

impl Default for DataModel {
    fn default() -> Self {
        Self {
            fields: built_in_fields(),
            tags: BTreeMap::new(),
        }
    }
}

impl DataModel {
    pub fn field(&self, identifier: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.identifier == identifier)
    }
}
