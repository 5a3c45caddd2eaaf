//! Owns going through the rows of an import: to look at them, or to store them. Each part of a window is
//! one transaction with the place of the import, so that whoever goes on does nothing twice.

use std::time::Instant;

use serde_json::json;
use tokio::task::spawn_blocking;

use super::task::{Ended, Task};
use super::{lines, plan, spool};
use crate::customers::belt::{Filled, belt, open};
use crate::customers::error::Error;
use crate::customers::list_names;
use crate::customers::matching::{Matching, Resolved};
use crate::customers::names;
use crate::customers::reading::{Batch, Reading, rejected};
use crate::customers::sharing::Sharing;
use crate::domain::audit::By;
use crate::domain::ids::{BUCKETS, NameNo};
use crate::domain::import::{
    Import, ImportCounts, ImportFindings, ImportPlace, ImportState, RejectedRow,
};
use crate::domain::import_plan::ImportKind;
use crate::domain::job::JobEnd;
use crate::store::{ImportPage, JobStanding, Upsert};

/// Looks at all rows, and writes down what would become of them.
pub(super) async fn check(task: &Task<'_>, import: &Import) -> Result<Ended, Error> {
    match go(task, import, true).await {
        Ok(None) => {}
        Ok(Some(ended)) => return Ok(ended),
        // What is wrong with the file is what was to be found out.
        Err(error @ (Error::Table(_) | Error::Mapping(_) | Error::UnknownName(_))) => {
            let known = super::staging::find(task.store, import.number).await?;
            let findings = ImportFindings {
                problem: Some(error.to_string()),
                ..known.findings
            };
            task.store.import_found(import.number, &findings).await?;
        }
        Err(error) => return Err(error),
    }
    let (store, now) = (task.store, task.clock.now());
    store
        .set_import(import.number, ImportState::Checked, now)
        .await?;
    Ok(Ended::ToTheEnd(JobEnd::Done(None)))
}

/// Stores the customers of all rows.
pub(super) async fn save(task: &Task<'_>, import: &Import) -> Result<Ended, Error> {
    if let Some(ended) = go(task, import, false).await? {
        return Ok(ended);
    }
    let (store, now) = (task.store, task.clock.now());
    let done = super::staging::find(store, import.number).await?;
    store.count_job(task.hold, done.counts.read).await?;
    store
        .set_import(import.number, ImportState::Saved, now)
        .await?;
    let detail = json!({
        "import": import.number,
        "file": import.name,
        "kind": import.plan.kind,
        "counts": done.counts,
        "tags": import.plan.tags,
        "consents": import.plan.consents,
        "list": import.plan.list,
    });
    let detail = detail.to_string();
    store
        .audit(&task.job.by(), "import", Some(&detail), now)
        .await?;
    spool::remove(store, import).await?;
    let result = json!({ "import": import.number, "counts": done.counts });
    Ok(Ended::ToTheEnd(JobEnd::Done(Some(result))))
}

/// Goes through the rest of the rows; how that ended before the end of the file, if it did.
async fn go(task: &Task<'_>, import: &Import, is_trial: bool) -> Result<Option<Ended>, Error> {
    if task.job.is_to_stop {
        return Ok(Some(Ended::ToTheEnd(JobEnd::Cancelled)));
    }
    if import.plan.kind != ImportKind::Customers {
        return lines::go(task, import, is_trial).await;
    }
    let (store, revision) = (task.store, &task.published.revision);
    for tag in &import.plan.tags {
        names::check_tag(&revision.data_model, tag)?;
    }
    let list = list_names::number(store, import.plan.list.as_deref()).await?;
    let path = spool::at_hand(store, import).await?;
    let reading = open(&plan::input(&import.plan, path)?, revision).await?;
    store
        .import_found(import.number, &findings(&reading))
        .await?;
    let reading = reading.sealed_by(store.seal().await?).following(store);
    let reading = reading.from(import.place);
    let matching = Matching {
        store,
        field: reading.key().cloned(),
        no_match: import.plan.no_match,
        several_match: import.plan.several_match,
        import: import.number,
    };
    let naming = reading.naming();
    let (belt, mut filled) = belt(&reading)?;
    let reader = spawn_blocking(move || reading.run(belt));
    let mut saving = Saving {
        task,
        import,
        list,
        matching,
        naming,
        by: task.job.by(),
        sharing: Sharing::default(),
        is_trial,
        place: import.place,
        counts: import.counts,
    };
    let written = saving.write_all(&mut filled).await;
    drop(filled);
    let finished = reader.await?;
    match written? {
        Some(ended) => Ok(Some(ended)),
        None => finished.map(|_| None),
    }
}

fn findings(reading: &Reading) -> ImportFindings {
    ImportFindings {
        columns: reading.columns().to_vec(),
        ignored_columns: reading.ignored_columns().to_vec(),
        encoding: Some(reading.encoding().to_owned()),
        problem: None,
    }
}

struct Saving<'a> {
    task: &'a Task<'a>,
    import: &'a Import,
    list: Option<NameNo>,
    matching: Matching<'a>,
    naming: Vec<usize>,
    by: By,
    sharing: Sharing,
    is_trial: bool,
    place: ImportPlace,
    counts: ImportCounts,
}

impl Saving<'_> {
    async fn write_all(&mut self, filled: &mut Filled) -> Result<Option<Ended>, Error> {
        while let Some(batch) = filled.batches.recv().await {
            let Batch {
                customers,
                mut rejects,
                read,
                ..
            } = batch;
            let mut resolved = self.matching.resolve(customers).await?;
            let refused = std::mem::take(&mut resolved.refused).into_iter();
            let refused = refused.map(|(row, why)| rejected(&row.row, &self.naming, why));
            rejects.extend(refused);
            if let Some(ended) = self.write(&resolved, &rejects, read).await? {
                return Ok(Some(ended));
            }
            let Resolved {
                customers, emptied, ..
            } = resolved;
            let emptied = emptied.unwrap_or_else(|| customers.emptied());
            // Nobody takes it any more once the whole file is read.
            drop(filled.drafts.try_send(emptied));
        }
        Ok(None)
    }

    /// Writes a window, part by part.
    async fn write(
        &mut self,
        window: &Resolved,
        rejects: &[RejectedRow],
        read: u64,
    ) -> Result<Option<Ended>, Error> {
        if read == 0 {
            return Ok(None);
        }
        let is_shared = self.task.store.owner().await?.is_some();
        loop {
            if self.task.stop.is_cancelled() {
                return Ok(Some(Ended::Stopped));
            }
            let begun = Instant::now();
            let most = if is_shared {
                self.sharing.rows()
            } else {
                usize::MAX
            };
            let (rows, next) = window.customers.slice(self.place.bucket, most);
            let is_last = next >= BUCKETS;
            let next = (!is_last).then_some(next);
            let page = self.page(window, rejects, read, next);
            let upsert = Upsert {
                model: &self.task.published.revision.data_model,
                tags: &self.import.plan.tags,
                consents: &self.import.plan.consents,
                by: &self.by,
                at: self.task.clock.now(),
            };
            let store = self.task.store;
            let step = store
                .import_sheet(&window.customers, rows, &upsert, &page)
                .await?;
            let (place, counts) = (page.place, page.counts_with(step.upserted));
            (self.place, self.counts) = (place, counts);
            match step.standing {
                JobStanding::GoOn => {}
                JobStanding::Stop => return Ok(Some(Ended::ToTheEnd(JobEnd::Cancelled))),
                JobStanding::Lost => return Ok(Some(Ended::Lost)),
            }
            if is_last {
                return Ok(None);
            }
            self.sharing.make_room(begun).await;
        }
    }

    /// Where the import is after a part of a window: at this bucket of it, or behind it.
    fn page<'b>(
        &'b self,
        window: &Resolved,
        rejects: &'b [RejectedRow],
        read: u64,
        next: Option<u16>,
    ) -> ImportPage<'b> {
        let mut page = ImportPage {
            import: self.import.number,
            hold: Some(self.task.hold),
            place: self.place,
            counts: self.counts,
            rejects: &[],
            passed: 0,
            list: self.list,
            is_trial: self.is_trial,
        };
        if let Some(bucket) = next {
            page.place.window = Some(read);
            page.place.bucket = bucket;
            return page;
        }
        page.place = ImportPlace {
            rows: self.place.rows + read,
            window: None,
            bucket: 0,
            windows: self.place.windows + 1,
        };
        page.rejects = rejects;
        page.passed = window.duplicates + window.skipped;
        page.counts.read += rejects.len() as u64 + page.passed;
        page.counts.rejected += rejects.len() as u64;
        page.counts.duplicates += window.duplicates;
        page.counts.skipped += window.skipped;
        page
    }
}
