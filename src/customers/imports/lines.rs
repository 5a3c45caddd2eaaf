//! Owns going through the rows of an import that are lines about customers. What some rows tell is one
//! transaction with the place of the import, so that whoever goes on does nothing twice.

use tokio::task::spawn_blocking;

use super::task::{Ended, Task};
use super::{plan, spool};
use crate::customers::error::Error;
use crate::customers::lines::{LineImport, Lines, next};
use crate::customers::named_rows::NamedRows;
use crate::domain::import::{Import, ImportFindings, ImportPlace};
use crate::domain::import_plan::ImportKind;
use crate::domain::job::JobEnd;
use crate::store::{ImportPage, JobStanding};

/// The lines that a kind of import is about; none: it is about customers.
pub(super) fn lines_of(kind: ImportKind) -> Option<Lines> {
    match kind {
        ImportKind::Interactions => Some(Lines::Interactions),
        ImportKind::Unsubscriptions => Some(Lines::Unsubscriptions),
        ImportKind::Transactions => Some(Lines::Transactions),
        ImportKind::Customers => None,
    }
}

/// Goes through the rest of the rows; how that ended before the end of the file, if it did.
pub(super) async fn go(
    task: &Task<'_>,
    import: &Import,
    is_trial: bool,
) -> Result<Option<Ended>, Error> {
    let lines = lines_of(import.plan.kind).ok_or_else(|| plan::unsupported(import.plan.kind))?;
    let (store, by) = (task.store, task.job.by());
    let input = plan::input(&import.plan, spool::at_hand(store, import).await?)?;
    let work = LineImport {
        store,
        revision: &task.published.revision,
        lines,
        input: &input,
        no_match: import.plan.no_match,
        dry_run: is_trial,
        by: &by,
        clock: task.clock,
    };
    let rows = work.open().await?;
    store.import_found(import.number, &findings(&rows)).await?;
    let (mut place, mut counts) = (import.place, import.counts);
    let mut rows = spawn_blocking(move || rows.from(place.rows)).await??;
    loop {
        if task.stop.is_cancelled() {
            return Ok(Some(Ended::Stopped));
        }
        let batch;
        (rows, batch) = next(rows).await?;
        if batch.is_empty() {
            return Ok(None);
        }
        let told = work.take(&mut rows, &batch).await?;
        let (rejects, read) = (rows.rejects(), batch.len() as u64);
        let rejected = rejects.len() as u64;
        place = ImportPlace {
            rows: place.rows + read,
            ..place
        };
        counts.read += rejected + told.skipped;
        counts.rejected += rejected;
        counts.skipped += told.skipped;
        let page = ImportPage {
            import: import.number,
            hold: Some(task.hold),
            place,
            counts,
            rejects: &rejects,
            passed: told.skipped,
            list: None,
            is_trial,
        };
        let step = work.write(&told.lines, Some(&page)).await?;
        let lines = read - rejected - told.skipped;
        counts.read += lines;
        counts.created += step.news;
        counts.unchanged += lines - step.news;
        match step.standing {
            JobStanding::GoOn => {}
            JobStanding::Stop => return Ok(Some(Ended::ToTheEnd(JobEnd::Cancelled))),
            JobStanding::Lost => return Ok(Some(Ended::Lost)),
        }
    }
}

fn findings(rows: &NamedRows) -> ImportFindings {
    ImportFindings {
        columns: rows.columns().to_vec(),
        ignored_columns: rows.ignored_columns().to_vec(),
        encoding: Some(rows.encoding().to_owned()),
        problem: None,
    }
}
