//! Owns carrying jobs out: one at a time is taken up, and gone on with until it is over, page by page.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::chosen::Chosen;
use super::exporting::{Exported, Exporting};
use super::prepared::{self, Prepared};
use crate::clock::Clock;
use crate::customers::error::Error;
use crate::customers::imports;
use crate::customers::imports::work::{Ended, Task};
use crate::customers::traces;
use crate::domain::ids::Incarnation;
use crate::domain::job::{Job, JobEnd, JobNo, JobPlace};
use crate::domain::job_order::Order;
use crate::domain::revision::Numbers;
use crate::store::{self, Frame, JobHold, JobPage, JobStanding, Published, Stepped, Store};

/// So often somebody who is at a job says so.
const SAYS_SO: Duration = Duration::from_secs(2);

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What jobs ask of whoever runs the flows.
pub trait Flows: Send + Sync {
    /// The revision in force.
    fn published(&self) -> Arc<Published>;

    /// Has the customers of a page enter a flow, and moves the job on.
    fn connect<'a>(
        &'a self,
        flow: &'a str,
        page: &'a JobPage<'a>,
    ) -> Later<'a, store::Result<Stepped>>;
}

/// Who carries jobs out.
#[derive(Clone)]
pub struct Crew {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub flows: Arc<dyn Flows>,
    /// Of a daemon.
    pub node: Option<Incarnation>,
}

/// How far somebody got with a job.
enum Got {
    ToTheEnd(JobEnd),
    /// Told to stop; whoever comes next goes on.
    Stopped,
    /// Somebody else is at it.
    Lost,
}

impl From<Exported> for Got {
    fn from(exported: Exported) -> Self {
        match exported {
            Exported::ToTheEnd(end) => Self::ToTheEnd(end),
            Exported::Stopped => Self::Stopped,
            Exported::Lost => Self::Lost,
        }
    }
}

impl Crew {
    /// Takes up a job that nobody is at, and carries it out until it is over or `stop` says so; which
    /// it was.
    pub async fn run_once(
        &self,
        wanted: Option<JobNo>,
        stop: &CancellationToken,
    ) -> Result<Option<JobNo>, Error> {
        let taken = self.store.take_job(wanted, self.node, self.clock.now());
        let Some((hold, job)) = taken.await? else {
            return Ok(None);
        };
        let got = tokio::select! {
            biased;
            got = Box::pin(self.carry_out(&hold, &job, stop)) => got,
            () = self.lose(&hold) => Ok(Got::Lost),
        };
        let end = match got {
            Ok(Got::ToTheEnd(end)) => end,
            Ok(Got::Stopped) => {
                self.store.give_job_back(&hold).await?;
                return Ok(Some(hold.job));
            }
            Ok(Got::Lost) => return Ok(Some(hold.job)),
            Err(error) if is_passing(&error) => {
                self.store.give_job_back(&hold).await?;
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(job = hold.job.0, %error, "a job cannot go on");
                JobEnd::Failed(error.to_string())
            }
        };
        self.store.end_job(&hold, &end, self.clock.now()).await?;
        Ok(Some(hold.job))
    }

    async fn carry_out(
        &self,
        hold: &JobHold,
        job: &Job,
        stop: &CancellationToken,
    ) -> Result<Got, Error> {
        if job.is_to_stop {
            return Ok(Got::ToTheEnd(JobEnd::Cancelled));
        }
        if imports::work::is_for(job.kind) {
            return self.import(hold, job, stop).await;
        }
        let order: Order = serde_json::from_value(job.body.clone())
            .map_err(|error| store::Error::Corrupt(format!("the job {}: {error}", job.number)))?;
        let published = self.flows.published();
        let prepared = Prepared::of(&self.store, &published, &order.action).await?;
        if let Prepared::Export = prepared {
            let exporting = Exporting {
                store: &self.store,
                clock: self.clock.as_ref(),
                published: &published,
                hold,
                job,
            };
            return Ok(exporting.run(&order, stop).await?.into());
        }
        let walk = Walk {
            crew: self,
            hold,
            job,
            chosen: Chosen::of(&self.store, &published.revision, &order.selection).await?,
            together: prepared::page(&order.action),
            prepared,
            numbers: self.store.numbers().await?,
            published,
        };
        let got = walk.go(stop).await?;
        if let Prepared::Delete = walk.prepared {
            traces::remove(&self.store).await?;
        }
        Ok(got)
    }

    async fn import(
        &self,
        hold: &JobHold,
        job: &Job,
        stop: &CancellationToken,
    ) -> Result<Got, Error> {
        let task = Task {
            store: &self.store,
            clock: self.clock.as_ref(),
            published: self.flows.published(),
            hold,
            job,
            stop,
        };
        Ok(match imports::work::carry_out(&task).await? {
            Ended::ToTheEnd(end) => Got::ToTheEnd(end),
            Ended::Stopped => Got::Stopped,
            Ended::Lost => Got::Lost,
        })
    }

    /// Says again and again that somebody is at the job, until somebody else is.
    async fn lose(&self, hold: &JobHold) {
        loop {
            tokio::time::sleep(SAYS_SO).await;
            match self.store.keep_job(hold).await {
                Ok(JobStanding::Lost) => return,
                Ok(JobStanding::GoOn | JobStanding::Stop) => {}
                Err(error) => tracing::warn!(job = hold.job.0, %error, "cannot keep a job"),
            }
        }
    }
}

/// The way through those whom a job is about.
struct Walk<'a> {
    crew: &'a Crew,
    hold: &'a JobHold,
    job: &'a Job,
    chosen: Chosen,
    prepared: Prepared,
    together: u32,
    /// Of lists made since the revision was published, too.
    numbers: Numbers,
    published: Arc<Published>,
}

impl Walk<'_> {
    async fn go(&self, stop: &CancellationToken) -> Result<Got, Error> {
        let store = &self.crew.store;
        if self.job.total.is_none() {
            let total = self.chosen.count(store, &self.frame()).await?;
            store.count_job(self.hold, total).await?;
        }
        let by = self.job.by();
        let mut place = self.job.place;
        while let Some((customers, next)) = self.page(place).await? {
            if stop.is_cancelled() {
                return Ok(Got::Stopped);
            }
            let page = JobPage {
                hold: self.hold,
                customers: &customers,
                place: next,
                by: &by,
                at: self.crew.clock.now(),
            };
            match self.change(&page).await?.standing {
                JobStanding::GoOn => place = Some(next),
                JobStanding::Stop => return Ok(Got::ToTheEnd(JobEnd::Cancelled)),
                JobStanding::Lost => return Ok(Got::Lost),
            }
            tokio::task::yield_now().await;
        }
        Ok(Got::ToTheEnd(JobEnd::Done(None)))
    }

    async fn page(
        &self,
        place: Option<JobPlace>,
    ) -> Result<Option<(Vec<crate::domain::ids::CustomerId>, JobPlace)>, Error> {
        let frame = self.frame();
        let asked = (&self.crew.store, &frame);
        let page = self.chosen.page(asked, self.hold.job, place, self.together);
        page.await
    }

    async fn change(&self, page: &JobPage<'_>) -> Result<Stepped, Error> {
        let model = &self.published.revision.data_model;
        let stepped = match (&self.prepared, self.prepared.change(model)) {
            (_, Some(change)) => self.crew.store.change_page(page, &change).await,
            (Prepared::Connect(flow), None) => self.crew.flows.connect(flow, page).await,
            (_, None) => Err(store::Error::Unusable("nothing is to be done".to_owned())),
        };
        Ok(stepped?)
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            revision: &self.published.revision,
            numbers: &self.numbers,
            now: self.crew.clock.now(),
        }
    }
}

/// Whether trying again later may help.
fn is_passing(error: &Error) -> bool {
    let Error::Store(error) = error else {
        return false;
    };
    matches!(
        error,
        store::Error::Busy | store::Error::Away(_) | store::Error::InDoubt
    ) || error.leaves_doubt()
}
