//! Owns customers whom somebody connects to a flow: they enter as if they had come to qualify for it.

use super::among::Among;
use super::dialect::{ids, listed};
use super::enrollments::{self, Entering, Whom};
use super::error::Result;
use super::listing::{json, listed};
use super::sql::query;
use super::tx::Tx;
use crate::domain::customer::Status;
use crate::domain::ids::CustomerId;

const WHY: &str = concat!(
    listed!(
        "c.customer_id, c.status, CASE WHEN EXISTS (SELECT 1 FROM memberships AS m \
         WHERE m.bucket = c.bucket AND m.segment = $3 AND m.customer_id = c.customer_id) THEN 1 ELSE 0 END, \
         CASE WHEN EXISTS (SELECT 1 FROM enrollments AS e WHERE e.bucket = c.bucket \
         AND e.customer_id = c.customer_id AND e.flow = $2 AND e.status < 10) THEN 1 ELSE 0 END"
    ),
    ids!(),
    " AS k CROSS JOIN customers AS c WHERE c.bucket = k.bucket AND c.customer_id = k.id"
);

pub(super) const STATEMENTS: &[&str] = &[WHY];

/// Who entered, and why the others may not.
#[derive(Debug, Default)]
pub(super) struct Connected {
    pub(super) entered: Vec<CustomerId>,
    pub(super) refused: Vec<(CustomerId, &'static str)>,
}

/// Has these customers enter, if they may; `whom` says whether they have to be in the segment.
pub(super) async fn connect(
    tx: &mut Tx,
    entering: &Entering<'_>,
    whom: Whom,
    customers: &[CustomerId],
) -> Result<Connected> {
    if customers.is_empty() {
        return Ok(Connected::default());
    }
    let among = Among::Customers(customers);
    let entered = enrollments::enter(tx, entering, &among, whom).await?;
    let others = customers.iter().filter(|id| !entered.contains(id));
    let others: Vec<i64> = others.map(|id| id.0).collect();
    if others.is_empty() {
        let refused = Vec::new();
        return Ok(Connected { entered, refused });
    }
    let asked = query(WHY)
        .bind(json(&others))
        .bind(entering.flow.0)
        .bind(entering.segment.0);
    let rows: Vec<(i64, i64, u8, u8)> = listed(asked, tx).await?;
    let why = |(id, status, is_member, is_inside): (i64, i64, u8, u8)| {
        let why = match Status::from_number(status) {
            Status::Suspended => "is suspended: reactivate them first",
            Status::Discarded => "is discarded: reactivate them first",
            Status::Active if is_inside == 1 => "is in the flow already",
            Status::Active if whom == Whom::NamedMembers && is_member == 0 => {
                "does not qualify, and this flow takes nobody else while it is paused, limits its \
                 entries, or lets go of those who leave its segment"
            }
            Status::Active => "was in the flow before, and may not enter it again, or not yet",
        };
        (CustomerId(id), why)
    };
    let refused = rows.into_iter().map(why).collect();
    Ok(Connected { entered, refused })
}
