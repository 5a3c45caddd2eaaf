//! Owns reading an order for a job from a request: whom it is about, and what is done to them.

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::customers::FieldInput;
use super::filters;
use super::problem::{FieldError, Problem, bad_fields};
use super::reading::bad_ids;
use crate::customers::error::Error;
use crate::customers::jobs::picking::{self, Picked};
use crate::customers::jobs::queue::{check_action, check_selection};
use crate::customers::json_fields;
use crate::customers::remarks::remark;
use crate::domain::job::JobKind;
use crate::domain::job_order::{Action, Order, Selection};
use crate::domain::list;
use crate::domain::revision::Revision;
use crate::store::{Published, Store};

const MOST_IDS: usize = 10_000;
const MOST_TAGS: usize = 20;

/// An order about many customers. Each kind takes the key that belongs to it, and no other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobInput {
    kind: JobKind,
    selection: SelectionInput,
    /// Of `add-tags` and `remove-tags`: tags of the data model.
    #[schema(min_items = 1, max_items = 20, example = json!(["vip"]))]
    tags: Option<Vec<String>>,
    /// Of `add-to-list` and `remove-from-list`: the list.
    #[schema(example = "spring-fair")]
    list: Option<String>,
    /// Of `set-fields`; those that are not named stay as they are.
    #[schema(value_type = Option<std::collections::BTreeMap<String, FieldInput>>, example = json!({"city": "Lyon"}))]
    fields: Option<Map<String, Json>>,
    /// Of `suspend` and `discard`: why, for the record.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// Of `connect`: the flow that they enter.
    #[schema(example = "new-member-onboarding")]
    flow: Option<String>,
    /// Of `export`: `csv`, `xlsx` or `jsonl`; CSV unless given.
    #[schema(example = "csv")]
    format: Option<String>,
    /// Of `export`: columns beside `id`; all unless given.
    columns: Option<Vec<String>>,
}

/// Whom it is about: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectionInput {
    /// `true`: everybody.
    all: Option<bool>,
    /// Those who carry this tag.
    #[schema(example = "vip")]
    tag: Option<String>,
    /// Those in this segment.
    segment: Option<String>,
    /// Those on this list.
    list: Option<String>,
    /// Those who meet this condition of the flow language.
    #[serde(rename = "where")]
    #[schema(value_type = Option<Object>, example = json!({"field": "city", "is": "Lyon"}))]
    condition: Option<Json>,
    /// Those with these unique ids.
    #[schema(min_items = 1, max_items = 10000)]
    ids: Option<Vec<String>>,
}

impl JobInput {
    /// The order, with the customers who were picked for it.
    pub(super) async fn read(
        self,
        store: &Store,
        published: &Published,
    ) -> Result<(Order, Picked), Problem> {
        let action = self.action(published)?;
        let (selection, ids) = self.selection.read(&published.revision)?;
        let at = |pointer: &'static str| move |error| below(pointer, error);
        let checked = check_selection(store, published, &selection).await;
        checked.map_err(at("/selection"))?;
        check_action(store, published, &action)
            .await
            .map_err(at(""))?;
        let picked = picking::by_ids(store, &ids).await?;
        Ok((Order { selection, action }, picked))
    }

    fn action(&self, published: &Published) -> Result<Action, Problem> {
        self.refuse_strangers()?;
        let reason = || {
            let reason = remark("reason", self.reason.as_deref())?;
            Ok::<_, Problem>(reason.map(str::to_owned))
        };
        Ok(match self.kind {
            JobKind::AddTags => Action::AddTags(self.tags()?),
            JobKind::RemoveTags => Action::RemoveTags(self.tags()?),
            JobKind::AddToList => Action::AddToList(self.list()?),
            JobKind::RemoveFromList => Action::RemoveFromList(self.list()?),
            JobKind::SetFields => {
                let fields = self.fields.clone().ok_or_else(|| needed("fields"))?;
                let read = json_fields::read(&published.revision, &fields);
                read.map_err(|bad| Problem::invalid(bad_fields("", &bad)))?;
                Action::SetFields(fields)
            }
            JobKind::Suspend => Action::Suspend(reason()?),
            JobKind::Discard => Action::Discard(reason()?),
            JobKind::Reactivate => Action::Reactivate,
            JobKind::Delete => Action::Delete,
            JobKind::Connect => {
                let flow = self.flow.clone();
                Action::Connect(flow.ok_or_else(|| needed("flow"))?)
            }
            JobKind::Export => Action::Export {
                format: self.format.clone().unwrap_or_else(|| "csv".to_owned()),
                fields: self.columns.clone(),
            },
            JobKind::CheckImport | JobKind::Import | JobKind::RevertImport => {
                let told = "is queued with its import: see `/imports`";
                return Err(Problem::field("/kind", told));
            }
        })
    }

    /// A key that belongs to another kind would be a misunderstanding.
    fn refuse_strangers(&self) -> Result<(), Problem> {
        use JobKind as K;
        let kind = self.kind;
        let given = [
            (
                "tags",
                self.tags.is_some(),
                matches!(kind, K::AddTags | K::RemoveTags),
            ),
            (
                "list",
                self.list.is_some(),
                matches!(kind, K::AddToList | K::RemoveFromList),
            ),
            ("fields", self.fields.is_some(), kind == K::SetFields),
            (
                "reason",
                self.reason.is_some(),
                matches!(kind, K::Suspend | K::Discard),
            ),
            ("flow", self.flow.is_some(), kind == K::Connect),
            ("format", self.format.is_some(), kind == K::Export),
            ("columns", self.columns.is_some(), kind == K::Export),
        ];
        let strangers = given
            .iter()
            .filter(|(_, is_given, belongs)| *is_given && !belongs);
        let told = strangers.map(|(name, _, _)| {
            let message = format!("does not belong to `{}`: leave it out", kind.as_str());
            FieldError::new(format!("/{name}"), message)
        });
        Problem::unless_none(told.collect())
    }

    fn tags(&self) -> Result<Vec<String>, Problem> {
        let tags = self.tags.clone().ok_or_else(|| needed("tags"))?;
        if tags.is_empty() || tags.len() > MOST_TAGS {
            return Err(Problem::field("/tags", "must name 1 to 20 tags"));
        }
        Ok(tags)
    }

    fn list(&self) -> Result<String, Problem> {
        let list = self.list.clone().ok_or_else(|| needed("list"))?;
        list::check_name(&list).map_err(|wrong| Problem::field("/list", wrong))?;
        Ok(list)
    }
}

impl SelectionInput {
    fn read(self, revision: &Revision) -> Result<(Selection, Vec<String>), Problem> {
        let wrong = |message: &str| Problem::field("/selection", message);
        let all = match self.all {
            Some(false) => {
                return Err(Problem::field(
                    "/selection/all",
                    "must be `true`, or left out",
                ));
            }
            all => all.map(|_| Selection::All),
        };
        if let Some(list) = &self.list {
            let checked = list::check_name(list);
            checked.map_err(|wrong| Problem::field("/selection/list", wrong))?;
        }
        let picked = self.ids.as_ref().map(|_| Selection::Picked);
        let condition = self.condition.as_ref();
        let condition = condition.map(|json| {
            let read = filters::condition(json, "/selection/where", revision);
            read.map(Selection::Where).map_err(filters::Wrong::of_body)
        });
        let given = [
            all,
            condition.transpose()?,
            self.tag.map(Selection::Tag),
            self.segment.map(Selection::Segment),
            self.list.map(Selection::List),
            picked,
        ];
        let mut given = given.into_iter().flatten();
        let (first, second) = (given.next(), given.next());
        let (Some(selection), None) = (first, second) else {
            return Err(wrong(
                "must have exactly one of `all`, `tag`, `segment`, `list`, `where` and `ids`",
            ));
        };
        let ids = self.ids.unwrap_or_default();
        if selection == Selection::Picked && !(1..=MOST_IDS).contains(&ids.len()) {
            let told = "must name 1 to 10,000 customers";
            return Err(Problem::field("/selection/ids", told));
        }
        Problem::unless_none(bad_ids("/selection/ids", &ids))?;
        Ok((selection, ids))
    }
}

fn needed(key: &str) -> Problem {
    Problem::field(&format!("/{key}"), "is needed for a job of this kind")
}

/// A mistake with the place where it was made.
fn below(pointer: &str, error: Error) -> Problem {
    match error {
        Error::UnknownName(unknown) => {
            let key = match unknown.what {
                "tag" if pointer.is_empty() => "tags",
                "field" if pointer.is_empty() => "columns",
                what => what,
            };
            Problem::field(&format!("{pointer}/{key}"), unknown.to_string())
        }
        other => other.into(),
    }
}
