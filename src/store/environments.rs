//! Owns with what each customer was last seen: address, browser, operating system, device.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::db::Store;
use super::dialect::rows;
use super::error::Result;
use super::instants::{instant, micros};
use super::listing::json;
use super::sql::query;
use super::tx::{On, Tx};
use crate::domain::environment::{Environment, LastEnvironment};
use crate::domain::ids::CustomerId;

const KEEP: &str = concat!(
    "INSERT INTO environments (bucket, customer_id, at, ip, browser, os, device) \
     SELECT c.bucket, c.customer_id, j.at, j.ip, j.browser, j.os, j.device FROM ",
    rows!(id BIGINT 0, at BIGINT 1, ip TEXT 2, browser TEXT 3, os TEXT 4, device TEXT 5),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id) DO UPDATE SET at = excluded.at, ip = excluded.ip, \
     browser = excluded.browser, os = excluded.os, device = excluded.device \
     WHERE excluded.at > environments.at"
);
const OF: &str = "SELECT at, ip, browser, os, device FROM environments \
     WHERE bucket = $1 AND customer_id = $2";

pub(super) const STATEMENTS: &[&str] = &[KEEP, OF];

impl Store {
    /// With what a customer was last seen, if anybody told.
    pub async fn environment_of(&self, customer: CustomerId) -> Result<Option<LastEnvironment>> {
        of(customer, self.read()).await
    }
}

async fn of<'c>(customer: CustomerId, on: impl Into<On<'c>>) -> Result<Option<LastEnvironment>> {
    let row = query(OF)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .fetch_optional(on)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let environment = Environment {
        ip: row.try_get(1)?,
        browser: row.try_get(2)?,
        os: row.try_get(3)?,
        device: row.try_get(4)?,
    };
    let at = instant(row.try_get(0)?)?;
    Ok(Some(LastEnvironment { environment, at }))
}

/// Keeps the latest of these and of what is there.
pub(super) async fn keep<'a>(
    tx: &mut Tx,
    seen: impl Iterator<Item = (CustomerId, Timestamp, &'a Environment)>,
) -> Result<()> {
    let mut latest: BTreeMap<CustomerId, (Timestamp, &Environment)> = BTreeMap::new();
    for (customer, at, environment) in seen {
        let of = latest.entry(customer).or_insert((at, environment));
        if at > of.0 {
            *of = (at, environment);
        }
    }
    if latest.is_empty() {
        return Ok(());
    }
    let row = |(id, (at, seen)): (&CustomerId, &(Timestamp, &Environment))| {
        let texts = [&seen.ip, &seen.browser, &seen.os, &seen.device];
        let [ip, browser, os, device] = texts.map(Clone::clone);
        (id.0, micros(*at), ip, browser, os, device)
    };
    let rows: Vec<_> = latest.iter().map(row).collect();
    query(KEEP).bind(json(&rows)).execute(tx).await?;
    Ok(())
}

/// The other one's environment counts for both, if it is the later one.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let seen = of(from, &mut *tx).await?;
    let seen = seen.iter();
    keep(tx, seen.map(|last| (into, last.at, &last.environment))).await
}
