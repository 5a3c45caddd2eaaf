//! Owns one page of a job: what is done to its customers, and how far the job is, in one transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::connecting;
use super::customer_edits;
use super::db::Store;
use super::enrollments::{Entering, Whom};
use super::erasure;
use super::error::Result;
use super::job_holds::{self, JobHold, JobStanding, Step};
use super::lists::{self, Listing};
use super::returning;
use super::seal::Seal;
use super::statuses::{self, StatusChange};
use super::tagging::{self, Tagging};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::customer::{FieldValue, Status};
use crate::domain::field::DataModel;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::job::{JobFailure, JobPlace};

/// Some customers of a job, and where it is after them.
#[derive(Debug, Clone, Copy)]
pub struct JobPage<'a> {
    pub hold: &'a JobHold,
    pub customers: &'a [CustomerId],
    pub place: JobPlace,
    pub by: &'a By,
    pub at: Timestamp,
}

/// What is done to each of them.
#[derive(Clone, Copy)]
pub enum JobChange<'a> {
    /// Tags by their numbers and names, put on or taken off.
    Tags(&'a [(NameNo, String)], bool),
    /// Put on a list, or taken off.
    List(NameNo, bool),
    Fields(&'a [(String, Option<FieldValue>)], &'a DataModel),
    Status(Status, Option<&'a str>),
    Delete,
    /// They enter a flow; those in its segment alone, if that is said.
    Connect(&'a Entering<'a>, bool),
}

/// What a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stepped {
    pub changed: u64,
    pub failed: u64,
    pub standing: JobStanding,
}

/// Who was changed, and who could not be.
#[derive(Default)]
struct Done {
    changed: u64,
    refused: Vec<(CustomerId, &'static str)>,
}

impl Store {
    /// Changes the customers of a page and moves the job on, or neither. Of a hold that was lost nothing is
    /// written.
    pub async fn change_page(&self, page: &JobPage<'_>, change: &JobChange<'_>) -> Result<Stepped> {
        let seal = match change {
            JobChange::Delete => Some(self.made_seal().await?),
            _ => None,
        };
        let mut tx = match change {
            JobChange::Status(..) | JobChange::Delete | JobChange::Connect(..) => {
                self.write_about(page.customers).await?
            }
            JobChange::Fields(fields, _) if returning::readdresses(fields) => {
                self.write_about(page.customers).await?
            }
            JobChange::Tags(..) | JobChange::List(..) | JobChange::Fields(..) => {
                self.begin().await?
            }
        };
        let there = customer_edits::keep(&mut tx, page.customers.iter().copied()).await?;
        let done = change.apply(&mut tx, page, &there, seal.as_ref()).await?;
        let failures = failures(page.customers, &there, &done.refused);
        let failed = failures.len() as u64;
        let step = Step {
            place: page.place,
            done: page.customers.len() as u64 - failed,
            changed: done.changed,
            failures: &failures,
        };
        let standing = job_holds::step(&mut tx, page.hold, &step).await?;
        if standing == JobStanding::Lost {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(Stepped {
            changed: done.changed,
            failed,
            standing,
        })
    }
}

impl JobChange<'_> {
    async fn apply(
        &self,
        tx: &mut Tx,
        page: &JobPage<'_>,
        there: &BTreeMap<CustomerId, String>,
        seal: Option<&Seal>,
    ) -> Result<Done> {
        let ids: Vec<CustomerId> = there.keys().copied().collect();
        let by = (page.by, page.at);
        let changed = match *self {
            _ if ids.is_empty() => 0,
            Self::Tags(tags, is_put_on) => tag(tx, &ids, (tags, is_put_on), by).await?,
            Self::List(list, is_put_on) => {
                let listing = Listing { list, is_put_on };
                lists::put(tx, &ids, listing, page.at).await?.len() as u64
            }
            Self::Fields(fields, model) => {
                let changed = customer_edits::set_alike(tx, there, fields, model, by);
                changed.await?.len() as u64
            }
            Self::Status(status, reason) => {
                let change = StatusChange {
                    status,
                    reason,
                    by: page.by,
                    at: page.at,
                };
                statuses::apply(tx, &ids, &change).await?.len() as u64
            }
            Self::Delete => match seal {
                Some(seal) => erasure::delete_within(tx, &ids, seal, page.by, page.at).await?,
                None => 0,
            },
            Self::Connect(entering, members_only) => {
                let whom = if members_only {
                    Whom::NamedMembers
                } else {
                    Whom::Named
                };
                let connected = connecting::connect(tx, entering, whom, &ids).await?;
                return Ok(Done {
                    changed: connected.entered.len() as u64,
                    refused: connected.refused,
                });
            }
        };
        Ok(Done {
            changed,
            refused: Vec::new(),
        })
    }
}

/// How many customers any of the tags changed.
async fn tag(
    tx: &mut Tx,
    customers: &[CustomerId],
    (tags, is_put_on): (&[(NameNo, String)], bool),
    by: (&By, Timestamp),
) -> Result<u64> {
    let mut changed = std::collections::BTreeSet::new();
    for (tag, name) in tags {
        let tagging = Tagging {
            tag: *tag,
            name,
            is_put_on,
        };
        changed.extend(tagging::tag(tx, customers, tagging, by).await?);
    }
    Ok(changed.len() as u64)
}

fn failures(
    asked: &[CustomerId],
    there: &BTreeMap<CustomerId, String>,
    refused: &[(CustomerId, &'static str)],
) -> Vec<JobFailure> {
    let gone = asked.iter().filter(|id| !there.contains_key(id));
    let gone = gone.map(|_| JobFailure {
        who: None,
        what: "is not there any more".to_owned(),
    });
    let refused = refused.iter().map(|(id, why)| JobFailure {
        who: there.get(id).cloned(),
        what: (*why).to_owned(),
    });
    gone.chain(refused).collect()
}
