//! Owns taking an import back: what it changed first, then those whom it made.

use serde_json::json;

use super::spool;
use super::task::{Ended, Task};
use crate::customers::error::Error;
use crate::domain::ids::CustomerId;
use crate::domain::import::{Import, ImportState};
use crate::domain::job::{JobEnd, JobPlace};
use crate::store::{JobStanding, Reverting, Stepped};

/// Customers in one transaction: others want to write, too.
const CHANGED_TOGETHER: u32 = 500;
/// Much may be known of each, and all of it goes.
const MADE_TOGETHER: usize = 100;

/// Takes an import back, or says what would be; who is left as they are is among the failures of the job.
pub(super) async fn revert(
    task: &Task<'_>,
    import: &Import,
    is_trial: bool,
) -> Result<Ended, Error> {
    let by = task.job.by();
    let back = TakingBack {
        task,
        import,
        ranges: task.store.made_ranges(import.number).await?,
    };
    let mut phase = Some(task.job.place.unwrap_or(JobPlace::After(-1)));
    let mut is_to_stop = task.job.is_to_stop;
    while let Some(place) = phase {
        if is_to_stop {
            return Ok(Ended::ToTheEnd(JobEnd::Cancelled));
        }
        if task.stop.is_cancelled() {
            return Ok(Ended::Stopped);
        }
        let reverting = Reverting {
            hold: task.hold,
            import: import.number,
            model: &task.published.revision.data_model,
            by: &by,
            at: task.clock.now(),
            is_trial,
        };
        match back.page(&reverting, place).await? {
            Some((stepped, next)) => {
                match stepped.standing {
                    JobStanding::GoOn => {}
                    JobStanding::Stop => is_to_stop = true,
                    JobStanding::Lost => return Ok(Ended::Lost),
                }
                phase = Some(next);
            }
            None if matches!(place, JobPlace::Made(_)) => phase = None,
            None => phase = Some(JobPlace::Made(-1)),
        }
        tokio::task::yield_now().await;
    }
    back.end(is_trial).await
}

struct TakingBack<'a> {
    task: &'a Task<'a>,
    import: &'a Import,
    ranges: crate::store::MadeRanges,
}

impl TakingBack<'_> {
    async fn page(
        &self,
        reverting: &Reverting<'_>,
        place: JobPlace,
    ) -> Result<Option<(Stepped, JobPlace)>, Error> {
        let store = self.task.store;
        let after = |number: i64| (number >= 0).then_some(CustomerId(number));
        Ok(match place {
            JobPlace::Made(number) => {
                let (ranges, after) = (&self.ranges, after(number));
                let page = store.revert_made(reverting, ranges, after, MADE_TOGETHER);
                page.await?
            }
            JobPlace::After(number) => {
                let page = store.revert_changed(reverting, after(number), CHANGED_TOGETHER);
                page.await?
            }
            JobPlace::Parts(_) => None,
        })
    }

    async fn end(&self, is_trial: bool) -> Result<Ended, Error> {
        let (store, number) = (self.task.store, self.import.number);
        let now = self.task.clock.now();
        let job = store.job(self.task.job.number).await?;
        let (changed, left) = job.map_or((0, 0), |job| (job.changed, job.failed));
        let result = json!({
            "import": number, "changed": changed, "left": left, "dry_run": is_trial,
        });
        if !is_trial {
            store.set_import(number, ImportState::Reverted, now).await?;
            spool::remove(store, self.import).await?;
            let detail = result.to_string();
            let by = self.task.job.by();
            store
                .audit(&by, "import reverted", Some(&detail), now)
                .await?;
            store.empty_journal().await?;
        }
        Ok(Ended::ToTheEnd(JobEnd::Done(Some(result))))
    }
}
