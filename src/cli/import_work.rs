//! Owns seeing a job about an import through: the running daemon does it, or this command where there is
//! none.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::columns::counted;
use super::progress::Progress;
use super::session::Session;
use crate::customers::jobs::carrying::{Crew, Flows, Later};
use crate::domain::job::{Job, JobNo};
use crate::store::{Error, JobPage, Published, Result, Stepped};

/// Between two looks at a job that somebody else does.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Imports connect nobody to a flow.
struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, flow: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        let refused = format!("nobody is connected to `{flow}` without the daemon");
        Box::pin(async move { Err(Error::Unusable(refused)) })
    }
}

/// Waits for the end of a job, and does it if there is no daemon that would.
pub(super) async fn see_through(session: &Session, number: JobNo) -> anyhow::Result<Job> {
    let store = &session.store;
    let crew = Crew {
        store: store.clone(),
        clock: Arc::clone(&session.clock),
        flows: Arc::new(NoFlows(Arc::new(session.published.clone()))),
        node: None,
    };
    let (progress, stop) = (Progress::new(), CancellationToken::new());
    loop {
        let job = store.job(number).await?;
        let job = job.with_context(|| format!("there is no job {number}"))?;
        if job.state.is_over() {
            progress.clear();
            return Ok(job);
        }
        if let Some(total) = job.total {
            progress.at(job.done, total, format!("{} rows", counted(job.done)));
        }
        let is_ours = store.owner().await?.is_none();
        if !(is_ours && crew.run_once(Some(number), &stop).await?.is_some()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
