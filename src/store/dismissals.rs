//! Owns dismissals: "not interested" in one campaign, which ends a flow of that name at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::json;

use super::changes;
use super::db::Store;
use super::dialect::{ids, rows};
use super::error::Result;
use super::instants::instant;
use super::listing::json as text_of;
use super::sql::query;
use super::subscriptions::read_by;
use super::tx::{On, Tx};
use crate::domain::audit::{By, Source};
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::revision::NameKind;
use crate::domain::subscription::Dismissal;

const OF: &str = concat!(
    "SELECT d.customer_id, d.campaign, d.at, d.actor, d.source, d.note FROM ",
    ids!(),
    " AS k CROSS JOIN dismissals AS d WHERE d.bucket = k.bucket AND d.customer_id = k.id \
     ORDER BY d.customer_id, d.campaign"
);
const ADD: &str = "INSERT INTO dismissals (bucket, customer_id, campaign, at, actor, source, note) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bucket, customer_id, campaign) DO NOTHING";
const REMOVE: &str =
    "DELETE FROM dismissals WHERE bucket = $1 AND customer_id = $2 AND campaign = $3";
const EXIT: &str = "UPDATE enrollments SET status = $5, exit_reason = $6, finished_at = $7, \
     due = NULL, parked = NULL, held = NULL WHERE bucket = $1 AND customer_id = $2 \
     AND flow = (SELECT number FROM names WHERE kind = $3 AND name = $4) AND status < 10";

/// Of several the earliest counts.
const ADD_EACH: &str = concat!(
    "INSERT INTO dismissals (bucket, customer_id, campaign, at, actor, source, note) \
     SELECT c.bucket, c.customer_id, j.campaign, j.at, j.actor, CAST($2 AS TEXT), NULL FROM ",
    rows!(id BIGINT 0, campaign TEXT 1, at BIGINT 2, actor TEXT 3),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id, campaign) DO UPDATE SET at = excluded.at \
     WHERE excluded.at < dismissals.at"
);
const EXIT_EACH: &str = concat!(
    "UPDATE enrollments SET status = $2, exit_reason = $3, finished_at = $4, due = NULL, \
     parked = NULL, held = NULL WHERE (bucket, enrollment_id) IN (SELECT e.bucket, e.enrollment_id FROM ",
    rows!(id BIGINT 0, campaign TEXT 1),
    " AS j CROSS JOIN enrollments AS e CROSS JOIN names AS f WHERE e.bucket = j.id >> 48 \
     AND e.customer_id = j.id AND f.number = e.flow AND f.name = j.campaign AND e.status < 10)"
);
const REVISE_EACH: &str = concat!(
    "UPDATE customers SET consent_rev = consent_rev + 1, updated_at = $2 \
     WHERE (bucket, customer_id) IN (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k)"
);

pub(super) const STATEMENTS: &[&str] = &[OF, ADD, REMOVE, EXIT, ADD_EACH, EXIT_EACH, REVISE_EACH];

impl Store {
    /// Dismisses a campaign and leaves the flow of that name; false, and nothing written, on a repeat.
    pub async fn dismiss(
        &self,
        customer: CustomerId,
        campaign: &str,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.write_about(&[customer]).await?;
        let (bucket, number) = (i64::from(customer.bucket().0), customer.0);
        let added = query(ADD)
            .bind(bucket)
            .bind(number)
            .bind(campaign)
            .bind(at.as_microsecond())
            .bind(by.actor.as_str())
            .bind(by.source.as_str())
            .bind(&by.note)
            .execute(&mut tx)
            .await?;
        if added == 0 {
            return Ok(false);
        }
        query(EXIT)
            .bind(bucket)
            .bind(number)
            .bind(NameKind::Flow.number())
            .bind(campaign)
            .bind(EnrollmentStatus::Exited.number())
            .bind(ExitReason::Dismissed.number())
            .bind(at.as_microsecond())
            .execute(&mut tx)
            .await?;
        changes::finish(&mut tx, line(customer, campaign, Kind::Dismissal, by, at)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a dismissal back; the customer may qualify again. False when there was none.
    pub async fn withdraw_dismissal(
        &self,
        customer: CustomerId,
        campaign: &str,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.write_about(&[customer]).await?;
        let removed = query(REMOVE)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .bind(campaign)
            .execute(&mut tx)
            .await?;
        if removed == 0 {
            changes::require(&mut tx, customer).await?;
            return Ok(false);
        }
        let line = line(customer, campaign, Kind::DismissalWithdrawn, by, at);
        changes::finish(&mut tx, line).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The dismissals of the customers; customers without one are absent.
    pub async fn dismissals_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Vec<Dismissal>>> {
        of(customers, self.read()).await
    }
}

/// Dismisses what the lines tell of, in a transaction that keeps their customers: whoever had dismissed it
/// before has. The lines themselves are written elsewhere.
pub(super) async fn add_each(
    tx: &mut Tx,
    lines: &[&Interaction],
    source: Source,
    now: Timestamp,
) -> Result<()> {
    let mut earliest: BTreeMap<(i64, &str), (i64, &str)> = BTreeMap::new();
    for line in lines {
        let Some(campaign) = &line.campaign else {
            continue;
        };
        let (at, actor) = (line.at.as_microsecond(), line.actor.as_deref());
        let told = (at, actor.unwrap_or_default());
        let of = earliest.entry((line.customer.0, campaign)).or_insert(told);
        *of = told.min(*of);
    }
    if earliest.is_empty() {
        return Ok(());
    }
    let rows = earliest.iter();
    let rows: Vec<_> = rows
        .map(|((id, campaign), (at, actor))| (*id, *campaign, *at, *actor))
        .collect();
    let adding = query(ADD_EACH).bind(text_of(&rows)).bind(source.as_str());
    adding.execute(&mut *tx).await?;
    let left: Vec<_> = rows.iter().map(|row| (row.0, row.1)).collect();
    query(EXIT_EACH)
        .bind(text_of(&left))
        .bind(EnrollmentStatus::Exited.number())
        .bind(ExitReason::Dismissed.number())
        .bind(now.as_microsecond())
        .execute(&mut *tx)
        .await?;
    let of: BTreeSet<i64> = rows.iter().map(|row| row.0).collect();
    let revising = query(REVISE_EACH).bind(text_of(&of));
    revising.bind(now.as_microsecond()).execute(tx).await?;
    Ok(())
}

pub(super) async fn of<'c>(
    customers: &[CustomerId],
    on: impl Into<On<'c>>,
) -> Result<HashMap<CustomerId, Vec<Dismissal>>> {
    let numbers: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let rows = query(OF)
        .bind(json!(numbers).to_string())
        .fetch_all(on)
        .await?;
    let mut of: HashMap<CustomerId, Vec<Dismissal>> = HashMap::new();
    for row in &rows {
        of.entry(CustomerId(row.try_get(0)?))
            .or_default()
            .push(Dismissal {
                campaign: row.try_get(1)?,
                by: read_by(row, 3)?,
                at: instant(row.try_get(2)?)?,
            });
    }
    Ok(of)
}

fn line(customer: CustomerId, campaign: &str, kind: Kind, by: &By, at: Timestamp) -> Interaction {
    Interaction {
        campaign: Some(campaign.to_owned()),
        ..changes::line(customer, at, kind, by)
    }
}
