//! Owns who is at a job: taken up, kept, given back and ended, by one at a time.
//!
//! A job is held for a few seconds by the database's clock and the hold is prolonged with every page. Each
//! hold has a number of its own: whoever lost it writes nothing more.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use super::db::Store;
use super::error::Result;
use super::identity;
use super::instants::micros;
use super::jobs;
use super::sql::{query, query_scalar};
use super::tx::{On, Tx};
use crate::domain::ids::Incarnation;
use crate::domain::job::{Job, JobEnd, JobFailure, JobNo, JobPlace, JobState};

/// How long whoever says nothing counts as being at it.
const HELD: Duration = Duration::from_secs(8);

/// The oldest that nobody is at. What another node held is free when that node is gone; of the daemons
/// of a file there is one at a time.
const FREE: &str = "SELECT j.job FROM jobs AS j WHERE j.state < 2 \
     AND (CAST($1 AS BIGINT) IS NULL OR j.job = $1) AND (j.state = 0 OR j.held_until < @now \
     OR (j.node <> $2 AND j.node NOT IN (SELECT n.node FROM nodes AS n WHERE n.until_at > @now))) \
     ORDER BY j.job LIMIT 1@alone";
const TAKE: &str = "UPDATE jobs SET state = 1, hold = $2, node = $3, held_until = @now + $4, \
     started_at = coalesce(started_at, $5) WHERE job = $1";
const KEEP: &str = "UPDATE jobs SET held_until = @now + $3 WHERE job = $1 AND hold = $2 AND state = 1 \
     RETURNING cancel";
const COUNTED: &str = "UPDATE jobs SET total = $3 WHERE job = $1 AND hold = $2 AND state = 1";
const SET: &str = "UPDATE jobs SET done = $3 WHERE job = $1 AND hold = $2 AND state = 1";
const STEP: &str = "UPDATE jobs SET place = $3, done = done + $4, changed = changed + $5, \
     failed = failed + $6, held_until = @now + $7 WHERE job = $1 AND hold = $2 AND state = 1 \
     RETURNING cancel, failed";
const GIVE_BACK: &str = "UPDATE jobs SET state = 0, hold = NULL, node = NULL, held_until = NULL \
     WHERE job = $1 AND hold = $2 AND state = 1";
const END: &str = "UPDATE jobs SET state = $3, finished_at = $4, result = $5, problem = $6, \
     hold = NULL, node = NULL, held_until = NULL WHERE job = $1 AND hold = $2 AND state = 1";
const OPEN: &str = "SELECT EXISTS (SELECT 1 FROM jobs WHERE state < 2)";

pub(super) const STATEMENTS: &[&str] =
    &[FREE, TAKE, KEEP, COUNTED, SET, STEP, GIVE_BACK, END, OPEN];

/// The right to work on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobHold {
    pub job: JobNo,
    hold: i64,
}

/// How a held job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStanding {
    GoOn,
    /// Somebody wants it stopped.
    Stop,
    /// Somebody else is at it, or nobody is to be.
    Lost,
}

/// What a page did to its job.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) place: JobPlace,
    pub(super) done: u64,
    pub(super) changed: u64,
    pub(super) failures: &'a [JobFailure],
}

impl JobStanding {
    fn of(cancel: Option<i64>) -> Self {
        match cancel {
            None => Self::Lost,
            Some(0) => Self::GoOn,
            Some(_) => Self::Stop,
        }
    }
}

impl Store {
    /// Takes up the oldest job that nobody is at, or this one; a daemon says which node it is.
    pub async fn take_job(
        &self,
        wanted: Option<JobNo>,
        node: Option<Incarnation>,
        at: Timestamp,
    ) -> Result<Option<(JobHold, Job)>> {
        if !self.any_job().await? {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let node = node.map(|node| node.0);
        let free = query_scalar(FREE).bind(wanted.map(|job| job.0)).bind(node);
        let Some(number): Option<i64> = free.fetch_optional(&mut tx).await? else {
            return Ok(None);
        };
        let hold = JobHold {
            job: JobNo(number),
            hold: i64::from_be_bytes(identity::random::<8>()?),
        };
        query(TAKE)
            .bind(number)
            .bind(hold.hold)
            .bind(node)
            .bind(held())
            .bind(micros(at))
            .execute(&mut tx)
            .await?;
        let job = jobs::find(&mut tx, hold.job).await?;
        tx.commit().await?;
        Ok(Some((hold, job)))
    }

    /// Whether any job is queued or running.
    pub async fn any_job(&self) -> Result<bool> {
        query_scalar(OPEN).fetch_one(self.read()).await
    }

    /// Says that somebody is still at it.
    pub async fn keep_job(&self, hold: &JobHold) -> Result<JobStanding> {
        keep(&self.writers, hold).await
    }

    /// Writes down how many there are to do.
    pub async fn count_job(&self, hold: &JobHold, total: u64) -> Result<()> {
        set(COUNTED, hold, total, &self.writers).await
    }

    /// Writes down how many are done, of a job that does all or nothing.
    pub async fn show_job(&self, hold: &JobHold, done: u64) -> Result<()> {
        set(SET, hold, done, &self.writers).await
    }

    /// Leaves a job to whoever comes next.
    pub async fn give_job_back(&self, hold: &JobHold) -> Result<()> {
        let given = query(GIVE_BACK).bind(hold.job.0).bind(hold.hold);
        given.execute(&self.writers).await?;
        Ok(())
    }

    /// Ends a job, with a line of the audit; false when somebody else is at it.
    pub async fn end_job(&self, hold: &JobHold, end: &JobEnd, at: Timestamp) -> Result<bool> {
        let (state, result, problem) = match end {
            JobEnd::Done(result) => (JobState::Done, result.as_ref(), None),
            JobEnd::Failed(problem) => (JobState::Failed, None, Some(problem.as_str())),
            JobEnd::Cancelled => (JobState::Cancelled, None, None),
        };
        let result = result.map(ToString::to_string);
        let mut tx = self.begin().await?;
        let ended = query(END)
            .bind(hold.job.0)
            .bind(hold.hold)
            .bind(state.number())
            .bind(micros(at))
            .bind(&result)
            .bind(problem);
        if ended.execute(&mut tx).await? == 0 {
            return Ok(false);
        }
        jobs::forget_parts(&mut tx, hold.job).await?;
        let job = jobs::find(&mut tx, hold.job).await?;
        let detail = json!({
            "job": job.number, "kind": job.kind, "state": job.state,
            "done": job.done, "changed": job.changed, "failed": job.failed,
        });
        let detail = detail.to_string();
        audit::add(&mut tx, &job.by(), "job ended", Some(&detail), at).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Prolongs a hold.
pub(super) async fn keep<'c>(on: impl Into<On<'c>>, hold: &JobHold) -> Result<JobStanding> {
    let kept = query_scalar(KEEP).bind(hold.job.0).bind(hold.hold);
    let kept = kept.bind(held()).fetch_optional(on).await?;
    Ok(JobStanding::of(kept))
}

/// Moves a job on within the transaction that does its work.
pub(super) async fn step(tx: &mut Tx, hold: &JobHold, step: &Step<'_>) -> Result<JobStanding> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let failed = step.failures.len() as u64;
    let moved = query(STEP)
        .bind(hold.job.0)
        .bind(hold.hold)
        .bind(super::listing::json(&step.place))
        .bind(count(step.done))
        .bind(count(step.changed))
        .bind(count(failed))
        .bind(held())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = moved else {
        return Ok(JobStanding::Lost);
    };
    let all: i64 = row.try_get(1)?;
    let earlier = all.unsigned_abs().saturating_sub(failed);
    jobs::note_failures(tx, hold.job, earlier, step.failures).await?;
    Ok(JobStanding::of(Some(row.try_get(0)?)))
}

async fn set<'c>(
    statement: &'static str,
    hold: &JobHold,
    count: u64,
    on: impl Into<On<'c>>,
) -> Result<()> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let set = query(statement)
        .bind(hold.job.0)
        .bind(hold.hold)
        .bind(count);
    set.execute(on).await?;
    Ok(())
}

fn held() -> i64 {
    i64::try_from(HELD.as_micros()).unwrap_or(i64::MAX)
}
