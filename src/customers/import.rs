//! Owns importing customers from a file: read, typed and written at the same time, never more than a
//! few windows in memory.

use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

use super::error::Error;
use super::names;
use super::reading::{Batch, Belt, Finished, Input, Reading, Seen};
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::revision::Revision;
use crate::domain::subscription::Consent;
use crate::store::{Draft, Sheet, Store, Upsert, Upserted};

/// While one batch is written, the other one is read.
const BATCHES: usize = 2;
/// Rows in one transaction beside a running daemon, which waits for it meanwhile.
const SHARED_ROWS: usize = 2_000;
/// What such a transaction should take at most; the next one is smaller when it took longer.
const SHARED_TIME: Duration = Duration::from_millis(50);
const FEWEST_ROWS: usize = 50;

/// What is imported and what all of its customers get.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    pub input: Input,
    /// Tags of the data model.
    pub tags: Vec<String>,
    pub consents: Vec<(Channel, Consent)>,
    /// Everything but the writing.
    pub dry_run: bool,
}

/// What became of the rows: `read` is the sum of the five counts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// Rows that a later row of the same customer took the place of.
    pub duplicates: u64,
    pub rejects_file: Option<std::path::PathBuf>,
    /// Columns that fill no field.
    pub ignored_columns: Vec<String>,
    /// The encoding the file was read in.
    pub encoding: &'static str,
}

/// Imports a file of customers: each row creates the customer of its unique id or updates the fields
/// that the file has columns for. Rows that cannot be taken go to the rejects file, the rest is stored.
///
/// `watch` hears how far it has come. The audit gets one row.
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
    let reading = open(&request.input, revision).await?;
    let reading = reading.sealed_by(store.seal().await?);
    let ignored_columns = reading.ignored_columns().to_vec();
    let encoding = reading.encoding();
    let (belt, mut filled) = belt(&reading)?;
    let reader = spawn_blocking(move || reading.run(belt));
    let mut writing = Writing::new(store, revision, request, by, clock);
    store.sweep(true).await?;
    let written = writing.write_all(&mut filled, watch).await;
    drop(filled);
    let swept = store.sweep(false).await;
    let finished = reader.await?;
    let done = written.and(swept).map_err(Error::from).and(finished);
    let finished = done.map_err(|error| stopped(error, writing.total))?;
    let report = report(finished, writing.total, ignored_columns, encoding);
    if !request.dry_run {
        let detail = audit_detail(request, &report);
        store
            .audit(by, "import", Some(&detail), clock.now())
            .await?;
    }
    Ok(report)
}

/// The writing side's ends.
struct Filled {
    batches: Receiver<Batch>,
    drafts: Sender<Draft>,
}

fn belt(reading: &Reading) -> Result<(Belt, Filled), Error> {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (emptied, drafts) = mpsc::channel(BATCHES);
    for _ in 0..BATCHES {
        // There is room for all of them.
        drop(emptied.try_send(reading.draft()?));
    }
    let belt = Belt {
        batches: sender,
        drafts,
    };
    let drafts = emptied;
    Ok((belt, Filled { batches, drafts }))
}

async fn open(input: &Input, revision: &Revision) -> Result<Reading, Error> {
    let (input, revision) = (input.clone(), revision.clone());
    spawn_blocking(move || Reading::open(&input, &revision)).await?
}

fn stopped(error: Error, total: Upserted) -> Error {
    match total.created + total.updated + total.unchanged {
        0 => error,
        stored => Error::Stopped {
            stored,
            error: Box::new(error),
        },
    }
}

fn report(
    finished: Finished,
    total: Upserted,
    ignored_columns: Vec<String>,
    encoding: &'static str,
) -> ImportReport {
    ImportReport {
        read: finished.seen.rows,
        created: total.created,
        updated: total.updated,
        unchanged: total.unchanged,
        rejected: finished.seen.rejected,
        duplicates: finished.seen.duplicates,
        rejects_file: finished.rejects_file,
        ignored_columns,
        encoding,
    }
}

fn audit_detail(request: &ImportRequest, report: &ImportReport) -> String {
    let file = request.input.path.file_name().unwrap_or_default();
    serde_json::json!({
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

/// The writing side: one batch after the other, in transactions short enough for what runs beside.
struct Writing<'a> {
    store: &'a Store,
    revision: &'a Revision,
    request: &'a ImportRequest,
    by: &'a By,
    clock: &'a dyn Clock,
    shared_rows: usize,
    total: Upserted,
}

impl<'a> Writing<'a> {
    fn new(
        store: &'a Store,
        revision: &'a Revision,
        request: &'a ImportRequest,
        by: &'a By,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            store,
            revision,
            request,
            by,
            clock,
            shared_rows: SHARED_ROWS,
            total: Upserted::default(),
        }
    }

    async fn write_all(
        &mut self,
        filled: &mut Filled,
        watch: &(dyn Fn(Seen) + Sync),
    ) -> crate::store::Result<()> {
        while let Some(batch) = filled.batches.recv().await {
            self.write(&batch.customers).await?;
            watch(batch.seen);
            // Nobody takes it any more once the whole file is read.
            drop(filled.drafts.try_send(batch.customers.emptied()));
        }
        Ok(())
    }

    async fn write(&mut self, customers: &Sheet) -> crate::store::Result<()> {
        if self.store.owner().await?.is_none() {
            return self.write_slice(customers, customers.rows()).await;
        }
        let mut rest = customers.rows();
        while !rest.is_empty() {
            let slice = rest.start..rest.end.min(rest.start + self.shared_rows);
            rest.start = slice.end;
            let begun = Instant::now();
            self.write_slice(customers, slice).await?;
            self.make_room(begun.elapsed()).await;
        }
        Ok(())
    }

    /// Leaves the store to others for as long as we had it.
    async fn make_room(&mut self, taken: Duration) {
        self.shared_rows = if taken > SHARED_TIME {
            (self.shared_rows / 2).max(FEWEST_ROWS)
        } else {
            (self.shared_rows * 5 / 4).min(SHARED_ROWS)
        };
        tokio::time::sleep(taken.min(SHARED_TIME)).await;
    }

    async fn write_slice(
        &mut self,
        customers: &Sheet,
        rows: Range<usize>,
    ) -> crate::store::Result<()> {
        let upsert = Upsert {
            model: &self.revision.data_model,
            tags: &self.request.tags,
            consents: &self.request.consents,
            by: self.by,
            at: self.clock.now(),
        };
        let upserted = if self.request.dry_run {
            self.store.compare_sheet(customers, rows, &upsert).await?
        } else {
            self.store.upsert_sheet(customers, rows, &upsert).await?
        };
        self.total.created += upserted.created;
        self.total.updated += upserted.updated;
        self.total.unchanged += upserted.unchanged;
        Ok(())
    }
}
