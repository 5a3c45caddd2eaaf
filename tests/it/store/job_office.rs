//! Owns an office for the tests of jobs: orders are queued, carried out and counted.

use std::sync::Arc;

use drumbeat::clock::SystemClock;
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::customers::jobs::picking::Picked;
use drumbeat::customers::jobs::queue::queue;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::job::{Job, JobNo, JobPlace, JobState};
use drumbeat::domain::job_order::{Action, Order, Selection};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::store::{JobChange, JobPage, Published, Result, Stepped, Store};
use tokio_util::sync::CancellationToken;

use super::life::by;
use super::rig::{Fresh, now, revision, row, text};

/// Jobs that have nothing to do with flows.
pub(super) struct NoFlows(pub(super) Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async { unreachable!("nobody is connected here") })
    }
}

pub(super) struct Office<'a> {
    pub(super) store: &'a Fresh,
    pub(super) published: Arc<Published>,
    pub(super) crew: Crew,
}

impl<'a> Office<'a> {
    /// With so many customers, every third of whom is from Lyon.
    pub(super) async fn with(store: &'a Fresh, customers: usize) -> Self {
        let published = Arc::new(store.published(&revision()).await);
        let city = |n: usize| if n.is_multiple_of(3) { "Lyon" } else { "Paris" };
        let rows = (0..customers).map(|n| row(&format!("c{n}"), &[("city", text(city(n)))]));
        let rows: Vec<_> = rows.collect();
        store.import(&rows, &revision().data_model).await;
        store.execute("DELETE FROM dirty").await;
        let crew = Crew {
            store: store.store().clone(),
            clock: Arc::new(SystemClock),
            flows: Arc::new(NoFlows(Arc::clone(&published))),
            node: None,
        };
        Self {
            store,
            published,
            crew,
        }
    }

    pub(super) async fn queue(&self, selection: Selection, action: Action) -> JobNo {
        self.queue_picked(selection, action, &Picked::default())
            .await
    }

    pub(super) async fn queue_picked(
        &self,
        selection: Selection,
        action: Action,
        picked: &Picked,
    ) -> JobNo {
        let order = Order { selection, action };
        let by = by();
        let queued = queue(self.store, &self.published, &order, picked, (&by, now()));
        queued.await.unwrap()
    }

    /// Carries a job out to its end.
    pub(super) async fn done(&self, job: JobNo) -> Job {
        let stop = CancellationToken::new();
        let ran = self.crew.run_once(Some(job), &stop).await.unwrap();
        assert_eq!(ran, Some(job));
        self.store.job(job).await.unwrap().unwrap()
    }

    pub(super) async fn did(&self, selection: Selection, action: Action) -> Job {
        let job = self.queue(selection, action).await;
        self.done(job).await
    }

    pub(super) async fn tagged(&self) -> i64 {
        self.store
            .number("SELECT count(*) FROM customer_tags")
            .await
    }

    /// Tags the first customers of a job, as whoever holds it would.
    pub(super) async fn page(
        &self,
        store: &Store,
        hold: &drumbeat::store::JobHold,
        customers: &[CustomerId],
    ) -> Stepped {
        let tag = self.published.numbers.number(NameKind::Tag, "vip").unwrap();
        let tags = [(tag, "vip".to_owned())];
        let by = by();
        let page = JobPage {
            hold,
            customers,
            place: JobPlace::after(*customers.last().unwrap()),
            by: &by,
            at: now(),
        };
        let change = JobChange::Tags(&tags, true);
        store.change_page(&page, &change).await.unwrap()
    }
}

pub(super) fn lyon() -> Selection {
    Selection::Where(Condition::Field {
        field: "city".to_owned(),
        test: Test::Is(text("Lyon")),
    })
}

pub(super) fn vip() -> Action {
    Action::AddTags(vec!["vip".to_owned()])
}

pub(super) fn counts(job: &Job) -> (JobState, Option<u64>, u64, u64, u64) {
    (job.state, job.total, job.done, job.changed, job.failed)
}
