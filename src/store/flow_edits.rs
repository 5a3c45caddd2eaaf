//! Owns what a new revision does to the steps of flows that people are in: where the people of a
//! removed step go, since which revision a flow's steps are timed as they are, and since when its goal is.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Time;
use serde_json::json;

use super::dialect::rows;
use super::error::{Error, Result};
use super::instants::micros;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::enrollment;
use crate::domain::flow::Flow;
use crate::domain::ids::{NameNo, RevisionNo};
use crate::domain::revision::{NameKind, Numbers, Revision};
use crate::domain::timing::When;

const KNOWN: &str = "SELECT flow FROM flow_states";
const OLDER: &str = "SELECT revision, body FROM revisions WHERE revision < $1 \
     ORDER BY revision DESC LIMIT 1";
const FORWARD: &str = concat!(
    "UPDATE removed_steps SET successor = j.successor FROM ",
    rows!(step BIGINT 0, flow BIGINT 1, successor BIGINT 2),
    " AS j WHERE removed_steps.successor = j.step"
);
const REMOVED: &str = concat!(
    "INSERT INTO removed_steps (step, flow, successor) SELECT j.step, j.flow, j.successor FROM ",
    rows!(step BIGINT 0, flow BIGINT 1, successor BIGINT 2),
    " AS j WHERE true ON CONFLICT (step) DO UPDATE SET successor = excluded.successor"
);
const RETURNED: &str = concat!(
    "DELETE FROM removed_steps WHERE step IN (SELECT j.step FROM ",
    rows!(step BIGINT 0),
    " AS j)"
);
const TIMED: &str = concat!(
    "INSERT INTO flow_states (flow, timing_revision) SELECT j.flow, $2 FROM ",
    rows!(flow BIGINT 0),
    " AS j WHERE true ON CONFLICT (flow) DO UPDATE SET timing_revision = excluded.timing_revision"
);

const AIMED: &str = concat!(
    "INSERT INTO flow_states (flow, goal_set_at) SELECT j.flow, $2 FROM ",
    rows!(flow BIGINT 0),
    " AS j WHERE true ON CONFLICT (flow) DO UPDATE SET goal_set_at = excluded.goal_set_at"
);

pub(super) const STATEMENTS: &[&str] = &[KNOWN, OLDER, FORWARD, REMOVED, RETURNED, TIMED, AIMED];

/// A step that is no more: its number, its flow's, and the step its people go on with.
pub(super) type Removed = (NameNo, NameNo, Option<NameNo>);

/// Writes what changes for the flows of `next`; older revisions are asked for flows that were away.
pub(super) async fn apply(
    tx: &mut Tx,
    (no, at): (RevisionNo, Timestamp),
    next: &Revision,
    numbers: &Numbers,
) -> Result<()> {
    let before = before(tx, no, next, numbers).await?;
    let (mut removed, mut present) = (Vec::new(), Vec::new());
    let (mut retimed, mut aimed) = (Vec::new(), Vec::new());
    for flow in next.flows.values() {
        let was = before.iter().find(|older| older.id == flow.id);
        if let Some(was) = was {
            removed.extend(removals(was, flow, numbers));
        }
        if was.is_none_or(|was| timing(was) != timing(flow)) {
            retimed.extend(numbers.number(NameKind::Flow, &flow.id).map(|no| [no]));
        }
        if flow.goal.is_some() && was.is_none_or(|was| was.goal != flow.goal) {
            aimed.extend(numbers.number(NameKind::Flow, &flow.id).map(|no| [no]));
        }
        let steps = flow.steps.iter();
        present.extend(steps.filter_map(|s| numbers.step(&flow.id, &s.id).map(|no| [no])));
    }
    write(tx, FORWARD, &json!(removed)).await?;
    write(tx, REMOVED, &json!(removed)).await?;
    write(tx, RETURNED, &json!(present)).await?;
    query(TIMED)
        .bind(json!(retimed).to_string())
        .bind(no.0)
        .execute(&mut *tx)
        .await?;
    query(AIMED)
        .bind(json!(aimed).to_string())
        .bind(micros(at))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn write(tx: &mut Tx, sql: &'static str, rows: &serde_json::Value) -> Result<()> {
    query(sql).bind(rows.to_string()).execute(&mut *tx).await?;
    Ok(())
}

/// The last definition of each flow before this revision.
async fn before(
    tx: &mut Tx,
    no: RevisionNo,
    next: &Revision,
    numbers: &Numbers,
) -> Result<Vec<Flow>> {
    let known: HashSet<i64> = query_scalar(KNOWN)
        .fetch_all(&mut *tx)
        .await?
        .into_iter()
        .collect();
    let number = |id: &str| numbers.number(NameKind::Flow, id).map(i64::from);
    let mut sought: HashSet<&str> = next.flows.keys().map(String::as_str).collect();
    sought.retain(|id| number(id).is_some_and(|no| known.contains(&no)));
    let mut found = Vec::new();
    let mut below = i64::from(no);
    while !sought.is_empty() {
        let older = query(OLDER).bind(below).fetch_optional(&mut *tx).await?;
        let Some(row) = older else { break };
        let mut older = parse(row.text(1)?)?;
        let here: Vec<&str> = sought.iter().copied().collect();
        for id in here {
            if let Some(flow) = older.flows.remove(id) {
                sought.remove(id);
                found.push(flow);
            }
        }
        below = row.try_get(0)?;
    }
    Ok(found)
}

/// Reads the canonical JSON of a revision.
pub(super) fn parse(body: &str) -> Result<Revision> {
    serde_json::from_str(body)
        .map_err(|error| Error::Corrupt(format!("a revision cannot be read: {error}")))
}

fn timing(flow: &Flow) -> Vec<(&str, &When, Option<Time>)> {
    let steps = flow.steps.iter();
    steps
        .map(|step| (step.id.as_str(), &step.when, step.at))
        .collect()
}

pub(super) fn removals(was: &Flow, is: &Flow, numbers: &Numbers) -> Vec<Removed> {
    let number = |step: &str| numbers.step(&is.id, step);
    let Some(flow) = numbers.number(NameKind::Flow, &is.id) else {
        return Vec::new();
    };
    let gone = was.steps.iter().filter(|step| is.step(&step.id).is_none());
    gone.filter_map(|gone| {
        let named = is.moved_to.get(&gone.id).and_then(|to| number(to));
        let next = || number(&enrollment::successor(was, is, &gone.id)?.id);
        Some((number(&gone.id)?, flow, named.or_else(next)))
    })
    .collect()
}
