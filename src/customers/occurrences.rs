//! Owns recording what senders tell of customers: whom it is about, who is added for it, and what became of each.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::batch;
use super::error::Error;
use super::occurrence_reading::Flaw;
use super::whom;
use crate::domain::audit::By;
use crate::domain::identifier::Identifier;
use crate::domain::ids::CustomerId;
use crate::domain::occurrence::{Occurrence, Placed, Who};
use crate::domain::revision::Revision;
use crate::store::{Behind, NewCustomer, Store, Telling, Upsert};

/// What became of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Recorded,
    /// It was recorded before, under this id.
    Duplicate,
    /// Nobody, or not exactly one customer, is meant.
    UnknownCustomer(String),
    Invalid(Vec<Flaw>),
}

/// Into what, by whom and when occurrences are recorded.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    pub store: &'a Store,
    pub revision: &'a Revision,
    pub by: &'a By,
    pub now: Timestamp,
    /// Nothing stays written, and nobody is added.
    pub is_trial: bool,
}

/// Who is behind what occurrences name.
#[derive(Default)]
struct Found {
    ids: HashMap<String, Behind>,
    emails: HashMap<String, Vec<CustomerId>>,
    phones: HashMap<String, Vec<CustomerId>>,
}

impl Recording<'_> {
    /// Records what is valid, and says of each what became of it, in their order.
    pub async fn record(
        &self,
        read: Vec<Result<Occurrence, Vec<Flaw>>>,
    ) -> Result<Vec<Outcome>, Error> {
        let valid: Vec<&Occurrence> = read.iter().flatten().collect();
        let found = self.found(&valid).await?;
        let (mut placed, mut outcomes) = (Vec::new(), Vec::new());
        for one in read {
            outcomes.push(match one {
                Err(flaws) => Some(Outcome::Invalid(flaws)),
                Ok(occurrence) => match found.customer(&occurrence.who) {
                    Err(outcome) => Some(outcome),
                    Ok(customer) => {
                        placed.push(occurrence.placed(customer));
                        None
                    }
                },
            });
        }
        let mut news = self.write(&placed).await?.into_iter();
        let outcome = |outcome: Option<Outcome>| {
            outcome.unwrap_or_else(|| match news.next() {
                Some(true) => Outcome::Recorded,
                _ => Outcome::Duplicate,
            })
        };
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    async fn write(&self, placed: &[Placed]) -> Result<Vec<bool>, Error> {
        let how = Telling {
            source: self.by.source,
            now: self.now,
            is_trial: self.is_trial,
        };
        Ok(self.store.record_once(placed, how).await?)
    }

    async fn found(&self, occurrences: &[&Occurrence]) -> Result<Found, Error> {
        let named = |wanted: fn(&Who) -> Option<&String>| -> BTreeSet<String> {
            let whos = occurrences.iter().map(|one| &one.who);
            whos.filter_map(wanted).cloned().collect()
        };
        let (emails, phones) = (named(Who::email), named(Who::phone));
        let mut found = Found {
            ids: self.store.behind(&named(Who::id)).await?,
            emails: self.having(Identifier::Email, &emails).await?,
            phones: self.having(Identifier::Phone, &phones).await?,
        };
        let added = self.add(occurrences, &found).await?;
        found.ids.extend(self.store.behind(&added).await?);
        Ok(found)
    }

    async fn having(
        &self,
        identifier: Identifier,
        named: &BTreeSet<String>,
    ) -> Result<HashMap<String, Vec<CustomerId>>, Error> {
        let field = identifier.field();
        match field.and_then(|field| self.revision.data_model.field(field)) {
            Some(field) => {
                let named = named.iter().map(String::as_str);
                whom::having(self.store, self.revision, field, named).await
            }
            None => Ok(HashMap::new()),
        }
    }

    /// Adds the visitors who are new, and the customers who may be added; their ids.
    async fn add(
        &self,
        occurrences: &[&Occurrence],
        found: &Found,
    ) -> Result<BTreeSet<String>, Error> {
        let (mut visitors, mut customers) = (BTreeSet::new(), BTreeSet::new());
        for one in occurrences {
            match &one.who {
                Who::Visitor(id) if !found.ids.contains_key(id) => visitors.insert(id.clone()),
                Who::Customer(id) if one.adds && !found.ids.contains_key(id) => {
                    customers.insert(id.clone())
                }
                _ => false,
            };
        }
        if self.is_trial {
            return Ok(BTreeSet::new());
        }
        // Somebody who is named as both is a customer.
        visitors.retain(|id| !customers.contains(id));
        let new = customers.iter().map(|id| NewCustomer {
            external_id: id.clone(),
            fields: Vec::new(),
        });
        let new: Vec<NewCustomer> = new.collect();
        batch::upsert(self.store, self.revision, &new, self.by, self.now).await?;
        if !visitors.is_empty() {
            let how = Upsert {
                model: &self.revision.data_model,
                tags: &[],
                consents: &[],
                by: self.by,
                at: self.now,
            };
            self.store.add_visitors(&visitors, &how).await?;
        }
        customers.extend(visitors);
        Ok(customers)
    }
}

impl Found {
    fn customer(&self, who: &Who) -> Result<CustomerId, Outcome> {
        match who {
            Who::Customer(id) => {
                let behind = self.ids.get(id).map(|behind| behind.customer());
                behind.ok_or_else(|| unknown(format!("there is no customer `{id}`")))
            }
            Who::Visitor(id) => match self.ids.get(id) {
                Some(Behind::Anonymous(customer) | Behind::Merged(customer)) => Ok(*customer),
                Some(Behind::Identified(_)) => {
                    let reason = format!("`{id}` is identified: name them as `customer`");
                    Err(Outcome::Invalid(vec![Flaw::new("/visitor", reason)]))
                }
                None => Err(unknown(format!("there is no visitor `{id}`"))),
            },
            Who::Email(value) => only(&self.emails, value, "e-mail address"),
            Who::Phone(value) => only(&self.phones, value, "phone number"),
        }
    }
}

/// The one customer who has it.
fn only(
    having: &HashMap<String, Vec<CustomerId>>,
    value: &str,
    what: &str,
) -> Result<CustomerId, Outcome> {
    match having.get(value).map_or(&[][..], Vec::as_slice) {
        [customer] => Ok(*customer),
        [] => Err(unknown(format!("no customer has the {what} `{value}`"))),
        several => {
            let several = several.len();
            Err(unknown(format!(
                "{several} customers have the {what} `{value}`"
            )))
        }
    }
}

fn unknown(why: String) -> Outcome {
    Outcome::UnknownCustomer(why)
}
