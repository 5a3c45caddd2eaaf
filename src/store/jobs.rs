//! Owns jobs as people see them: queued, listed, stopped, and what failed.

use serde_json::Value;

use jiff::Timestamp;

use super::audit;
use super::db::Store;
use super::dialect::rows;
use super::error::{Error, Result};
use super::instants::{instant, micros, optional_instant};
use super::listing::json;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::{By, Source};
use crate::domain::ids::CustomerId;
use crate::domain::job::{Job, JobFailure, JobKind, JobNo, JobState, MOST_ERRORS};

macro_rules! jobs {
    ($rest:literal) => {
        concat!(
            "SELECT job, kind, state, actor, source, created_at, started_at, finished_at, total, done, \
             changed, failed, body, place, result, problem, cancel FROM jobs ",
            $rest
        )
    };
}

const NEXT: &str = "SELECT coalesce(max(job), 0) + 1 FROM jobs";
const ADD: &str = "INSERT INTO jobs (job, kind, state, actor, source, created_at, total, failed, body) \
     VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8)";
const ADD_PARTS: &str = concat!(
    "INSERT INTO job_parts (job, part, body) SELECT $2, j.part, j.body FROM ",
    rows!(part BIGINT 0, body TEXT 1),
    " AS j"
);
const ADD_ERRORS: &str = concat!(
    "INSERT INTO job_errors (job, seq, who, what) SELECT $2, j.seq, j.who, j.what FROM ",
    rows!(seq BIGINT 0, who TEXT 1, what TEXT 2),
    " AS j"
);
const ONE: &str = jobs!("WHERE job = $1");
/// A filter that is null lets everything through.
const SOME: &str = jobs!(
    "WHERE job < $1 AND (CAST($2 AS TEXT) IS NULL OR kind = $2) \
     AND (CAST($3 AS BIGINT) IS NULL OR state = $3) \
     AND (CAST($4 AS TEXT) IS NULL OR actor = $4) ORDER BY job DESC LIMIT $5"
);
const ERRORS: &str = "SELECT seq, who, what FROM job_errors WHERE job = $1 AND seq > $2 \
     ORDER BY seq LIMIT $3";
const PART: &str = "SELECT body FROM job_parts WHERE job = $1 AND part = $2";
/// One that nobody is at is over at once; another one is told.
const CANCEL: &str = "UPDATE jobs SET cancel = 1, \
     finished_at = CASE WHEN state = 0 THEN CAST($2 AS BIGINT) ELSE finished_at END, \
     state = CASE WHEN state = 0 THEN 4 ELSE state END WHERE job = $1 AND state < 2 AND cancel = 0";
const FORGET_PARTS: &str = "DELETE FROM job_parts WHERE job IN \
     (SELECT job FROM jobs WHERE job = $1 AND state > 1)";
const PRUNE_ERRORS: &str = "DELETE FROM job_errors WHERE job IN \
     (SELECT job FROM jobs WHERE state > 1 AND finished_at < $1)";
/// The latest one stays, so that no number is given twice.
const PRUNE: &str = "DELETE FROM jobs WHERE state > 1 AND finished_at < $1 \
     AND job < (SELECT max(j.job) FROM jobs AS j)";

pub(super) const STATEMENTS: &[&str] = &[
    NEXT,
    ADD,
    ADD_PARTS,
    ADD_ERRORS,
    ONE,
    SOME,
    ERRORS,
    PART,
    CANCEL,
    FORGET_PARTS,
    PRUNE_ERRORS,
    PRUNE,
];

/// A job to be queued.
#[derive(Debug)]
pub struct NewJob<'a> {
    pub kind: JobKind,
    pub body: &'a Value,
    /// Customers who were picked, so many as belong into one transaction in each part.
    pub parts: &'a [Vec<CustomerId>],
    /// How many there are to do, if that is known.
    pub total: Option<u64>,
    /// Those whom nobody could find.
    pub failures: &'a [JobFailure],
    pub by: &'a By,
    pub at: Timestamp,
}

/// Which jobs are listed.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub kind: Option<JobKind>,
    pub state: Option<JobState>,
    pub actor: Option<String>,
}

impl Store {
    /// Queues a job, with a line of the audit.
    pub async fn queue_job(&self, new: &NewJob<'_>) -> Result<JobNo> {
        let mut tx = self.write().await?;
        let number = add(&mut tx, new).await?;
        tx.commit().await?;
        Ok(number)
    }

    pub async fn job(&self, job: JobNo) -> Result<Option<Job>> {
        let row = query(ONE).bind(job.0).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Jobs below this number, the newest first.
    pub async fn jobs(
        &self,
        filter: &JobFilter,
        below: Option<JobNo>,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let asked = query(SOME)
            .bind(below.map_or(i64::MAX, |job| job.0))
            .bind(filter.kind.map(JobKind::as_str))
            .bind(filter.state.map(JobState::number))
            .bind(&filter.actor)
            .bind(limit);
        let rows = asked.fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// What failed, the first [`MOST_ERRORS`] of it; each with its place, from 0 on.
    pub async fn job_errors(
        &self,
        job: JobNo,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<(u32, JobFailure)>> {
        let asked = query(ERRORS)
            .bind(job.0)
            .bind(after.map_or(-1, i64::from))
            .bind(limit);
        let rows = asked.fetch_all(self.read()).await?;
        let read = |row: &Row| {
            let (who, what) = (row.try_get(1)?, row.try_get(2)?);
            Ok((row.try_get(0)?, JobFailure { who, what }))
        };
        rows.iter().map(read).collect()
    }

    /// The picked customers of one part; none after the last.
    pub async fn job_part(&self, job: JobNo, part: u64) -> Result<Option<Vec<CustomerId>>> {
        let part = i64::try_from(part).unwrap_or(i64::MAX);
        let asked = query_scalar(PART).bind(job.0).bind(part);
        let body: Option<String> = asked.fetch_optional(self.read()).await?;
        body.map(|body| super::among::customers(&body)).transpose()
    }

    /// Asks a job to stop; false when it is over, or was asked before.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn cancel_job(&self, job: JobNo, by: &By, at: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let cancelled = query(CANCEL).bind(job.0).bind(micros(at));
        if cancelled.execute(&mut tx).await? == 0 {
            let known = query(ONE).bind(job.0).fetch_optional(&mut tx).await?;
            return match known {
                Some(_) => Ok(false),
                None => Err(Error::NotFound(format!("the job {job}"))),
            };
        }
        query(FORGET_PARTS).bind(job.0).execute(&mut tx).await?;
        audit::add(
            &mut tx,
            by,
            "job cancelled",
            Some(&format!("job {job}")),
            at,
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Lets go of jobs that were over by then. How many.
    pub async fn prune_jobs(&self, before: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let errors = query(PRUNE_ERRORS).bind(micros(before));
        errors.execute(&mut tx).await?;
        let pruned = query(PRUNE).bind(micros(before)).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(pruned)
    }
}

/// Queues a job within a transaction that writes beside no other of its kind.
pub(super) async fn add(tx: &mut Tx, new: &NewJob<'_>) -> Result<JobNo> {
    let number: i64 = query_scalar(NEXT).fetch_one(&mut *tx).await?;
    let number = JobNo(number);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    query(ADD)
        .bind(number.0)
        .bind(new.kind.as_str())
        .bind(new.by.actor.as_str())
        .bind(new.by.source.as_str())
        .bind(micros(new.at))
        .bind(new.total.map(count))
        .bind(count(new.failures.len() as u64))
        .bind(new.body.to_string())
        .execute(&mut *tx)
        .await?;
    let part = |(place, ids): (i64, &Vec<CustomerId>)| {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        (place, json(&ids))
    };
    let parts: Vec<(i64, String)> = (0..).zip(new.parts).map(part).collect();
    let parts = query(ADD_PARTS).bind(json(&parts)).bind(number.0);
    parts.execute(&mut *tx).await?;
    note_failures(tx, number, 0, new.failures).await?;
    let detail = format!("job {number}: {}", new.kind.as_str());
    audit::add(tx, new.by, "job queued", Some(&detail), new.at).await?;
    Ok(number)
}

/// Writes failures down behind so many earlier ones, as far as failures are kept.
pub(super) async fn note_failures(
    tx: &mut Tx,
    job: JobNo,
    earlier: u64,
    failures: &[JobFailure],
) -> Result<()> {
    let room = u64::from(MOST_ERRORS).saturating_sub(earlier);
    let rows: Vec<(u64, &Option<String>, &str)> = (earlier..)
        .zip(failures)
        .take(usize::try_from(room).unwrap_or(0))
        .map(|(seq, failure)| (seq, &failure.who, failure.what.as_str()))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let add = query(ADD_ERRORS).bind(json(&rows)).bind(job.0);
    add.execute(tx).await?;
    Ok(())
}

/// What is picked is of no use once the job is over.
pub(super) async fn forget_parts(tx: &mut Tx, job: JobNo) -> Result<()> {
    query(FORGET_PARTS).bind(job.0).execute(tx).await?;
    Ok(())
}

pub(super) async fn find(tx: &mut Tx, job: JobNo) -> Result<Job> {
    let row = query(ONE).bind(job.0).fetch_optional(tx).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("the job {job}")))?;
    read(&row)
}

fn read(row: &Row) -> Result<Job> {
    let unknown = |what: &str, text: &str| Error::Corrupt(format!("the unknown {what} `{text}`"));
    let kind = row.text(1)?;
    let kind = JobKind::parse(kind).ok_or_else(|| unknown("kind of job", kind))?;
    let number: i64 = row.try_get(2)?;
    let state = JobState::from_number(number);
    let state = state.ok_or_else(|| unknown("state of a job", &number.to_string()))?;
    let source = row.text(4)?;
    let source = Source::parse(source).ok_or_else(|| unknown("source", source))?;
    let count = |place| Ok::<u64, Error>(row.try_get::<i64>(place)?.unsigned_abs());
    let total: Option<i64> = row.try_get(8)?;
    let cancel: i64 = row.try_get(16)?;
    Ok(Job {
        number: JobNo(row.try_get(0)?),
        kind,
        state,
        actor: row.try_get(3)?,
        source,
        created_at: instant(row.try_get(5)?)?,
        started_at: optional_instant(row.try_get(6)?)?,
        finished_at: optional_instant(row.try_get(7)?)?,
        total: total.map(i64::unsigned_abs),
        done: count(9)?,
        changed: count(10)?,
        failed: count(11)?,
        body: parsed(row.text(12)?)?,
        place: row
            .try_get::<Option<String>>(13)?
            .as_deref()
            .map(parsed)
            .transpose()?,
        result: row
            .try_get::<Option<String>>(14)?
            .as_deref()
            .map(parsed)
            .transpose()?,
        problem: row.try_get(15)?,
        is_to_stop: cancel != 0,
    })
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(format!("a job: {error}")))
}
