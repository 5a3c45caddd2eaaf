//! Owns those who carry out jobs that have nothing to do with flows.

use std::sync::Arc;

use drumbeat::clock::Clock;
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::domain::job::{Job, JobNo};
use drumbeat::store::{JobPage, Published, Result, Stepped, Store};
use tokio_util::sync::CancellationToken;

struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async { unreachable!("nobody is connected here") })
    }
}

pub(crate) fn crew(store: &Store, published: &Arc<Published>, clock: Arc<dyn Clock>) -> Crew {
    Crew {
        store: store.clone(),
        clock,
        flows: Arc::new(NoFlows(Arc::clone(published))),
        node: None,
    }
}

/// Carries a job out to its end.
pub(crate) async fn done(crew: &Crew, job: JobNo) -> Job {
    let ran = crew.run_once(Some(job), &CancellationToken::new()).await;
    assert_eq!(ran.unwrap(), Some(job));
    let job = crew.store.job(job).await.unwrap().unwrap();
    assert!(job.state.is_over(), "{job:?}");
    job
}
