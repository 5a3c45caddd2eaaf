//! Owns the tests of customers whom somebody connects to a flow.

use std::sync::Arc;

use drumbeat::clock::Clock;
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::customers::jobs::picking;
use drumbeat::customers::jobs::queue::queue;
use drumbeat::domain::customer::Status;
use drumbeat::domain::job::{Job, JobState};
use drumbeat::domain::job_order::{Action, Order, Selection};
use drumbeat::engine::{Engine, connect};
use drumbeat::store::{JobPage, Published, Result, Stepped};
use tokio_util::sync::CancellationToken;

use super::people::by;
use super::rig::Rig;
use super::written::{LYON, email, flow};

struct Running(Arc<Engine>);

impl Flows for Running {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0.catalog().published)
    }

    fn connect<'a>(&'a self, flow: &'a str, page: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async move { connect(&self.0.store, &self.0.catalog(), flow, page).await })
    }
}

impl Rig {
    /// The job that connects these customers to the flow `f`, carried out.
    async fn connect(&self, ids: &[&str]) -> Job {
        let engine = self.engine();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let picked = picking::by_ids(&self.store, &ids).await.unwrap();
        let order = Order {
            selection: Selection::Picked,
            action: Action::Connect("f".to_owned()),
        };
        let published = &engine.catalog().published;
        let (by, at) = (by(), self.now());
        let job = queue(&self.store, published, &order, &picked, (&by, at));
        let job = job.await.unwrap();
        let crew = Crew {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            flows: Arc::new(Running(Arc::clone(engine))),
            node: None,
        };
        let stop = CancellationToken::new();
        crew.run_once(Some(job), &stop).await.unwrap();
        self.store.job(job).await.unwrap().unwrap()
    }

    async fn why(&self, job: &Job) -> Vec<(String, String)> {
        let errors = self.store.job_errors(job.number, None, 100).await.unwrap();
        let errors = errors.into_iter();
        let mut why: Vec<(String, String)> = errors
            .map(|(_, failure)| (failure.who.unwrap_or_default(), failure.what))
            .collect();
        why.sort();
        why
    }
}

fn welcome(more: &str) -> String {
    flow("f", LYON, more, &[email("hello", "after: 4d")])
}

#[tokio::test]
async fn whoever_is_connected_walks_the_flow_as_if_they_had_come_to_qualify() {
    let mut rig = Rig::with(&welcome("")).await;
    rig.settle().await;
    rig.advance("2d").await;
    rig.customer("bob", "city=Rome").await;
    let job = rig.connect(&["bob"]).await;
    assert_eq!((job.state, job.done, job.changed), (JobState::Done, 1, 1));
    assert_eq!(rig.entered("bob").await, ["01-07 10:00 f"]);
    rig.advance("30d").await;
    assert_eq!(rig.sent(), ["01-11 10:00 bob email hello"]);
}

#[tokio::test]
async fn whoever_may_not_enter_is_a_failure_with_its_reason() {
    let mut rig = Rig::with(&welcome("")).await;
    rig.customer("ana", "city=Lyon").await;
    for id in ["bob", "cid", "dan"] {
        rig.customer(id, "city=Rome").await;
    }
    rig.settle().await;
    let (cid, mara) = (rig.id("cid").await, by());
    let suspended = rig
        .store
        .set_status(cid, Status::Suspended, &mara, rig.now());
    assert!(suspended.await.unwrap());
    rig.connect(&["bob"]).await;
    rig.advance("5d").await;
    let job = rig.connect(&["ana", "bob", "cid", "dan", "eve"]).await;
    assert_eq!((job.done, job.changed, job.failed), (1, 1, 4));
    let why = rig.why(&job).await;
    let before = "was in the flow before, and may not enter it again, or not yet";
    let expected = [
        ("ana", before),
        ("bob", before),
        ("cid", "is suspended: reactivate them first"),
        ("eve", "there is no customer with this id"),
    ];
    let expected = expected.map(|(who, what)| (who.to_owned(), what.to_owned()));
    assert_eq!(why, expected);
    let again = rig.connect(&["dan"]).await;
    assert_eq!(rig.why(&again).await[0].1, "is in the flow already");
    rig.advance("5d").await;
    rig.sent();
}

#[tokio::test]
async fn who_may_enter_again_can_be_connected_again() {
    let again = "entry: { reentry: every-requalification }";
    let mut rig = Rig::with(&welcome(again)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("5d").await;
    let job = rig.connect(&["ana"]).await;
    assert_eq!((job.changed, job.failed), (1, 0));
    assert_eq!(rig.entered("ana").await.len(), 2);
    rig.advance("5d").await;
    assert_eq!(rig.sent().len(), 2);
}

#[tokio::test]
async fn a_flow_that_keeps_to_its_segment_takes_nobody_else() {
    let leaving = "exit: { on-leaving-segment: true }";
    let mut rig = Rig::with(&welcome(leaving)).await;
    rig.settle().await;
    rig.customer("bob", "city=Rome").await;
    rig.settle().await;
    let job = rig.connect(&["bob"]).await;
    assert_eq!((job.changed, job.failed), (0, 1));
    assert!(rig.why(&job).await[0].1.starts_with("does not qualify"));
    assert_eq!(rig.entered("bob").await, [""; 0]);
}

#[tokio::test]
async fn a_flow_that_nobody_may_enter_ends_the_job() {
    let mut rig = Rig::with(&welcome("")).await;
    rig.settle().await;
    rig.edit("flows/f.yaml", &welcome("status: stopped")).await;
    rig.customer("bob", "city=Rome").await;
    let job = rig.connect(&["bob"]).await;
    assert_eq!(job.state, JobState::Failed);
    let problem = job.problem.unwrap();
    assert!(problem.contains("it is stopped"), "{problem}");
}
