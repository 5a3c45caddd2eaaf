//! Owns the watched folder: each whole file is imported once, and then put away with a report beside it.
//!
//! A file becomes an import, its job is queued, and when that is over the file is moved. Whatever happens in
//! between, the import says how far it is: nothing is lost and nothing is imported twice.

use std::io;
use std::path::PathBuf;
use std::str::FromStr as _;

use croner::Cron;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::folder_files::{self, Beside, Sightings, filed_name, fits, look, move_away};
use super::plan;
use super::reject_lines::RejectLines;
use super::spool::{Spool, hash_of};
use super::staging::{self, Brought};
use crate::clock::Clock;
use crate::customers::error::Error;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::daemon_settings::ImportSettings;
use crate::domain::import::{Import, ImportNo};
use crate::domain::import_plan::ImportPlan;
use crate::domain::job::{Job, JobState};
use crate::domain::revision::Revision;
use crate::store::Store;

/// As what the taking of files is written down.
pub const TAKEN: &str = "imports folder";
/// Who brings them.
const ACTOR: &str = "imports folder";

/// The watched folder, and what its files are imported with.
pub struct Folder<'a> {
    pub store: &'a Store,
    pub revision: &'a Revision,
    pub settings: &'a ImportSettings,
    /// Where it is.
    pub path: PathBuf,
    pub clock: &'a dyn Clock,
}

/// What was seen of the files of the folder.
#[derive(Debug, Default)]
pub struct Seen(Sightings);

/// A file that was put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    pub name: String,
    /// Why it could not be imported.
    pub problem: Option<String>,
}

impl Folder<'_> {
    /// Takes the files that are whole, and puts those away whose import is over.
    pub async fn run_once(&self, seen: &mut Seen) -> Result<Vec<Filed>, Error> {
        let mut filed = Vec::new();
        let mut busy = Vec::new();
        for import in self.store.dropped_imports().await? {
            match self.go_on(&import).await? {
                Some(one) => filed.push(one),
                None => busy.push(import.name),
            }
        }
        let settle = SignedDuration::from_secs(self.settings.settle.seconds);
        let now = self.clock.machine();
        let whole = folder_files::whole(&self.path, settle, now, &mut seen.0);
        let whole = whole.map_err(|error| self.failed(error))?;
        if !self.is_time(now).await? {
            return Ok(filed);
        }
        for name in whole.into_iter().filter(|name| !busy.contains(name)) {
            filed.extend(self.take(&name).await?);
        }
        self.store.ran(TAKEN, now, None).await?;
        Ok(filed)
    }

    /// Whether files are taken now: at once, or after the hour of the night.
    async fn is_time(&self, now: Timestamp) -> Result<bool, Error> {
        let Some(nightly) = &self.settings.nightly else {
            return Ok(true);
        };
        let Some(last) = self.store.last_run(TAKEN).await? else {
            self.store.ran(TAKEN, now, None).await?;
            return Ok(false);
        };
        let last = last.at.to_zoned(self.revision.time_zone());
        let next = Cron::from_str(nightly).and_then(|cron| cron.find_next_occurrence(&last, false));
        Ok(next.is_ok_and(|next| next.timestamp() <= now))
    }

    /// Makes a file an import; or puts it away, if it cannot be one.
    async fn take(&self, name: &str) -> Result<Option<Filed>, Error> {
        let Some(plan) = self.plan_of(name) else {
            let problem = "no pattern of `imports.files` fits its name".to_owned();
            return self.refuse(name, problem).await.map(Some);
        };
        if let Err(error) = plan::check(self.store, self.revision, &plan).await {
            return match error {
                Error::Store(_) => Err(error),
                error => self.refuse(name, error.to_string()).await.map(Some),
            };
        }
        let path = self.path.join(name);
        let before = look(&path).map_err(|error| self.failed(error))?;
        let (store, copied) = (self.store.clone(), path.clone());
        let spooled = spawn_blocking(move || Spool::of_file(&store, &copied)).await??;
        if look(&path).ok() != Some(before) {
            // It is being written after all.
            return Ok(None);
        }
        let brought = Brought {
            file: spooled,
            name,
            plan: &plan,
            is_dropped: true,
        };
        let (by, at) = (by(), self.clock.now());
        let import = staging::bring(self.store, brought, (&by, at)).await?;
        staging::save(self.store, import, &by, at).await?;
        Ok(None)
    }

    fn plan_of(&self, name: &str) -> Option<ImportPlan> {
        let files = &self.settings.files;
        if files.is_empty() {
            return Some(ImportPlan::default());
        }
        let pattern = files.iter().find(|file| fits(&file.pattern, name));
        pattern.map(|pattern| pattern.plan.clone())
    }

    /// Goes on with a file that is an import; done with it, says what came of it.
    async fn go_on(&self, import: &Import) -> Result<Option<Filed>, Error> {
        let Some(number) = import.job else {
            return self.begin_again(import).await;
        };
        let job = self.store.job(number).await?;
        let Some(job) = job.filter(|job| job.state.is_over()) else {
            return Ok(None);
        };
        let problem = match job.state {
            JobState::Failed => Some(job.problem.clone().unwrap_or_default()),
            JobState::Cancelled => Some(format!("job {number} was cancelled")),
            _ => None,
        };
        self.file(import, Some(&job), problem.as_deref()).await?;
        let name = import.name.clone();
        Ok(Some(Filed { name, problem }))
    }

    /// Of an import whose file did not arrive, or whose job was not queued.
    async fn begin_again(&self, import: &Import) -> Result<Option<Filed>, Error> {
        let (by, at) = (by(), self.clock.now());
        match super::spool::at_hand(self.store, import).await {
            Ok(_) => {
                staging::save(self.store, import.number, &by, at).await?;
            }
            Err(Error::FileGone(_)) => {
                // Its file is still in the folder, and is taken once more.
                staging::discard(self.store, import.number, &by, at).await?;
                self.store.file_import(import.number).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Puts the file of an import away, with a report and the rows that were not taken.
    async fn file(
        &self,
        import: &Import,
        job: Option<&Job>,
        problem: Option<&str>,
    ) -> Result<(), Error> {
        let name = filed_name(&import.name, import.created_at, import.number.0);
        let folder = self
            .path
            .join(if problem.is_some() { "failed" } else { "done" });
        let report = report(&import.name, Some((import, job)), problem);
        self.write(&folder, &format!("{name}.report.json"), report)
            .await?;
        if import.counts.rejected > 0 {
            let mut lines = RejectLines::new(self.store.clone(), import.clone());
            let begun = Beside::begin(&folder, &format!("{name}.rejects.csv"));
            let mut file = begun.map_err(|error| self.failed(error))?;
            while let Some(part) = lines.next().await? {
                let written = spawn_blocking(move || file.with(&part)).await?;
                file = written.map_err(|error| self.failed(error))?;
            }
            file.finish().map_err(|error| self.failed(error))?;
        }
        let from = self.path.join(&import.name);
        if self.is_the_same(import, from.clone()).await? {
            move_away(&from, &folder, &name).map_err(|error| self.failed(error))?;
        }
        super::spool::remove(self.store, import).await?;
        self.store.file_import(import.number).await?;
        Ok(())
    }

    /// Whether the file in the folder is still the one that was imported: another one may have come.
    async fn is_the_same(&self, import: &Import, path: PathBuf) -> Result<bool, Error> {
        if look(&path).is_err() {
            return Ok(false);
        }
        let hash = spawn_blocking(move || hash_of(&path)).await?;
        Ok(hash.map_err(|error| self.failed(error))? == import.hash)
    }

    /// Puts a file away that cannot be imported.
    async fn refuse(&self, name: &str, problem: String) -> Result<Filed, Error> {
        let now = self.clock.machine();
        let filed = filed_name(name, now, now.subsec_nanosecond().into());
        let folder = self.path.join("failed");
        let report = report(name, None, Some(&problem));
        self.write(&folder, &format!("{filed}.report.json"), report)
            .await?;
        let moved = move_away(&self.path.join(name), &folder, &filed);
        moved.map_err(|error| self.failed(error))?;
        Ok(Filed {
            name: name.to_owned(),
            problem: Some(problem),
        })
    }

    async fn write(
        &self,
        folder: &std::path::Path,
        name: &str,
        text: Vec<u8>,
    ) -> Result<(), Error> {
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let write = move || Beside::begin(&folder, &name)?.with(&text)?.finish();
        let written = spawn_blocking(write).await?;
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::Unkept {
            path: self.path.clone(),
            error,
        }
    }
}

fn by() -> By {
    By::new(Actor::named(ACTOR), Source::Import)
}

fn report(name: &str, import: Option<(&Import, Option<&Job>)>, problem: Option<&str>) -> Vec<u8> {
    let mut report = json!({ "file": name, "ok": problem.is_none(), "problem": problem });
    if let Some((import, job)) = import {
        let number: ImportNo = import.number;
        report["import"] = json!(number);
        report["kind"] = json!(import.plan.kind);
        report["hash"] = json!(import.hash);
        report["counts"] = json!(import.counts);
        report["ignored_columns"] = json!(import.findings.ignored_columns);
        report["job"] = job.map_or(Value::Null, |job| json!(job.number));
        report["began_at"] = json!(import.created_at);
        report["ended_at"] = job.map_or(Value::Null, |job| json!(job.finished_at));
    }
    format!("{report:#}\n").into_bytes()
}
