//! Owns enrollments as they begin and end: entries for members, promotions, exits.

use jiff::Timestamp;

use crate::domain::channel::Lane;
use crate::domain::dispatch::Reason;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::ids::{CustomerId, NameNo, RevisionNo};
use crate::domain::touched::Touched;

use super::among::{Among, numbers};
use super::closing::close_deferred;
use super::dialect::ids;
use super::dirty;
use super::error::Result;
use super::instants::micros;
use super::sequences;
use super::sql::{Query, query, query_scalar};
use super::tx::Tx;

/// Whether a member who was enrolled before may enter again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRule {
    Once,
    /// Having left the segment and joined it again since the last entry.
    Requalification,
    /// If the last entry was before this.
    LastEntryBefore(Timestamp),
}

/// From when the first delay counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryAnchor {
    At(Timestamp),
    /// Each member's own joining; timed when first looked at.
    Joining,
}

/// The first step's due time for an anchor and a customer's zone.
pub type DueInZone<'a> = dyn Fn(Timestamp, Option<&str>) -> Timestamp + Send + Sync + 'a;

/// What the first step's due time depends on beside the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimedBy {
    Nothing,
    Zone,
    /// Only the customer's own facts tell: it is timed when it is first looked at.
    Customer,
}

/// A flow whose members enter.
#[derive(Clone, Copy)]
pub struct Entering<'a> {
    pub flow: NameNo,
    pub segment: NameNo,
    pub first_step: NameNo,
    pub first_lane: Lane,
    pub rule: EntryRule,
    pub anchor: EntryAnchor,
    /// Members who joined later than this; none: all.
    pub joined_after: Option<Timestamp>,
    /// They wait to be let in: an entry limit, or a pause.
    pub pending: bool,
    pub revision: RevisionNo,
    /// The customers' column that names their zone.
    pub zone_field: &'a str,
    pub due: &'a DueInZone<'a>,
    pub timed_by: TimedBy,
    /// Whether a segment asks who is in a flow: those who enter are looked at again.
    pub marks: bool,
    pub now: Timestamp,
}

/// Who of those asked about may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Those who are in the segment, by when they joined it.
    Members,
    /// Those who are named, as if they joined it now.
    Named,
    /// The same, if they are in the segment.
    NamedMembers,
}

const EXIT: &str = concat!(
    "UPDATE enrollments SET status = $3, exit_reason = $4, finished_at = $5, due = $5, \
     lane = 9, parked = NULL, held = NULL WHERE flow = $2 AND status < 10 AND (bucket, customer_id) IN \
     (SELECT k.bucket, k.id FROM ",
    ids!(),
    " AS k) RETURNING enrollment_id"
);
pub(super) const STATEMENTS: &[&str] = &[EXIT];

/// Enrolls the members among these customers who may enter. How many did.
pub(super) async fn enroll(tx: &mut Tx, entering: &Entering<'_>, among: &Among<'_>) -> Result<u64> {
    if entering.marks {
        let entered = enter(tx, entering, among, Whom::Members).await?;
        return Ok(entered.len() as u64);
    }
    let insert = insertion(tx, entering, among, Whom::Members).await?;
    insert.execute(tx).await
}

/// Enrolls those of these customers who may enter, and says who they are.
pub(super) async fn enter(
    tx: &mut Tx,
    entering: &Entering<'_>,
    among: &Among<'_>,
    whom: Whom,
) -> Result<Vec<CustomerId>> {
    let insert = insertion(tx, entering, among, whom).await?;
    let rows = insert.fetch_all(&mut *tx).await?;
    let entered: Vec<CustomerId> = rows
        .iter()
        .map(|row| row.take().map(CustomerId))
        .collect::<Result<_>>()?;
    if entering.marks {
        dirty::mark(tx, Touched::IN_FLOW, &entered).await?;
    }
    Ok(entered)
}

async fn insertion(
    tx: &mut Tx,
    entering: &Entering<'_>,
    among: &Among<'_>,
    whom: Whom,
) -> Result<Query<'static>> {
    let dues = dues(tx, entering, among, whom).await?;
    let most = most(tx, among).await?;
    let base = sequences::take(tx, "enrollment", most).await?;
    let status = if entering.pending {
        EnrollmentStatus::Pending
    } else {
        EnrollmentStatus::Waiting
    };
    let query = query(enroll_sql(entering, among, whom, &dues))
        .bind(among.bind())
        .bind(entering.flow.0)
        .bind(entering.segment.0)
        .bind(entering.joined_after.map_or(i64::MIN, micros))
        .bind(rule_bound(entering))
        .bind(base)
        .bind(status.number())
        .bind(entering.first_step.0)
        .bind(entering.first_lane.number())
        .bind(anchor_of(entering).map(micros))
        .bind(micros(entering.now))
        .bind(entering.revision.0)
        .bind(dues.elsewhere);
    let zones = dues.zones.into_iter();
    Ok(zones.fold(query, |query, (zone, due)| query.bind(zone).bind(due)))
}

/// More numbers than enrollments can come of it: of whole buckets as many as customers have, and those
/// who are being made meanwhile.
async fn most(tx: &mut Tx, among: &Among<'_>) -> Result<usize> {
    const BEING_MADE: usize = 1 << 20;
    match among {
        Among::Customers(customers) => Ok(customers.len()),
        Among::Buckets(_) => {
            let customers = sequences::next(tx, "customer").await?;
            Ok(usize::try_from(customers).unwrap_or_default() + BEING_MADE)
        }
    }
}

/// Where the numbers of new enrollments come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// Each row's place among those who enter.
    ByRow,
    /// Each customer's own number, moved on: the whole buckets' first entries need not be counted.
    ByCustomer,
}

fn numbering(entering: &Entering<'_>, among: &Among<'_>) -> Numbering {
    match (entering.rule, among) {
        (EntryRule::Once, Among::Buckets(_)) => Numbering::ByCustomer,
        _ => Numbering::ByRow,
    }
}

fn anchor_of(entering: &Entering<'_>) -> Option<Timestamp> {
    match entering.anchor {
        EntryAnchor::At(at) => Some(at),
        EntryAnchor::Joining => None,
    }
}

/// When those who enter now are due.
#[derive(Default)]
struct Dues {
    /// The zones of customers in which it is another instant.
    zones: Vec<(String, i64)>,
    elsewhere: i64,
}

async fn dues(tx: &mut Tx, entering: &Entering<'_>, among: &Among<'_>, whom: Whom) -> Result<Dues> {
    let Some(anchor) = anchor_of(entering) else {
        return Ok(Dues::default());
    };
    let due = |zone: Option<&str>| micros((entering.due)(anchor, zone));
    let elsewhere = due(None);
    let mut zones = Vec::new();
    if entering.timed_by == TimedBy::Zone {
        zones = zones_of_entering(tx, entering, among, whom).await?;
    }
    let zones = zones.into_iter().map(|zone| {
        let due = due(Some(&zone));
        (zone, due)
    });
    Ok(Dues {
        zones: zones.filter(|(_, due)| *due != elsewhere).collect(),
        elsewhere,
    })
}

fn rule_bound(entering: &Entering<'_>) -> i64 {
    match entering.rule {
        EntryRule::Once | EntryRule::Requalification => 0,
        EntryRule::LastEntryBefore(at) => micros(at),
    }
}

/// `$1` the customers, `$2` flow, `$3` segment, `$4` joined after, `$5` the entry rule's bound.
fn entering_sql(entering: &Entering<'_>, among: &Among<'_>, whom: Whom) -> String {
    let bars = match entering.rule {
        EntryRule::Once => "$5 = 0",
        EntryRule::Requalification => "($5 = 0 AND (e.status < 10 OR e.started_at >= m.joined_at))",
        EntryRule::LastEntryBefore(_) => "(e.status < 10 OR e.started_at >= $5)",
    };
    format!(
        "{members} AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = m.bucket \
         AND e.customer_id = m.customer_id AND e.flow = $2 AND {bars})",
        members = members_sql(among, whom),
    )
}

fn members_sql(among: &Among<'_>, whom: Whom) -> String {
    // Whoever is named joins as late as can be: what they did before is before that.
    const NAMED: &str = "(SELECT k.bucket, k.id AS customer_id, CAST($3 AS BIGINT) AS segment, \
         CAST(9223372036854775807 AS BIGINT) AS joined_at FROM @ids AS k) AS m";
    const QUALIFIED: &str = " AND EXISTS (SELECT 1 FROM memberships AS q WHERE q.bucket = m.bucket \
         AND q.segment = $3 AND q.customer_id = m.customer_id)";
    let (from, within, qualified) = match whom {
        Whom::Members => (among.from("memberships", "m"), among.within("m"), ""),
        Whom::Named => (NAMED.to_owned(), "1 = 1".to_owned(), ""),
        Whom::NamedMembers => (NAMED.to_owned(), "1 = 1".to_owned(), QUALIFIED),
    };
    format!(
        "FROM {from} JOIN customers c ON c.bucket = m.bucket AND c.customer_id = m.customer_id \
         WHERE {within} AND m.segment = $3 AND m.joined_at > $4 AND c.status = 0{qualified}"
    )
}

/// The zones of those who will enter.
async fn zones_of_entering(
    tx: &mut Tx,
    entering: &Entering<'_>,
    among: &Among<'_>,
    whom: Whom,
) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT DISTINCT c.f_{zone} {entering} AND c.f_{zone} IS NOT NULL",
        zone = entering.zone_field,
        entering = entering_sql(entering, among, whom),
    );
    query_scalar(sql)
        .bind(among.bind())
        .bind(entering.flow.0)
        .bind(entering.segment.0)
        .bind(entering.joined_after.map_or(i64::MIN, micros))
        .bind(rule_bound(entering))
        .fetch_all(&mut *tx)
        .await
}

/// `$13` is when they are due; from `$14` on a zone and its due time in turn.
fn enroll_sql(entering: &Entering<'_>, among: &Among<'_>, whom: Whom, dues: &Dues) -> String {
    let entry = match entering.rule {
        EntryRule::Once => "1",
        _ => {
            "coalesce((SELECT max(p.entry) FROM enrollments p WHERE p.bucket = m.bucket \
             AND p.customer_id = m.customer_id AND p.flow = $2), 0) + 1"
        }
    };
    let by_zone = by_zone(entering.zone_field, dues.zones.len());
    // Anchored at one instant: due by zone. Anchored at each joining: due at once, and timed then.
    let (due, anchor, revision) = match entering.anchor {
        EntryAnchor::At(_) if entering.timed_by == TimedBy::Customer => ("$10", "$10", "0"),
        EntryAnchor::At(_) => (by_zone.as_str(), "$10", "$12"),
        EntryAnchor::Joining => ("m.joined_at", "coalesce($10, m.joined_at)", "0"),
    };
    let due_or_none = if entering.pending { "NULL" } else { due };
    let (number, from) = match numbering(entering, among) {
        Numbering::ByRow => (
            "(CAST(m.bucket AS BIGINT) << 48) | ($6 + row_number() OVER () - 1)",
            entering_sql(entering, among, whom),
        ),
        // Who entered before has a first entry.
        Numbering::ByCustomer => (
            "m.customer_id + $6",
            members_sql(among, whom) + " ON CONFLICT (bucket, customer_id, flow, entry) DO NOTHING",
        ),
    };
    let answer = if entering.marks || whom != Whom::Members {
        " RETURNING customer_id"
    } else {
        ""
    };
    format!(
        "INSERT INTO enrollments (bucket, enrollment_id, customer_id, flow, entry, status, step, \
         lane, due, anchor, planned, started_at, started_revision, timed_revision) \
         SELECT m.bucket, {number}, m.customer_id, $2, {entry}, $7, $8, $9, {due_or_none}, \
         {anchor}, {due}, $11, $12, {revision} {from}{answer}"
    )
}

fn by_zone(field: &str, zones: usize) -> String {
    if zones == 0 {
        return "$13".to_owned();
    }
    let when = |zone| format!(" WHEN ${} THEN ${}", 14 + 2 * zone, 15 + 2 * zone);
    let cases: String = (0..zones).map(when).collect();
    format!("CASE c.f_{field}{cases} ELSE $13 END")
}

/// Ends the live enrollments of these customers in a flow. They are due at once in the lane of those
/// who may enter again, where it is decided when, if ever. With `marks`, they are looked at again.
pub(super) async fn exit(
    tx: &mut Tx,
    flow: NameNo,
    customers: &[CustomerId],
    why: (ExitReason, Reason),
    (at, marks): (Timestamp, bool),
) -> Result<u64> {
    if customers.is_empty() {
        return Ok(0);
    }
    let ended: Vec<i64> = query_scalar(EXIT)
        .bind(numbers(customers))
        .bind(flow.0)
        .bind(EnrollmentStatus::Exited.number())
        .bind(why.0.number())
        .bind(micros(at))
        .fetch_all(&mut *tx)
        .await?;
    close_deferred(tx, &ended, why.1, at).await?;
    if marks && !ended.is_empty() {
        dirty::mark(tx, Touched::IN_FLOW, customers).await?;
    }
    Ok(ended.len() as u64)
}
