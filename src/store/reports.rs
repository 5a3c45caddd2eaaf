//! Owns the files of exports, in parts: every node has them, and nobody holds one in memory.

use jiff::Timestamp;

use super::audit;
use super::db::Store;
use super::dialect::Dialect;
use super::erasure::{AS_USUAL, OVERWRITE};
use super::error::{Error, Result};
use super::instants::{instant, micros};
use super::job_holds::{self, JobHold, JobStanding};
use super::sql::{Row, query, query_scalar};
use crate::domain::audit::By;
use crate::domain::job::JobNo;
use crate::domain::report::Report;

/// Less than nobody stands for a file that is being written: whoever is deleted meanwhile takes it along.
const BEGIN: &str = "INSERT INTO reports (report, name, format, actor, created_at, customers, bytes) \
     VALUES ($1, '', '', '', $2, -1, 0)";
const END: &str = "UPDATE reports SET name = $2, format = $3, actor = $4, created_at = $5, \
     customers = $6, bytes = $7 WHERE report = $1 AND customers < 0";
const ADD_PART: &str = "INSERT INTO report_parts (report, part, body) VALUES ($1, $2, $3)";
const SOME: &str = "SELECT report, name, format, actor, created_at, customers, bytes FROM reports \
     WHERE report < $1 AND customers >= 0 ORDER BY report DESC LIMIT $2";
const ONE: &str = "SELECT report, name, format, actor, created_at, customers, bytes FROM reports \
     WHERE report = $1 AND customers >= 0";
const PART: &str = "SELECT body FROM report_parts WHERE report = $1 AND part = $2";
const REMOVE: &str = "DELETE FROM reports WHERE report = $1";
const REMOVE_PARTS: &str = "DELETE FROM report_parts WHERE (report, part) IN \
     (SELECT report, part FROM report_parts WHERE report = $1 LIMIT 64)";
const OLD: &str = "SELECT report FROM reports WHERE created_at < $1";
/// Of files that nobody writes any more and nobody may have.
const LEFT: &str = "SELECT DISTINCT p.report FROM report_parts AS p \
     WHERE NOT EXISTS (SELECT 1 FROM reports AS r WHERE r.report = p.report AND r.customers >= 0) \
     AND NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.job = p.report AND j.state < 2)";
const HALF: &str = "DELETE FROM reports WHERE customers < 0 \
     AND NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.job = reports.report AND j.state < 2)";

pub(super) const STATEMENTS: &[&str] = &[
    BEGIN,
    END,
    ADD_PART,
    SOME,
    ONE,
    PART,
    REMOVE,
    REMOVE_PARTS,
    OLD,
    LEFT,
    HALF,
];

impl Store {
    /// Begins the file of an export anew: what an earlier try left is removed.
    pub async fn begin_report(&self, hold: &JobHold, at: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        query(REMOVE).bind(hold.job.0).execute(&mut tx).await?;
        let begin = query(BEGIN).bind(hold.job.0).bind(micros(at));
        begin.execute(&mut tx).await?;
        tx.commit().await?;
        self.remove_report_parts(hold.job.0).await
    }

    /// Keeps one part of a file, counted from 0, as long as nobody else is at the job.
    pub async fn add_report_part(
        &self,
        hold: &JobHold,
        part: u32,
        body: &[u8],
    ) -> Result<JobStanding> {
        let mut tx = self.begin().await?;
        let standing = job_holds::keep(&mut tx, hold).await?;
        if standing == JobStanding::Lost {
            return Ok(standing);
        }
        let add = query(ADD_PART).bind(hold.job.0).bind(part).bind(body);
        add.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(standing)
    }

    /// Lists a file whose parts are all there; none, and nothing listed, when somebody was deleted since it
    /// was begun, who may be in it.
    pub async fn end_report(&self, hold: &JobHold, report: &Report) -> Result<Option<JobStanding>> {
        let mut tx = self.begin().await?;
        let standing = job_holds::keep(&mut tx, hold).await?;
        if standing == JobStanding::Lost {
            return Ok(Some(standing));
        }
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let listed = query(END)
            .bind(report.number)
            .bind(&report.name)
            .bind(&report.format)
            .bind(&report.actor)
            .bind(micros(report.created_at))
            .bind(count(report.customers))
            .bind(count(report.bytes))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok((listed > 0).then_some(standing))
    }

    /// Reports below this number, the newest first.
    pub async fn reports(&self, below: Option<i64>, limit: u32) -> Result<Vec<Report>> {
        let below = below.unwrap_or(i64::MAX);
        let asked = query(SOME).bind(below).bind(limit);
        let rows = asked.fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    pub async fn report(&self, number: i64) -> Result<Option<Report>> {
        let row = query(ONE).bind(number).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// One part of a file; none after the last.
    pub async fn report_part(&self, number: i64, part: u32) -> Result<Option<Vec<u8>>> {
        let asked = query_scalar(PART).bind(number).bind(part);
        asked.fetch_optional(self.read()).await
    }

    /// Removes a report with its file.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_report(&self, number: i64, by: &By, at: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        if query(REMOVE).bind(number).execute(&mut tx).await? == 0 {
            return Err(Error::NotFound(format!("the report {number}")));
        }
        let detail = format!("report {number}");
        audit::add(&mut tx, by, "report removed", Some(&detail), at).await?;
        tx.commit().await?;
        self.remove_report_parts(number).await
    }

    /// Lets go of reports that were made before. How many.
    pub async fn prune_reports(&self, before: Timestamp) -> Result<u64> {
        let old = query_scalar(OLD).bind(micros(before));
        let old: Vec<i64> = old.fetch_all(self.read()).await?;
        for number in &old {
            self.remove_report_parts(*number).await?;
            query(REMOVE).bind(*number).execute(&self.writers).await?;
        }
        Ok(old.len() as u64)
    }

    /// What a job that was given up left of a file.
    pub async fn forget_report(&self, job: JobNo) -> Result<()> {
        query(REMOVE).bind(job.0).execute(&self.writers).await?;
        self.remove_report_parts(job.0).await
    }

    /// Removes the parts of files that are written and listed no more. How many files.
    pub async fn sweep_reports(&self) -> Result<u64> {
        query(HALF).execute(&self.writers).await?;
        let left: Vec<i64> = query_scalar(LEFT).fetch_all(self.read()).await?;
        for number in &left {
            self.remove_report_parts(*number).await?;
        }
        Ok(left.len() as u64)
    }

    /// Some at a time, because others want to write, too. In a file they are overwritten: they are full of
    /// what is known of people.
    async fn remove_report_parts(&self, number: i64) -> Result<()> {
        loop {
            let mut tx = self.begin().await?;
            let is_file = tx.dialect() == Dialect::Sqlite;
            if is_file {
                query(OVERWRITE).execute(&mut tx).await?;
            }
            let removed = query(REMOVE_PARTS).bind(number).execute(&mut tx).await?;
            if is_file {
                query(AS_USUAL).execute(&mut tx).await?;
            }
            tx.commit().await?;
            if removed == 0 {
                return Ok(());
            }
        }
    }
}

fn read(row: &Row) -> Result<Report> {
    let count = |place| Ok::<u64, Error>(row.try_get::<i64>(place)?.unsigned_abs());
    Ok(Report {
        number: row.try_get(0)?,
        name: row.try_get(1)?,
        format: row.try_get(2)?,
        actor: row.try_get(3)?,
        created_at: instant(row.try_get(4)?)?,
        customers: count(5)?,
        bytes: count(6)?,
    })
}
