//! Owns the daemon's work on jobs: a few at a time, beside everything else.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::customers::jobs::carrying::{Crew, Flows, Later};
use crate::engine::{Beat, Engine, Pulse, beat, connect};
use crate::store::{JobPage, Published, Result, Stepped};

/// Jobs that one node carries out at a time.
pub(super) const AT_ONCE: usize = 2;
/// A job does not matter to the moment; every change of the store does not wake whoever waits for one.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After a failure, before the next try.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// The engine, as jobs see it.
struct Running(Arc<Engine>);

impl Flows for Running {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0.catalog().published)
    }

    fn connect<'a>(&'a self, flow: &'a str, page: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async move {
            let engine = &self.0;
            let stepped = connect(&engine.store, &engine.catalog(), flow, page).await?;
            engine.metrics.enrolled.inc_by(stepped.changed);
            Ok(stepped)
        })
    }
}

/// Carries out jobs until stopped; what is not over then is left to whoever comes next.
pub(super) fn work(
    engine: &Arc<Engine>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let crew = Crew {
        store: engine.store.clone(),
        clock: Arc::clone(&engine.clock),
        flows: Arc::new(Running(Arc::clone(engine))),
        node: Some(engine.incarnation),
    };
    let told = stop.clone();
    beat("jobs", Pulse::silent(), stop.clone(), move || {
        let (crew, stop) = (crew.clone(), told.clone());
        async move { Ok::<Beat, Infallible>(once(&crew, &stop).await) }
    })
}

async fn once(crew: &Crew, stop: &CancellationToken) -> Beat {
    match crew.run_once(None, stop).await {
        Ok(Some(_)) => Beat::Now,
        Ok(None) => Beat::Within(LOOK_EVERY),
        Err(error) => {
            tracing::warn!(%error, "a job is tried again");
            tokio::time::sleep(AFTER_FAILURE).await;
            Beat::Now
        }
    }
}
