//! Owns what people ask of a job: for whom, and what is to be done to them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::job::JobKind;
use super::segment::Condition;

/// Whom a job is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    All,
    /// Those who carry a tag.
    Tag(String),
    /// Those who meet the condition of a segment.
    Segment(String),
    /// Those on a list.
    List(String),
    /// Those who meet a condition.
    Where(Condition),
    /// Those who were picked one by one; the job keeps their numbers.
    Picked,
}

impl Selection {
    /// As people say it.
    pub fn words(&self) -> String {
        match self {
            Self::All => "all customers".to_owned(),
            Self::Tag(tag) => format!("those tagged `{tag}`"),
            Self::Segment(segment) => format!("the segment `{segment}`"),
            Self::List(list) => format!("the list `{list}`"),
            Self::Where(_) => "those who meet a condition".to_owned(),
            Self::Picked => "picked customers".to_owned(),
        }
    }
}

/// What is done to each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    AddToList(String),
    RemoveFromList(String),
    /// Fields by their identifiers, as programs write them; null clears.
    SetFields(Map<String, Value>),
    /// With a reason.
    Suspend(Option<String>),
    Reactivate,
    /// With a reason.
    Discard(Option<String>),
    Delete,
    /// They enter a flow as if they had come to qualify for it.
    Connect(String),
    Export {
        /// `csv`, `xlsx` or `jsonl`.
        format: String,
        /// Columns beside `id`; all unless given.
        fields: Option<Vec<String>>,
    },
}

impl Action {
    pub fn kind(&self) -> JobKind {
        match self {
            Self::AddTags(_) => JobKind::AddTags,
            Self::RemoveTags(_) => JobKind::RemoveTags,
            Self::AddToList(_) => JobKind::AddToList,
            Self::RemoveFromList(_) => JobKind::RemoveFromList,
            Self::SetFields(_) => JobKind::SetFields,
            Self::Suspend(_) => JobKind::Suspend,
            Self::Reactivate => JobKind::Reactivate,
            Self::Discard(_) => JobKind::Discard,
            Self::Delete => JobKind::Delete,
            Self::Connect(_) => JobKind::Connect,
            Self::Export { .. } => JobKind::Export,
        }
    }
}

/// An order, as a job keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Order {
    pub selection: Selection,
    pub action: Action,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_reads_back_as_it_was_kept() {
        let fields = json!({ "city": "Lyon", "age": null });
        let orders = [
            (Selection::All, Action::Reactivate),
            (
                Selection::Where(Condition::Tag("vip".to_owned())),
                Action::SetFields(fields.as_object().cloned().unwrap()),
            ),
            (Selection::Picked, Action::Suspend(None)),
        ];
        for (selection, action) in orders {
            let order = Order { selection, action };
            let kept = serde_json::to_value(&order).unwrap();
            assert_eq!(serde_json::from_value::<Order>(kept).unwrap(), order);
        }
    }
}
