//! Owns making an anonymous customer part of an identified one: what was known of both is known of one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit;
use super::bars::{self, Barred};
use super::changes;
use super::customer_sheet::{NewCustomer, Sheet};
use super::customer_upsert::{self, Upsert};
use super::customers;
use super::db::Store;
use super::devices;
use super::dialect::{listed, rows};
use super::dirty;
use super::endings;
use super::environments;
use super::erasure;
use super::error::{Error, Result};
use super::instants::instant;
use super::interactions;
use super::listing::{json as text_of, listed};
use super::lists;
use super::notes;
use super::noting;
use super::nps;
use super::occurrences;
use super::returning;
use super::sql::query;
use super::tasks;
use super::tombstones;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::field::DataModel;
use crate::domain::ids::{Bucket, CustomerId};
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::touched::Touched;

const LINES: &str = concat!(
    listed!("i.at, i.kind, i.channel, i.campaign, i.flow, i.step, i.actor, i.detail"),
    "(SELECT at, kind, channel, campaign, flow, step, actor, detail FROM interactions \
     WHERE bucket = $1 AND customer_id = $2 ORDER BY at, seq) AS i"
);
const RUNS: &str = concat!(
    listed!("n.started_at, n.finished_at, n.status, f.name"),
    "enrollments AS n CROSS JOIN names AS f \
     WHERE n.bucket = $1 AND n.customer_id = $2 AND f.number = n.flow"
);
const ACTIVITY: &str = concat!(
    listed!("y.last_activity_at, y.last_engagement_at, y.last_transaction_at"),
    "activity AS y WHERE y.bucket = $1 AND y.customer_id = $2"
);
const MEMBERSHIPS: &str = concat!(
    listed!("m.joined_at, CAST(NULL AS BIGINT), s.name"),
    "memberships AS m CROSS JOIN names AS s \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND s.number = m.segment"
);
const PAST_MEMBERSHIPS: &str = concat!(
    listed!("m.joined_at, m.left_at, s.name"),
    "past_memberships AS m CROSS JOIN names AS s \
     WHERE m.bucket = $1 AND m.customer_id = $2 AND s.number = m.segment"
);
const MERGED: &str = concat!(
    listed!("m.external_id"),
    "merged AS m WHERE m.bucket = $1 AND m.customer_id = $2"
);
const ALIAS: &str = concat!(
    "INSERT INTO aliases (bucket, external_id, leads_to) SELECT j.bucket, j.external_id, j.leads_to \
     FROM ",
    rows!(bucket BIGINT 0, external_id TEXT 1, leads_to BIGINT 2),
    " AS j WHERE true ON CONFLICT (bucket, external_id) DO UPDATE SET leads_to = excluded.leads_to"
);
const MERGE: &str = concat!(
    "INSERT INTO merged (bucket, customer_id, external_id, at) \
     SELECT j.id >> 48, j.id, j.external_id, j.at FROM ",
    rows!(id BIGINT 0, external_id TEXT 1, at BIGINT 2),
    " AS j WHERE true ON CONFLICT (bucket, customer_id, external_id) DO NOTHING"
);
const ANONYMOUS: &str =
    "UPDATE customers SET identified = 0 WHERE bucket = $1 AND external_id = $2";

pub(super) const STATEMENTS: &[&str] = &[
    LINES,
    RUNS,
    ACTIVITY,
    MEMBERSHIPS,
    PAST_MEMBERSHIPS,
    MERGED,
    ALIAS,
    MERGE,
    ANONYMOUS,
];

/// Who becomes part of whom.
#[derive(Debug, Clone, Copy)]
pub struct Merge<'a> {
    /// Anonymous; gone afterwards.
    pub from: CustomerId,
    /// Identified.
    pub into: CustomerId,
    pub model: &'a DataModel,
    pub by: &'a By,
    pub at: Timestamp,
}

/// A line as it is listed.
type Line = (
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Store {
    /// Adds a customer of whom nobody knows yet who they are; false when there is one with this id.
    pub async fn add_anonymous(&self, customer: &NewCustomer, how: &Upsert<'_>) -> Result<bool> {
        let sheet = Sheet::of(std::slice::from_ref(customer), how.model)?;
        let bucket = Bucket::of(&customer.external_id);
        let mut tx = self.write_alone([bucket]).await?;
        let unknown = returning::Known::default();
        let rows = sheet.rows();
        let (upserted, _) = customer_upsert::apply(&mut tx, &sheet, rows, how, unknown).await?;
        if upserted.created == 0 {
            return Ok(false);
        }
        let marked = query(ANONYMOUS).bind(i64::from(bucket.0));
        marked.bind(&customer.external_id).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Makes an anonymous customer part of an identified one, in one transaction. Fields fill gaps, tags,
    /// notes, devices, tasks and lists are joined, the history is one, of what bars either the stricter counts; the runs of
    /// the anonymous one end. Their id leads to the other from then on.
    ///
    /// # Errors
    /// [`Error::NotFound`] for customers who are not there, [`Error::Refused`] when the first is not
    /// anonymous or the second is.
    pub async fn merge_customers(&self, merge: &Merge<'_>) -> Result<()> {
        let both = [merge.from, merge.into];
        let mut tx = self.write_about(&both).await?;
        let from = admitted(&mut tx, merge).await?;
        let filled = fill(&mut tx, merge).await?;
        join_bars(&mut tx, &from, merge).await?;
        join_history(&mut tx, merge).await?;
        notes::carry(&mut tx, merge.from, merge.into).await?;
        devices::carry(&mut tx, merge.from, merge.into, merge.by, merge.at).await?;
        tasks::carry(&mut tx, merge.from, merge.into).await?;
        lists::carry(&mut tx, merge.from, merge.into).await?;
        occurrences::carry(&mut tx, merge.from, merge.into).await?;
        nps::carry(&mut tx, merge.from, merge.into).await?;
        environments::carry(&mut tx, merge.from, merge.into).await?;
        noting::carry(&mut tx, merge.from, merge.into).await?;
        lead(&mut tx, &from, merge).await?;
        endings::end(
            &mut tx,
            &[merge.from],
            ExitReason::CustomerDeleted,
            merge.at,
        )
        .await?;
        erasure::remove_rows(&mut tx, &[merge.from]).await?;
        let mut line = changes::line(merge.into, merge.at, Kind::Merged, merge.by);
        if let Some(detail) = &mut line.detail {
            detail["from"] = json!(from.external_id);
            detail["fields"] = json!(filled);
        }
        interactions::insert(&mut tx, &[line]).await?;
        dirty::mark(&mut tx, Touched::EVERYTHING, &[merge.into]).await?;
        let detail = format!("number {} into number {}", merge.from, merge.into);
        audit::add(
            &mut tx,
            merge.by,
            "customers merged",
            Some(&detail),
            merge.at,
        )
        .await?;
        tx.commit().await
    }
}

/// The anonymous one, if both may be merged.
async fn admitted(tx: &mut Tx, merge: &Merge<'_>) -> Result<Barred> {
    let mut both = bars::of(tx, &[merge.from, merge.into]).await?;
    let mut take = |id: CustomerId| {
        let place = both.iter().position(|one| one.id == id);
        let place = place.ok_or_else(|| changes::unknown(id))?;
        Ok::<Barred, Error>(both.swap_remove(place))
    };
    let (from, into) = (take(merge.from)?, take(merge.into)?);
    if from.is_identified {
        return Err(Error::Refused(format!(
            "`{}` is not anonymous: only a visitor of whom nobody knew who they are becomes part of \
             a customer",
            from.external_id
        )));
    }
    if !into.is_identified {
        return Err(Error::Refused(format!(
            "`{}` is anonymous: name the customer whom the visitor turned out to be",
            into.external_id
        )));
    }
    Ok(from)
}

/// Fills the fields that the identified one lacks, and adds tags; the fields' names. An address that comes
/// so may be that of somebody who was deleted.
async fn fill(tx: &mut Tx, merge: &Merge<'_>) -> Result<Vec<String>> {
    let both = customers::whole(&[merge.from, merge.into], merge.model, &mut *tx).await?;
    let [from, into]: [Customer; 2] = both.try_into().map_err(|_| changes::unknown(merge.into))?;
    let missing = from.fields.into_iter();
    let missing = missing.filter(|(name, _)| !into.fields.contains_key(name));
    let fields: Vec<_> = missing.map(|(name, value)| (name, Some(value))).collect();
    let names = fields.iter().map(|(name, _)| name.clone()).collect();
    if fields.is_empty() && from.tags.is_empty() {
        return Ok(names);
    }
    let how = Upsert {
        model: merge.model,
        tags: &from.tags,
        consents: &[],
        by: merge.by,
        at: merge.at,
    };
    let row = NewCustomer {
        external_id: into.external_id,
        fields,
    };
    let sheet = Sheet::of(&[row], merge.model)?;
    let unknown = returning::Known::default();
    customer_upsert::apply(tx, &sheet, sheet.rows(), &how, unknown).await?;
    Ok(names)
}

async fn join_bars(tx: &mut Tx, from: &Barred, merge: &Merge<'_>) -> Result<()> {
    let into = bars::of(tx, &[merge.into]).await?;
    let joined = into.into_iter().map(|into| {
        let bars = into.bars.clone().united(&from.bars);
        (into, bars)
    });
    let joined: Vec<_> = joined.filter(|(into, bars)| into.bars != *bars).collect();
    bars::raise(tx, &joined, merge.by, merge.at).await?;
    let mut returned = tombstones::returned(tx, &[merge.from]).await?;
    let Some(tombstones) = returned.remove(&merge.from) else {
        return Ok(());
    };
    tombstones::note_returned(tx, &[(merge.into, tombstones)].into()).await
}

/// Lines stay lines. A run has no step to go on to with somebody else, so of it the lines are kept.
async fn join_history(tx: &mut Tx, merge: &Merge<'_>) -> Result<()> {
    let (bucket, number) = (i64::from(merge.from.bucket().0), merge.from.0);
    let asked = |statement| query(statement).bind(bucket).bind(number);
    let lines: Vec<Line> = listed(asked(LINES), &mut *tx).await?;
    let lines = lines.into_iter().map(|line| of_line(merge.into, line));
    let mut lines: Vec<Interaction> = lines.collect::<Result<_>>()?;
    let runs: Vec<(i64, Option<i64>, i64, String)> = listed(asked(RUNS), &mut *tx).await?;
    for (started, finished, status, flow) in runs {
        if status == EnrollmentStatus::Pending.number() {
            continue;
        }
        let ending = match EnrollmentStatus::from_number(status) {
            Some(EnrollmentStatus::Completed) => Kind::CompletedFlow,
            _ => Kind::ExitedFlow,
        };
        let finished = finished.unwrap_or(merge.at.as_microsecond());
        for (at, kind) in [(started, Kind::EnteredFlow), (finished, ending)] {
            lines.push(Interaction {
                flow: Some(flow.clone()),
                detail: Some(json!({ "as": "anonymous" })),
                ..Interaction::new(merge.into, instant(at)?, kind)
            });
        }
    }
    let mut segments: Vec<(i64, Option<i64>, String)> =
        listed(asked(MEMBERSHIPS), &mut *tx).await?;
    segments.extend(listed::<(i64, Option<i64>, String)>(asked(PAST_MEMBERSHIPS), &mut *tx).await?);
    for (joined, left, segment) in segments {
        let left = left.unwrap_or(merge.at.as_microsecond());
        for (at, kind) in [(joined, Kind::EnteredSegment), (left, Kind::LeftSegment)] {
            lines.push(Interaction {
                detail: Some(json!({ "segment": segment, "as": "anonymous" })),
                ..Interaction::new(merge.into, instant(at)?, kind)
            });
        }
    }
    interactions::insert_told(tx, &lines).await?;
    let activity: Vec<(Option<i64>, Option<i64>, Option<i64>)> =
        listed(asked(ACTIVITY), &mut *tx).await?;
    let activity = activity.into_iter();
    let activity: Vec<interactions::ActivityRow> = activity
        .map(|(last, engaged, dealt)| (merge.into.0, last, engaged, dealt))
        .collect();
    interactions::move_activity(tx, &activity).await
}

fn of_line(customer: CustomerId, line: Line) -> Result<Interaction> {
    let (at, kind, channel, campaign, flow, step, actor, detail) = line;
    let number = kind;
    let kind = Kind::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown kind {number}")))?;
    let detail: Option<Value> = detail
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Error::Corrupt(format!("the detail of a line: {error}")))?;
    Ok(Interaction {
        channel: channel.and_then(Channel::from_number),
        campaign,
        flow,
        step,
        actor,
        detail,
        ..Interaction::new(customer, instant(at)?, kind)
    })
}

/// Has the id of the anonymous one, and those that led there, lead to the other.
async fn lead(tx: &mut Tx, from: &Barred, merge: &Merge<'_>) -> Result<()> {
    let earlier = query(MERGED).bind(i64::from(merge.from.bucket().0));
    let earlier: Vec<(String,)> = listed(earlier.bind(merge.from.0), &mut *tx).await?;
    let mut ids: Vec<String> = earlier.into_iter().map(|(id,)| id).collect();
    ids.push(from.external_id.clone());
    let aliases = ids.iter().map(|id| (Bucket::of(id).0, id, merge.into.0));
    let aliases: Vec<(u16, &String, i64)> = aliases.collect();
    query(ALIAS)
        .bind(text_of(&aliases))
        .execute(&mut *tx)
        .await?;
    let at = merge.at.as_microsecond();
    let merged: Vec<(i64, &String, i64)> = ids.iter().map(|id| (merge.into.0, id, at)).collect();
    query(MERGE).bind(text_of(&merged)).execute(tx).await?;
    Ok(())
}
