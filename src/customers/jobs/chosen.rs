//! Owns whom an order is about: everybody, those who meet a condition, or those who were picked.

use crate::customers::error::Error;
use crate::customers::names::{self, UnknownName};
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::job::{JobNo, JobPlace};
use crate::domain::job_order::Selection;
use crate::domain::revision::{NameKind, Revision};
use crate::domain::segment::Condition;
use crate::store::{Frame, Store};

/// A selection whose names are known.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    All,
    Meeting(Condition),
    Picked,
}

impl Chosen {
    /// Looks the names of a selection up.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub(crate) async fn of(
        store: &Store,
        revision: &Revision,
        selection: &Selection,
    ) -> Result<Self, Error> {
        Ok(match selection {
            Selection::All => Self::All,
            Selection::Picked => Self::Picked,
            Selection::Where(condition) => Self::Meeting(condition.clone()),
            Selection::Tag(tag) => {
                tag_number(store, revision, tag).await?;
                Self::Meeting(Condition::Tag(tag.clone()))
            }
            Selection::Segment(segment) => {
                let segment = names::segment(revision, segment)?;
                Self::Meeting(segment.condition.clone())
            }
            Selection::List(list) => {
                check_list(store, list).await?;
                Self::Meeting(Condition::List(list.clone()))
            }
        })
    }

    /// How many there are now; of those who were picked nobody needs to count.
    pub(crate) async fn count(&self, store: &Store, frame: &Frame<'_>) -> Result<u64, Error> {
        Ok(match self {
            Self::All => store.customer_count().await?,
            Self::Meeting(condition) => store.segment_count(condition, frame).await?,
            Self::Picked => 0,
        })
    }

    /// The next of them behind a place, and the place after those; none: that was all. Who has left
    /// meanwhile is not met any more.
    pub(crate) async fn page(
        &self,
        (store, frame): (&Store, &Frame<'_>),
        job: JobNo,
        place: Option<JobPlace>,
        limit: u32,
    ) -> Result<Option<(Vec<CustomerId>, JobPlace)>, Error> {
        let after = match place {
            Some(JobPlace::After(number)) => Some(CustomerId(number)),
            _ => None,
        };
        let found = match self {
            Self::All => store.customers_after(after, limit).await?,
            Self::Meeting(condition) => {
                let page = store.customers_meeting_after(condition, frame, after, limit);
                page.await?
            }
            Self::Picked => {
                let done = match place {
                    Some(JobPlace::Parts(done)) => done,
                    _ => 0,
                };
                let part = store.job_part(job, done).await?;
                return Ok(part.map(|part| (part, JobPlace::Parts(done + 1))));
            }
        };
        let last = found.last().copied();
        Ok(last.map(|last| (found, JobPlace::after(last))))
    }
}

/// The number of a tag that customers may carry, though the data model declares it no more.
pub(super) async fn tag_number(
    store: &Store,
    revision: &Revision,
    tag: &str,
) -> Result<NameNo, Error> {
    let number = store.numbers().await?.number(NameKind::Tag, tag);
    number.ok_or_else(|| {
        let known = revision.data_model.tags.keys().map(String::as_str);
        UnknownName::new("tag", tag, known).into()
    })
}

/// Refuses a list that there is not.
pub(super) async fn check_list(store: &Store, name: &str) -> Result<(), Error> {
    if store.list_number(name).await?.is_some() {
        return Ok(());
    }
    let lists = store.lists().await?;
    let known = lists.iter().map(|list| list.name.as_str());
    Err(UnknownName::new("list", name, known).into())
}
