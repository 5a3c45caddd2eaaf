//! Owns putting tags on customers and taking them off, many customers at once.

use jiff::Timestamp;

use super::changes::{self, saying};
use super::dialect::ids;
use super::dirty;
use super::error::Result;
use super::interactions;
use super::listing::json;
use super::sql::query_scalar;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::ids::{CustomerId, NameNo};
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::touched::Touched;

const PUT_ON: &str = concat!(
    "INSERT INTO customer_tags (bucket, customer_id, tag) SELECT k.bucket, k.id, $2 FROM ",
    ids!(),
    " AS k WHERE true ON CONFLICT (bucket, customer_id, tag) DO NOTHING RETURNING customer_id"
);
const TAKE_OFF: &str = concat!(
    "DELETE FROM customer_tags WHERE (bucket, customer_id, tag) IN \
     (SELECT k.bucket, k.id, CAST($2 AS INTEGER) FROM ",
    ids!(),
    " AS k) RETURNING customer_id"
);

pub(super) const STATEMENTS: &[&str] = &[PUT_ON, TAKE_OFF];

/// A tag that is put on customers, or taken off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tagging<'a> {
    pub(super) tag: NameNo,
    pub(super) name: &'a str,
    pub(super) is_put_on: bool,
}

/// Tags customers who are kept, or takes the tag off them; who had it otherwise before.
pub(super) async fn tag(
    tx: &mut Tx,
    customers: &[CustomerId],
    tagging: Tagging<'_>,
    (by, at): (&By, Timestamp),
) -> Result<Vec<CustomerId>> {
    let (statement, kind) = if tagging.is_put_on {
        (PUT_ON, Kind::Tagged)
    } else {
        (TAKE_OFF, Kind::Untagged)
    };
    let ids: Vec<i64> = customers.iter().map(|id| id.0).collect();
    let changed: Vec<i64> = query_scalar(statement)
        .bind(json(&ids))
        .bind(tagging.tag.0)
        .fetch_all(&mut *tx)
        .await?;
    let changed: Vec<CustomerId> = changed.into_iter().map(CustomerId).collect();
    let line = |id: &CustomerId| line(*id, (kind, tagging.name), (by, at));
    let lines: Vec<Interaction> = changed.iter().map(line).collect();
    interactions::insert(tx, &lines).await?;
    dirty::mark(tx, Touched::TAGS | Touched::kind(kind), &changed).await?;
    Ok(changed)
}

/// The line of a tag that was put on somebody, or taken off.
pub(super) fn line(
    customer: CustomerId,
    (kind, tag): (Kind, &str),
    (by, at): (&By, Timestamp),
) -> Interaction {
    saying(changes::line(customer, at, kind, by), "tag", tag)
}
