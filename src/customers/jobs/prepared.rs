//! Owns what an order does, once every name and value in it is known to be right.

use super::chosen::{check_list, tag_number};
use super::exporting;
use crate::customers::error::Error;
use crate::customers::export_columns::Columns;
use crate::customers::json_fields::{self, TypedField};
use crate::customers::names;
use crate::domain::customer::Status;
use crate::domain::field::DataModel;
use crate::domain::ids::NameNo;
use crate::domain::job_order::Action;
use crate::store::{JobChange, Published, Store};

/// Customers in one transaction: others want to write, too.
const TOGETHER: u32 = 500;
/// Much is known of each, and all of it goes.
const DELETED_TOGETHER: u32 = 50;

/// An action that can be carried out.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    Tags(Vec<(NameNo, String)>, bool),
    List(NameNo, bool),
    Fields(Vec<TypedField>),
    Status(Status, Option<String>),
    Delete,
    Connect(String),
    Export,
}

impl Prepared {
    /// Looks up what an action names, and types its values.
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::BadValue`].
    pub(super) async fn of(
        store: &Store,
        published: &Published,
        action: &Action,
    ) -> Result<Self, Error> {
        let revision = &published.revision;
        let status = |status, reason: &Option<String>| Self::Status(status, reason.clone());
        Ok(match action {
            Action::AddTags(tags) => {
                Self::Tags(numbered(store, published, tags, true).await?, true)
            }
            Action::RemoveTags(tags) => {
                Self::Tags(numbered(store, published, tags, false).await?, false)
            }
            Action::AddToList(list) => Self::List(number(store, list).await?, true),
            Action::RemoveFromList(list) => Self::List(number(store, list).await?, false),
            Action::SetFields(fields) => {
                let typed = json_fields::read(revision, fields);
                let typed = typed.map_err(|bad| match bad.into_iter().next() {
                    Some(bad) => Error::BadValue {
                        field: bad.field,
                        reason: bad.reason,
                    },
                    None => Error::BadValue {
                        field: String::new(),
                        reason: "is not valid".to_owned(),
                    },
                });
                Self::Fields(typed?)
            }
            Action::Suspend(reason) => status(Status::Suspended, reason),
            Action::Discard(reason) => status(Status::Discarded, reason),
            Action::Reactivate => status(Status::Active, &None),
            Action::Delete => Self::Delete,
            Action::Connect(flow) => {
                names::flow(revision, flow)?;
                Self::Connect(flow.clone())
            }
            Action::Export { format, fields } => {
                exporting::format(format)?;
                Columns::new(&revision.data_model, fields.as_deref())?;
                Self::Export
            }
        })
    }

    /// What it does to the customers of a page; none: the page is not a change of customers alone.
    pub(super) fn change<'a>(&'a self, model: &'a DataModel) -> Option<JobChange<'a>> {
        Some(match self {
            Self::Tags(tags, is_put_on) => JobChange::Tags(tags, *is_put_on),
            Self::List(list, is_put_on) => JobChange::List(*list, *is_put_on),
            Self::Fields(fields) => JobChange::Fields(fields, model),
            Self::Status(status, reason) => JobChange::Status(*status, reason.as_deref()),
            Self::Delete => JobChange::Delete,
            Self::Connect(_) | Self::Export => return None,
        })
    }
}

/// How many customers of such a job belong into one transaction.
pub(super) fn page(action: &Action) -> u32 {
    match action {
        Action::Delete => DELETED_TOGETHER,
        _ => TOGETHER,
    }
}

/// Tags with their numbers. What is taken off may be declared no more, what is put on may not.
async fn numbered(
    store: &Store,
    published: &Published,
    tags: &[String],
    is_put_on: bool,
) -> Result<Vec<(NameNo, String)>, Error> {
    let revision = &published.revision;
    let mut numbered = Vec::with_capacity(tags.len());
    for tag in tags {
        if is_put_on {
            names::check_tag(&revision.data_model, tag)?;
        }
        let number = tag_number(store, revision, tag).await?;
        numbered.push((number, tag.clone()));
    }
    Ok(numbered)
}

async fn number(store: &Store, list: &str) -> Result<NameNo, Error> {
    check_list(store, list).await?;
    let number = store.list_number(list).await?;
    number.ok_or_else(|| crate::store::Error::NotFound(format!("the list `{list}`")).into())
}
