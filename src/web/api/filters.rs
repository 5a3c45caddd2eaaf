//! Owns the conditions of a request for customers: read against the revision, each mistake with its place.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::ToSchema;

use super::problem::{FieldError, Kind, Problem};
use crate::customers::names::UnknownName;
use crate::customers::search::{self, Search, Shortcuts};
use crate::domain::customer::Status;
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::workspace;

/// In characters.
const LONGEST_TEXT: usize = 200;

/// Whom to look for, and how to list them; all conditions that are given must be met.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchInput {
    /// An id, an e-mail address, a number, a name, or any other text of the customer, whole or in part.
    #[schema(example = "ana", max_length = 200)]
    text: Option<String>,
    /// A condition of the flow language.
    #[serde(rename = "where")]
    #[schema(value_type = Option<Object>, example = json!({"field": "city", "is": "Lyon"}))]
    condition: Option<Json_>,
    /// A tag that they have.
    tag: Option<String>,
    /// A fixed list that they are on.
    list: Option<String>,
    /// The id of a segment that they are in.
    segment: Option<String>,
    status: Option<Status>,
    rating: Option<Rating>,
    /// Whether it is known who they are.
    identified: Option<bool>,
    /// A campaign or flow in which they converted.
    converted: Option<String>,
    /// `id`, `created`, `last-activity`, `last-engagement`, `last-transaction` or a field with one value;
    /// `-` before it for the other direction.
    #[schema(example = "-last-activity")]
    sort: Option<String>,
    /// The fields that are shown; all unless given.
    #[schema(example = json!(["city"]))]
    fields: Option<Vec<String>>,
    /// How many customers are on a page; 100 unless given.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(skip_serializing)]
    limit: Option<u32>,
    /// `next` of the page before; the rest of the body must be the same.
    #[schema(min_length = 1)]
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

/// How what is found is listed.
pub(super) struct Listing {
    pub(super) sort: Option<String>,
    pub(super) fields: Option<Vec<String>>,
    pub(super) limit: Option<u32>,
    pub(super) cursor: Option<String>,
}

/// The conditions as they were given.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) text: Option<String>,
    pub(super) condition: Option<Json_>,
    pub(super) tag: Option<String>,
    pub(super) list: Option<String>,
    pub(super) segment: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) rating: Option<Rating>,
    pub(super) identified: Option<bool>,
    pub(super) converted: Option<String>,
}

/// A search that can be asked, and which fields are shown of what it finds.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) search: Search,
    pub(super) fields: Option<Vec<String>>,
}

/// Mistakes by JSON pointer, as in a body.
#[derive(Debug)]
pub(super) struct Wrong(Vec<FieldError>);

impl SearchInput {
    pub(super) fn taken(self) -> (Conditions, Listing) {
        let conditions = Conditions {
            text: self.text,
            condition: self.condition,
            tag: self.tag,
            list: self.list,
            segment: self.segment,
            status: self.status,
            rating: self.rating,
            identified: self.identified,
            converted: self.converted,
        };
        let listing = Listing {
            sort: self.sort,
            fields: self.fields,
            limit: self.limit,
            cursor: self.cursor,
        };
        (conditions, listing)
    }
}

/// What makes one list another.
impl fmt::Display for SearchInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Conditions {
    /// # Errors
    /// Everything that is wrong with them.
    pub(super) fn search(self, revision: &Revision) -> Result<Wanted, Wrong> {
        let mut wrong = Vec::new();
        if let Some(text) = &self.text {
            wrong.extend(text_told(text).map(|told| FieldError::new("/text", told)));
        }
        let shortcuts = Shortcuts {
            tag: self.tag,
            list: self.list,
            segment: self.segment,
            status: self.status,
            rating: self.rating,
            identified: self.identified,
            converted: self.converted,
        };
        for (name, text) in [
            ("/tag", &shortcuts.tag),
            ("/list", &shortcuts.list),
            ("/segment", &shortcuts.segment),
            ("/converted", &shortcuts.converted),
        ] {
            // Nothing has such a name, and not every database could be asked for it.
            if text
                .as_ref()
                .is_some_and(|text| text.chars().any(char::is_control))
            {
                wrong.push(FieldError::new(name, "holds a control character"));
            }
        }
        let mut conditions = shortcuts.conditions(revision).unwrap_or_else(|unknown| {
            wrong.push(told(&unknown));
            Vec::new()
        });
        match self
            .condition
            .map(|json| condition(&json, "/where", revision))
        {
            Some(Ok(condition)) => conditions.push(condition),
            Some(Err(Wrong(mistakes))) => wrong.extend(mistakes),
            None => {}
        }
        if !wrong.is_empty() {
            return Err(Wrong(wrong));
        }
        Ok(Wanted {
            search: Search {
                text: self.text,
                condition: search::all(conditions),
                sort: None,
            },
            fields: None,
        })
    }
}

impl Wanted {
    /// The same in an order, with these fields alone.
    pub(super) fn sorted(
        mut self,
        sort: Option<String>,
        fields: Option<Vec<String>>,
        revision: &Revision,
    ) -> Result<Self, Wrong> {
        let model = &revision.data_model;
        let mut wrong = Vec::new();
        if let Some(sort) = sort {
            match search::sort(&sort, model) {
                Ok(sort) => self.search.sort = Some(sort),
                Err(unknown) => wrong.push(FieldError::new("/sort", unknown.to_string())),
            }
        }
        for field in fields.iter().flatten() {
            if model.field(field).is_none() {
                let known = model.fields.iter().map(|field| field.identifier.as_str());
                let unknown = UnknownName::new("field", field, known);
                wrong.push(FieldError::new("/fields", unknown.to_string()));
            }
        }
        self.fields = fields;
        if wrong.is_empty() {
            Ok(self)
        } else {
            Err(Wrong(wrong))
        }
    }
}

/// A condition that stands at this place of a body.
pub(super) fn condition(
    json: &Json_,
    at: &str,
    revision: &Revision,
) -> Result<crate::domain::segment::Condition, Wrong> {
    let read = workspace::condition_of_json(json, revision);
    read.map_err(|mistakes| {
        let mistakes = mistakes.into_iter();
        let error = |mistake: workspace::Mistake| {
            FieldError::new(format!("{at}{}", mistake.pointer), mistake.message)
        };
        Wrong(mistakes.map(error).collect())
    })
}

impl Wrong {
    /// As a problem of the body.
    pub(super) fn of_body(self) -> Problem {
        Problem::invalid(self.0)
    }

    /// As a problem of the query: a pointer's first step is the parameter.
    pub(super) fn of_parameters(self) -> Problem {
        let each = self.0.iter().map(|error| {
            let place = error.field.trim_start_matches('/');
            match place.split_once('/') {
                Some((name, rest)) => format!("`{name}` at `/{rest}`: {}", error.message),
                None => format!("`{place}`: {}", error.message),
            }
        });
        Problem::new(Kind::BadRequest, each.collect::<Vec<_>>().join("; "))
    }
}

fn told(unknown: &UnknownName) -> FieldError {
    let place = if unknown.what == "segment" {
        "/segment"
    } else {
        "/converted"
    };
    FieldError::new(place, unknown.to_string())
}

fn text_told(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return Some("must hold no control character".to_owned());
    }
    let length = text.chars().count();
    (length > LONGEST_TEXT).then(|| format!("has {length} characters: at most {LONGEST_TEXT}"))
}
