//! Owns writing down what many customers gave up elsewhere, all of it at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::among::numbers;
use super::bars;
use super::changes;
use super::customer_edits;
use super::dialect::{ids, rows};
use super::dirty;
use super::error::Result;
use super::instants::micros;
use super::interactions;
use super::listing::json;
use super::rows;
use super::sql::query;
use super::subscriptions::{self, Record};
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::subscription::{Scope, Subscription, SubscriptionState};
use crate::domain::touched::Touched;

const TURN: &str = concat!(
    "UPDATE subscriptions SET state = j.state, at = j.at, actor = j.actor, source = j.source, \
     note = j.note FROM ",
    rows!(id BIGINT 0, record BIGINT 1, state BIGINT 2, at BIGINT 3, actor TEXT 4, source TEXT 5,
          note TEXT 6),
    " AS j WHERE subscriptions.bucket = j.id >> 48 AND subscriptions.customer_id = j.id \
     AND subscriptions.record = j.record"
);
const REVISE: &str = concat!(
    "UPDATE customers SET consent_rev = consent_rev + 1, updated_at = $2 \
     WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);

pub(super) const STATEMENTS: &[&str] = &[TURN, REVISE];

/// What a customer gave up, by whom it was told, and when it was.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenUp {
    pub customer: CustomerId,
    pub scope: Scope,
    pub by: By,
    pub at: Timestamp,
}

/// What is written of customers' records: those that are new, and those that stand again.
#[derive(Default)]
struct News {
    added: Vec<(CustomerId, Record)>,
    turned: Vec<(CustomerId, Record)>,
    lines: Vec<Interaction>,
}

/// Writes down what was not given up before, nor taken back since; how much that was. Customers who are
/// not there any more are passed over.
pub(super) async fn give_up(tx: &mut Tx, all: &[GivenUp], now: Timestamp) -> Result<u64> {
    if all.is_empty() {
        return Ok(0);
    }
    let customers: BTreeSet<CustomerId> = all.iter().map(|one| one.customer).collect();
    let there = customer_edits::keep(tx, customers.iter().copied()).await?;
    let customers: Vec<CustomerId> = there.keys().copied().collect();
    let records = subscriptions::records_of(tx, &customers).await?;
    let mut records: BTreeMap<CustomerId, Vec<Record>> = records.into_iter().collect();
    let mut news = News::default();
    for one in all.iter().filter(|one| there.contains_key(&one.customer)) {
        news.add(one, records.entry(one.customer).or_default());
    }
    news.write(tx, now).await
}

impl News {
    fn add(&mut self, one: &GivenUp, records: &mut Vec<Record>) {
        let new = Subscription {
            scope: one.scope.clone(),
            state: SubscriptionState::Unsubscribed,
            by: one.by.clone(),
            at: one.at,
        };
        let place = records
            .iter()
            .position(|(_, record)| record.scope == one.scope);
        match place.map(|place| &mut records[place]) {
            Some((_, record))
                if record.state == SubscriptionState::Unsubscribed || record.at > one.at =>
            {
                return;
            }
            Some((number, record)) => {
                record.clone_from(&new);
                self.turned.push((one.customer, (*number, new)));
            }
            None => {
                let number = records.last().map_or(1, |(last, _)| last + 1);
                records.push((number, new.clone()));
                self.added.push((one.customer, (number, new)));
            }
        }
        let line = changes::line(one.customer, one.at, Kind::Unsubscribed, &one.by);
        self.lines.push(subscriptions::scoped(line, &one.scope));
    }

    async fn write(self, tx: &mut Tx, now: Timestamp) -> Result<u64> {
        if self.lines.is_empty() {
            return Ok(0);
        }
        let added = self.added.iter();
        let added = added.map(|(id, (number, record))| bars::record_cells(*id, *number, record));
        rows::insert(tx, "subscriptions", &bars::RECORDS, added.collect()).await?;
        let turned: Vec<_> = self.turned.iter().map(cells).collect();
        if !turned.is_empty() {
            query(TURN).bind(json(&turned)).execute(&mut *tx).await?;
        }
        let customers: BTreeSet<CustomerId> = self.lines.iter().map(|line| line.customer).collect();
        let customers: Vec<CustomerId> = customers.into_iter().collect();
        let revise = query(REVISE).bind(numbers(&customers)).bind(micros(now));
        revise.execute(&mut *tx).await?;
        interactions::insert(tx, &self.lines).await?;
        dirty::mark(tx, Touched::by_line(Kind::Unsubscribed), &customers).await?;
        Ok(self.lines.len() as u64)
    }
}

/// A record as `TURN` takes it.
fn cells(
    (id, (number, record)): &(CustomerId, Record),
) -> (i64, i64, i64, i64, &str, &str, Option<&str>) {
    let by = &record.by;
    (
        id.0,
        *number,
        record.state.number(),
        micros(record.at),
        by.actor.as_str(),
        by.source.as_str(),
        by.note.as_deref(),
    )
}
