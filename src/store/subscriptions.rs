//! Owns subscriptions: the records of giving messages up, and their undoing.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::changes;
use super::db::Store;
use super::dialect::ids;
use super::error::{Error, Result};
use super::instants::instant;
use super::sql::{Row, query};
use super::tx::Tx;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::channel::Channel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::subscription::{
    Resubscription, Scope, Subscription, SubscriptionState, resubscribe,
};

const OF: &str = concat!(
    "SELECT s.customer_id, s.record, s.campaign, s.category, s.campaign_group, s.channel, s.state, \
     s.at, s.actor, s.source, s.note FROM ",
    ids!(),
    " AS k CROSS JOIN subscriptions AS s WHERE s.bucket = k.bucket AND s.customer_id = k.id \
     ORDER BY s.customer_id, s.record"
);
const ADD: &str = "INSERT INTO subscriptions (bucket, customer_id, record, campaign, category, \
     campaign_group, channel, state, at, actor, source, note) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const TURN: &str = "UPDATE subscriptions SET state = $4, at = $5, actor = $6, source = $7, \
     note = $8 WHERE bucket = $1 AND customer_id = $2 AND record = $3";

pub(super) const STATEMENTS: &[&str] = &[OF, ADD, TURN];

/// A record with its number among the customer's.
pub(super) type Record = (i64, Subscription);

impl Store {
    /// Gives up what the scope covers; false, and nothing written, when this record stands already.
    pub async fn unsubscribe(
        &self,
        customer: CustomerId,
        scope: &Scope,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.write_about(&[customer]).await?;
        let records = records(&mut tx, customer).await?;
        match records.iter().find(|(_, record)| record.scope == *scope) {
            Some((_, record)) if record.state == SubscriptionState::Unsubscribed => {
                return Ok(false);
            }
            Some((number, _)) => {
                turn(
                    &mut tx,
                    customer,
                    *number,
                    SubscriptionState::Unsubscribed,
                    by,
                    at,
                )
                .await?;
            }
            None => {
                let number = records.last().map_or(1, |(last, _)| last + 1);
                add(&mut tx, customer, number, scope, by, at).await?;
            }
        }
        let line = changes::line(customer, at, Kind::Unsubscribed, by);
        changes::finish(&mut tx, scoped(line, scope)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the records back that are equal to the scope or within it; broader ones stand and are named.
    pub async fn resubscribe(
        &self,
        customer: CustomerId,
        scope: &Scope,
        by: &By,
        at: Timestamp,
    ) -> Result<Resubscription> {
        let mut tx = self.write_about(&[customer]).await?;
        changes::require(&mut tx, customer).await?;
        let records = records(&mut tx, customer).await?;
        let all: Vec<Subscription> = records.iter().map(|(_, record)| record.clone()).collect();
        let answer = resubscribe(&all, scope);
        if answer.flips.is_empty() {
            return Ok(answer);
        }
        for (number, record) in &records {
            if answer.flips.contains(&record.scope) {
                turn(
                    &mut tx,
                    customer,
                    *number,
                    SubscriptionState::Resubscribed,
                    by,
                    at,
                )
                .await?;
            }
        }
        let line = changes::line(customer, at, Kind::Resubscribed, by);
        changes::finish(&mut tx, scoped(line, scope)).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// All records of the customers, also those taken back; customers without one are absent.
    pub async fn subscriptions_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Vec<Subscription>>> {
        let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
        let rows = query(OF)
            .bind(json!(numbers).to_string())
            .fetch_all(self.read())
            .await?;
        let mut of: HashMap<CustomerId, Vec<Subscription>> = HashMap::new();
        for row in &rows {
            let (_, record) = read(row)?;
            of.entry(CustomerId(row.try_get(0)?))
                .or_default()
                .push(record);
        }
        Ok(of)
    }
}

/// All records of customers with their numbers, in their order; customers without one are absent.
pub(super) async fn records_of(
    tx: &mut Tx,
    customers: &[CustomerId],
) -> Result<HashMap<CustomerId, Vec<Record>>> {
    let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let rows = query(OF)
        .bind(json!(numbers).to_string())
        .fetch_all(&mut *tx)
        .await?;
    let mut of: HashMap<CustomerId, Vec<Record>> = HashMap::new();
    for row in &rows {
        let record = read(row)?;
        of.entry(CustomerId(row.try_get(0)?))
            .or_default()
            .push(record);
    }
    Ok(of)
}

async fn records(tx: &mut Tx, customer: CustomerId) -> Result<Vec<Record>> {
    let rows = query(OF)
        .bind(json!([customer.0]).to_string())
        .fetch_all(&mut *tx)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Record> {
    let channel: Option<i64> = row.try_get(5)?;
    let record = Subscription {
        scope: Scope {
            campaign: row.try_get(2)?,
            category: row.try_get(3)?,
            group: row.try_get(4)?,
            channel: channel.and_then(Channel::from_number),
        },
        state: SubscriptionState::from_number(row.try_get(6)?),
        by: read_by(row, 8)?,
        at: instant(row.try_get(7)?)?,
    };
    Ok((row.try_get(1)?, record))
}

/// Reads actor, source and note, from `first` on.
pub(super) fn read_by(row: &Row, first: usize) -> Result<By> {
    let source = row.text(first + 1)?;
    Ok(By {
        actor: Actor::named(row.try_get::<String>(first)?),
        source: Source::parse(source)
            .ok_or_else(|| Error::Corrupt(format!("the unknown source `{source}`")))?,
        note: row.try_get(first + 2)?,
    })
}

async fn add(
    tx: &mut Tx,
    customer: CustomerId,
    record: i64,
    scope: &Scope,
    by: &By,
    at: Timestamp,
) -> Result<()> {
    query(ADD)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(record)
        .bind(&scope.campaign)
        .bind(&scope.category)
        .bind(&scope.group)
        .bind(scope.channel.map(Channel::number))
        .bind(SubscriptionState::Unsubscribed.number())
        .bind(at.as_microsecond())
        .bind(by.actor.as_str())
        .bind(by.source.as_str())
        .bind(&by.note)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

pub(super) async fn turn(
    tx: &mut Tx,
    customer: CustomerId,
    record: i64,
    state: SubscriptionState,
    by: &By,
    at: Timestamp,
) -> Result<()> {
    query(TURN)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(record)
        .bind(state.number())
        .bind(at.as_microsecond())
        .bind(by.actor.as_str())
        .bind(by.source.as_str())
        .bind(&by.note)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The line of a change of this scope; an open dimension is left out.
pub(super) fn scoped(line: Interaction, scope: &Scope) -> Interaction {
    let named = [("category", &scope.category), ("group", &scope.group)];
    let line = named
        .into_iter()
        .fold(line, |line, (key, name)| match name {
            Some(name) => changes::saying(line, key, name),
            None => line,
        });
    Interaction {
        channel: scope.channel,
        campaign: scope.campaign.clone(),
        ..line
    }
}
