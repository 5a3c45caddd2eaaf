//! Owns importing customers from a file: read, typed and written at the same time, never more than a
//! few windows in memory.

use std::ops::Range;
use std::time::Instant;

use tokio::task::spawn_blocking;

use super::belt::{Filled, belt, open};
use super::error::Error;
use super::list_names;
use super::matching::{Matching, Resolved};
use super::names;
use super::reading::{Input, Reading, Rejecting, Seen};
use super::sharing::Sharing;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::ids::NameNo;
use crate::domain::import::{ImportCounts, ImportNo, ImportPlace, ImportState};
use crate::domain::import_plan::{ImportPlan, NoMatch, SeveralMatch};
use crate::domain::revision::Revision;
use crate::domain::subscription::Consent;
use crate::store::{ImportPage, NewImport, Sheet, Store, Upsert, Upserted};

/// What is imported and what all of its customers get.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    pub input: Input,
    /// Tags of the data model.
    pub tags: Vec<String>,
    pub consents: Vec<(Channel, Consent)>,
    /// A list that there is.
    pub list: Option<String>,
    pub no_match: NoMatch,
    pub several_match: SeveralMatch,
    /// Everything but the writing.
    pub dry_run: bool,
}

/// What became of the rows: `read` is the sum of the six counts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// Rows that a later row of the same customer took the place of.
    pub duplicates: u64,
    /// Rows that found nobody and were to be passed over.
    pub skipped: u64,
    /// Under which it can be taken back; none: nothing was stored.
    pub import: Option<ImportNo>,
    pub rejects_file: Option<std::path::PathBuf>,
    /// Columns that fill no field.
    pub ignored_columns: Vec<String>,
    /// The encoding the file was read in.
    pub encoding: &'static str,
}

/// Imports a file of customers: each row creates the customer of its unique id or updates the fields
/// that the file has columns for. Rows that cannot be taken go to the rejects file, the rest is stored.
///
/// `watch` hears how far it has come. The audit gets one row. What was before is kept, so that the
/// import can be taken back.
pub async fn import(
    store: &Store,
    revision: &Revision,
    request: &ImportRequest,
    by: &By,
    clock: &dyn Clock,
    watch: &(dyn Fn(Seen) + Sync),
) -> Result<ImportReport, Error> {
    for tag in &request.tags {
        names::check_tag(&revision.data_model, tag)?;
    }
    let list = list_names::number(store, request.list.as_deref()).await?;
    let reading = open(&request.input, revision).await?;
    let reading = reading.sealed_by(store.seal().await?).following(store);
    let mut report = blank_report(&reading);
    let number = if request.dry_run {
        ImportNo(0)
    } else {
        begin(store, request, (by, clock)).await?
    };
    let matching = Matching {
        store,
        field: reading.key().cloned(),
        no_match: request.no_match,
        several_match: request.several_match,
        import: number,
    };
    let rejecting = reading.rejecting();
    let (belt, mut filled) = belt(&reading)?;
    let reader = spawn_blocking(move || reading.run(belt));
    let mut writing = Writing {
        store,
        revision,
        request,
        by,
        clock,
        list,
        matching,
        rejecting: rejecting.clone(),
        sharing: Sharing::default(),
        counts: ImportCounts::default(),
    };
    store.sweep(true).await?;
    let written = writing.write_all(&mut filled, watch).await;
    drop(filled);
    let swept = store.sweep(false).await.map_err(Error::from);
    let finished = reader.await?;
    report.rejects_file = rejecting.finish()?;
    let done = written.and(swept).and(finished);
    let seen = done.map_err(|error| stopped(error, &writing.counts))?;
    writing.report(&mut report, seen);
    if !request.dry_run {
        report.import = Some(number);
        writing.end(&report).await?;
    }
    Ok(report)
}

async fn begin(
    store: &Store,
    request: &ImportRequest,
    (by, clock): (&By, &dyn Clock),
) -> Result<ImportNo, Error> {
    let file = request.input.path.file_name().unwrap_or_default();
    let size = std::fs::metadata(&request.input.path).map_or(0, |file| file.len());
    let plan = ImportPlan {
        map: request.input.map.clone(),
        key: request.input.key.clone(),
        no_match: request.no_match,
        several_match: request.several_match,
        tags: request.tags.clone(),
        consents: request.consents.clone(),
        list: request.list.clone(),
        ..ImportPlan::default()
    };
    let new = NewImport {
        state: ImportState::Saving,
        name: &file.to_string_lossy(),
        size,
        hash: "",
        plan: &plan,
        is_dropped: false,
        by,
        at: clock.now(),
    };
    Ok(store.add_import(&new).await?)
}

fn stopped(error: Error, counts: &ImportCounts) -> Error {
    match counts.created + counts.updated + counts.unchanged {
        0 => error,
        stored => Error::Stopped {
            stored,
            error: Box::new(error),
        },
    }
}

fn blank_report(reading: &Reading) -> ImportReport {
    ImportReport {
        read: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        duplicates: 0,
        skipped: 0,
        import: None,
        rejects_file: None,
        ignored_columns: reading.ignored_columns().to_vec(),
        encoding: reading.encoding(),
    }
}

/// The writing side: one batch after the other, in transactions short enough for what runs beside.
struct Writing<'a> {
    store: &'a Store,
    revision: &'a Revision,
    request: &'a ImportRequest,
    by: &'a By,
    clock: &'a dyn Clock,
    list: Option<NameNo>,
    matching: Matching<'a>,
    rejecting: Rejecting,
    sharing: Sharing,
    /// Of what was written or found by matching.
    counts: ImportCounts,
}

impl Writing<'_> {
    async fn write_all(
        &mut self,
        filled: &mut Filled,
        watch: &(dyn Fn(Seen) + Sync),
    ) -> Result<(), Error> {
        while let Some(batch) = filled.batches.recv().await {
            let Resolved {
                customers,
                duplicates,
                skipped,
                refused,
                emptied,
            } = self.matching.resolve(batch.customers).await?;
            for (row, reason) in &refused {
                self.rejecting.write(&row.row, reason)?;
            }
            self.counts.duplicates += duplicates;
            self.counts.skipped += skipped;
            self.counts.rejected += refused.len() as u64;
            self.write(&customers).await?;
            watch(batch.seen);
            let emptied = emptied.unwrap_or_else(|| customers.emptied());
            // Nobody takes it any more once the whole file is read.
            drop(filled.drafts.try_send(emptied));
        }
        Ok(())
    }

    async fn write(&mut self, customers: &Sheet) -> Result<(), Error> {
        if self.store.owner().await?.is_none() {
            return self.write_slice(customers, customers.rows()).await;
        }
        let mut rest = customers.rows();
        while !rest.is_empty() {
            let slice = rest.start..rest.end.min(rest.start + self.sharing.rows());
            rest.start = slice.end;
            let begun = Instant::now();
            self.write_slice(customers, slice).await?;
            self.sharing.make_room(begun).await;
        }
        Ok(())
    }

    async fn write_slice(&mut self, customers: &Sheet, rows: Range<usize>) -> Result<(), Error> {
        let upsert = Upsert {
            model: &self.revision.data_model,
            tags: &self.request.tags,
            consents: &self.request.consents,
            by: self.by,
            at: self.clock.now(),
        };
        let (store, list) = (self.store, self.list);
        let upserted = if self.request.dry_run {
            store.compare_import(customers, rows, &upsert, list).await?
        } else {
            let page = self.page();
            store
                .import_sheet(customers, rows, &upsert, &page)
                .await?
                .upserted
        };
        let Upserted {
            created,
            updated,
            unchanged,
        } = upserted;
        self.counts.created += created;
        self.counts.updated += updated;
        self.counts.unchanged += unchanged;
        self.counts.read += created + updated + unchanged;
        Ok(())
    }

    fn page(&self) -> ImportPage<'static> {
        ImportPage {
            import: self.matching.import,
            hold: None,
            place: ImportPlace::default(),
            counts: self.counts,
            rejects: &[],
            passed: 0,
            list: self.list,
            is_trial: false,
        }
    }

    fn report(&mut self, report: &mut ImportReport, seen: Seen) {
        self.counts.read = seen.rows;
        self.counts.rejected += seen.rejected;
        let counts = self.counts;
        report.read = counts.read;
        report.created = counts.created;
        report.updated = counts.updated;
        report.unchanged = counts.unchanged;
        report.rejected = counts.rejected;
        report.duplicates = counts.duplicates;
        report.skipped = counts.skipped;
    }

    /// Writes down that it is saved, and what came of it.
    async fn end(&self, report: &ImportReport) -> Result<(), Error> {
        let (number, now) = (self.matching.import, self.clock.now());
        self.store.move_import(&self.page()).await?;
        self.store
            .set_import(number, ImportState::Saved, now)
            .await?;
        let detail = audit_detail(self.request, report);
        let audited = self.store.audit(self.by, "import", Some(&detail), now);
        Ok(audited.await?)
    }
}

fn audit_detail(request: &ImportRequest, report: &ImportReport) -> String {
    let file = request.input.path.file_name().unwrap_or_default();
    serde_json::json!({
        "import": report.import,
        "file": file.to_string_lossy(),
        "read": report.read,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "tags": request.tags,
        "consents": request.consents,
    })
    .to_string()
}
