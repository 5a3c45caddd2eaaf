//! Owns imports as people see them: begun, listed, changed, discarded, and what is kept of their files.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::audit;
use super::db::Store;
use super::error::{Error, Result};
use super::instants::{instant, micros, optional_instant};
use super::jobs::{self, NewJob};
use super::listing;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::audit::{By, Source};
use crate::domain::import::{
    Import, ImportCounts, ImportFindings, ImportNo, ImportPlace, ImportState,
};
use crate::domain::import_plan::ImportPlan;
use crate::domain::job::{JobKind, JobNo, JobState};

macro_rules! imports {
    ($rest:literal) => {
        concat!(
            "SELECT i.import, i.state, i.name, i.bytes, i.hash, i.plan, i.place, i.counts, i.findings, \
             i.actor, i.source, i.created_at, i.saved_at, i.job, j.state, i.dropped \
             FROM imports AS i LEFT JOIN jobs AS j ON j.job = i.job ",
            $rest
        )
    };
}

const NEXT: &str = "SELECT coalesce(max(import), 0) + 1 FROM imports";
const ADD: &str = "INSERT INTO imports (import, state, name, bytes, hash, plan, place, counts, \
     findings, actor, source, created_at, dropped) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const ONE: &str = imports!("WHERE i.import = $1");
/// A filter that is null lets everything through.
const SOME: &str = imports!(
    "WHERE i.import < $1 AND (CAST($2 AS BIGINT) IS NULL OR i.state = $2) \
     ORDER BY i.import DESC LIMIT $3"
);
const LATEST: &str = imports!("WHERE i.state IN (2, 3, 5) ORDER BY i.import DESC LIMIT 1");
const DROPPED: &str = imports!("WHERE i.dropped = 1 ORDER BY i.import");
const SET: &str = "UPDATE imports SET state = CAST($2 AS BIGINT), saved_at = \
     CASE WHEN CAST($2 AS BIGINT) = 3 THEN CAST($3 AS BIGINT) ELSE saved_at END WHERE import = $1 AND state <> 4";
const PLAN: &str = "UPDATE imports SET plan = $2, place = $3, counts = $4 WHERE import = $1";
const FOUND: &str = "UPDATE imports SET findings = $2 WHERE import = $1";
const WORK: &str = "UPDATE imports SET state = $2, job = $3 WHERE import = $1";
const RESTART: &str = "UPDATE imports SET place = $2, counts = $3 WHERE import = $1";
const UNREJECT: &str = "DELETE FROM import_rejects WHERE import = $1";
const CANCEL: &str = "UPDATE jobs SET cancel = 1, \
     state = CASE WHEN state = 0 THEN 4 ELSE state END WHERE job = $1 AND state < 2";
const FILED: &str = "UPDATE imports SET dropped = 2 WHERE import = $1";

pub(super) const STATEMENTS: &[&str] = &[
    NEXT, ADD, ONE, SOME, LATEST, DROPPED, SET, PLAN, FOUND, WORK, RESTART, UNREJECT, CANCEL, FILED,
];

/// An import to begin with.
#[derive(Debug)]
pub struct NewImport<'a> {
    pub state: ImportState,
    pub name: &'a str,
    pub size: u64,
    pub hash: &'a str,
    pub plan: &'a ImportPlan,
    /// Whether it came from the watched folder.
    pub is_dropped: bool,
    pub by: &'a By,
    pub at: Timestamp,
}

impl Store {
    /// Begins an import; its number.
    pub async fn add_import(&self, new: &NewImport<'_>) -> Result<ImportNo> {
        let mut tx = self.write().await?;
        let number: i64 = query_scalar(NEXT).fetch_one(&mut tx).await?;
        query(ADD)
            .bind(number)
            .bind(new.state.number())
            .bind(new.name)
            .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
            .bind(new.hash)
            .bind(listing::json(new.plan))
            .bind(listing::json(&ImportPlace::default()))
            .bind(listing::json(&ImportCounts::default()))
            .bind(listing::json(&ImportFindings::default()))
            .bind(new.by.actor.as_str())
            .bind(new.by.source.as_str())
            .bind(micros(new.at))
            .bind(i64::from(new.is_dropped))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(ImportNo(number))
    }

    pub async fn import(&self, import: ImportNo) -> Result<Option<Import>> {
        let row = query(ONE)
            .bind(import.0)
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Imports below this number, the newest first.
    pub async fn imports(
        &self,
        state: Option<ImportState>,
        below: Option<ImportNo>,
        limit: u32,
    ) -> Result<Vec<Import>> {
        let asked = query(SOME)
            .bind(below.map_or(i64::MAX, |import| import.0))
            .bind(state.map(ImportState::number))
            .bind(limit);
        let rows = asked.fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// The latest import of which something is stored.
    pub async fn latest_import(&self) -> Result<Option<Import>> {
        let row = query(LATEST).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Those of the watched folder whose files are still in it.
    pub async fn dropped_imports(&self) -> Result<Vec<Import>> {
        let rows = query(DROPPED).fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// Notes that a file was moved out of the watched folder.
    pub async fn file_import(&self, import: ImportNo) -> Result<()> {
        query(FILED).bind(import.0).execute(&self.writers).await?;
        Ok(())
    }

    /// Says how an import stands.
    pub async fn set_import(
        &self,
        import: ImportNo,
        state: ImportState,
        at: Timestamp,
    ) -> Result<()> {
        let set = query(SET).bind(import.0).bind(state.number());
        set.bind(micros(at)).execute(&self.writers).await?;
        Ok(())
    }

    /// Writes down what a file was found to be.
    pub async fn import_found(&self, import: ImportNo, findings: &ImportFindings) -> Result<()> {
        let found = query(FOUND).bind(import.0);
        let found = found.bind(listing::json(findings));
        found.execute(&self.writers).await?;
        Ok(())
    }

    /// Changes how a file is to be imported, before it is saved.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is too late.
    pub async fn change_import(&self, import: ImportNo, plan: &ImportPlan) -> Result<()> {
        let mut tx = self.write().await?;
        let known = required(&mut tx, import).await?;
        if !matches!(known.state, ImportState::Checking | ImportState::Checked) {
            return Err(too_late(&known, "be changed"));
        }
        query(PLAN)
            .bind(import.0)
            .bind(listing::json(plan))
            .bind(listing::json(&ImportPlace::default()))
            .bind(listing::json(&ImportCounts::default()))
            .execute(&mut tx)
            .await?;
        query(UNREJECT).bind(import.0).execute(&mut tx).await?;
        stop_job(&mut tx, &known).await?;
        tx.commit().await
    }

    /// Queues the work that brings an import into a state; nobody else works on it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it cannot get there, or is worked on.
    pub async fn queue_import(
        &self,
        import: ImportNo,
        kind: JobKind,
        body: &serde_json::Value,
        by: &By,
        at: Timestamp,
    ) -> Result<JobNo> {
        let mut tx = self.write().await?;
        let known = required(&mut tx, import).await?;
        let is_trial = body["dry_run"] == true;
        let begun = begun(&known, kind)?;
        let state = if is_trial { known.state } else { begun };
        let total = (known.counts.read > 0 && kind == JobKind::Import).then_some(known.counts.read);
        let job = NewJob {
            kind,
            body,
            parts: &[],
            total,
            failures: &[],
            by,
            at,
        };
        let job = jobs::add(&mut tx, &job).await?;
        let work = query(WORK).bind(import.0).bind(state.number());
        work.bind(job.0).execute(&mut tx).await?;
        if kind == JobKind::Import && known.state != ImportState::Saving {
            query(UNREJECT).bind(import.0).execute(&mut tx).await?;
            let restart = query(RESTART).bind(import.0);
            let restart = restart.bind(listing::json(&ImportPlace::default()));
            let restart = restart.bind(listing::json(&ImportCounts::default()));
            restart.execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(job)
    }

    /// Lets go of an import that was not saved.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when something of it may be stored.
    pub async fn discard_import(&self, import: ImportNo, by: &By, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        let known = required(&mut tx, import).await?;
        if !matches!(known.state, ImportState::Checking | ImportState::Checked) {
            return Err(too_late(&known, "be discarded"));
        }
        stop_job(&mut tx, &known).await?;
        super::import_files::forget(&mut tx, import).await?;
        query(UNREJECT).bind(import.0).execute(&mut tx).await?;
        let set = query(SET).bind(import.0);
        let set = set.bind(ImportState::Discarded.number()).bind(micros(at));
        set.execute(&mut tx).await?;
        let detail = json!({ "import": import, "file": known.name }).to_string();
        audit::add(&mut tx, by, "import discarded", Some(&detail), at).await?;
        tx.commit().await
    }
}

/// The state that a job brings an import to, unless it cannot.
fn begun(import: &Import, kind: JobKind) -> Result<ImportState> {
    let is_worked_on = import.job_state.is_some_and(|state| !state.is_over());
    let (from, to, wish): (&[ImportState], _, _) = match kind {
        JobKind::CheckImport => (
            &[ImportState::Checking, ImportState::Checked],
            ImportState::Checking,
            "be looked at again",
        ),
        JobKind::Import => (
            &[
                ImportState::Checking,
                ImportState::Checked,
                ImportState::Saving,
            ],
            ImportState::Saving,
            "be saved",
        ),
        _ => (
            &[
                ImportState::Saving,
                ImportState::Saved,
                ImportState::Reverting,
            ],
            ImportState::Reverting,
            "be taken back",
        ),
    };
    if is_worked_on {
        let number = import.number;
        return Err(Error::Conflict(format!(
            "import {number} is being worked on: wait, or cancel its job"
        )));
    }
    if !from.contains(&import.state) {
        return Err(too_late(import, wish));
    }
    Ok(to)
}

fn too_late(import: &Import, wish: &str) -> Error {
    let (number, state) = (import.number, import.shown_state().as_str());
    Error::Conflict(format!("import {number} cannot {wish}: it is `{state}`"))
}

async fn stop_job(tx: &mut Tx, import: &Import) -> Result<()> {
    if let Some(job) = import.job {
        query(CANCEL).bind(job.0).execute(tx).await?;
    }
    Ok(())
}

async fn required(tx: &mut Tx, import: ImportNo) -> Result<Import> {
    let row = query(ONE).bind(import.0).fetch_optional(tx).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("the import {import}")))?;
    read(&row)
}

fn read(row: &Row) -> Result<Import> {
    let number: i64 = row.try_get(1)?;
    let state = ImportState::from_number(number)
        .ok_or_else(|| Error::Corrupt(format!("the unknown state {number} of an import")))?;
    let source = row.text(10)?;
    let source = Source::parse(source)
        .ok_or_else(|| Error::Corrupt(format!("the unknown source `{source}`")))?;
    let job_state: Option<i64> = row.try_get(14)?;
    let dropped: i64 = row.try_get(15)?;
    Ok(Import {
        number: ImportNo(row.try_get(0)?),
        state,
        name: row.try_get(2)?,
        size: row.try_get::<i64>(3)?.unsigned_abs(),
        hash: row.try_get(4)?,
        plan: parsed(row.text(5)?)?,
        place: parsed(row.text(6)?)?,
        counts: parsed(row.text(7)?)?,
        findings: parsed(row.text(8)?)?,
        actor: row.try_get(9)?,
        source,
        created_at: instant(row.try_get(11)?)?,
        saved_at: optional_instant(row.try_get(12)?)?,
        job: row.try_get::<Option<i64>>(13)?.map(JobNo),
        job_state: job_state.and_then(JobState::from_number),
        is_dropped: dropped > 0,
    })
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(format!("an import: {error}")))
}
