//! Jobs: what is done to many, page by page, by one at a time, and counted right whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use drumbeat::clock::SystemClock;
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::customers::jobs::picking::{self, Picked};
use drumbeat::customers::jobs::queue::queue;
use drumbeat::domain::customer::Status;
use drumbeat::domain::ids::{CustomerId, Incarnation};
use drumbeat::domain::job::{Job, JobEnd, JobKind, JobNo, JobPlace, JobState, MOST_ERRORS};
use drumbeat::domain::job_order::{Action, Order, Selection};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::store::{
    JobChange, JobFilter, JobPage, JobStanding, Published, Result, Stepped, Store,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::life::by;
use super::rig::{Fresh, now, revision, row, text};

/// Jobs that have nothing to do with flows.
struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async { unreachable!("nobody is connected here") })
    }
}

struct Office<'a> {
    store: &'a Fresh,
    published: Arc<Published>,
    crew: Crew,
}

impl<'a> Office<'a> {
    /// With so many customers, every third of whom is from Lyon.
    async fn with(store: &'a Fresh, customers: usize) -> Self {
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

    async fn queue(&self, selection: Selection, action: Action) -> JobNo {
        self.queue_picked(selection, action, &Picked::default())
            .await
    }

    async fn queue_picked(&self, selection: Selection, action: Action, picked: &Picked) -> JobNo {
        let order = Order { selection, action };
        let by = by();
        let queued = queue(self.store, &self.published, &order, picked, (&by, now()));
        queued.await.unwrap()
    }

    /// Carries a job out to its end.
    async fn done(&self, job: JobNo) -> Job {
        let stop = CancellationToken::new();
        let ran = self.crew.run_once(Some(job), &stop).await.unwrap();
        assert_eq!(ran, Some(job));
        self.store.job(job).await.unwrap().unwrap()
    }

    async fn did(&self, selection: Selection, action: Action) -> Job {
        let job = self.queue(selection, action).await;
        self.done(job).await
    }

    async fn tagged(&self) -> i64 {
        self.store
            .number("SELECT count(*) FROM customer_tags")
            .await
    }

    /// Tags the first customers of a job, as whoever holds it would.
    async fn page(
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

fn lyon() -> Selection {
    Selection::Where(Condition::Field {
        field: "city".to_owned(),
        test: Test::Is(text("Lyon")),
    })
}

fn vip() -> Action {
    Action::AddTags(vec!["vip".to_owned()])
}

fn counts(job: &Job) -> (JobState, Option<u64>, u64, u64, u64) {
    (job.state, job.total, job.done, job.changed, job.failed)
}

pub(super) async fn a_job_does_to_everybody_what_it_says_and_counts_them(store: Fresh) {
    let office = Office::with(&store, 1_200).await;
    let job = office.did(lyon(), vip()).await;
    assert_eq!(counts(&job), (JobState::Done, Some(400), 400, 400, 0));
    assert_eq!(office.tagged().await, 400);
    assert_eq!(store.marks().await, 400);
    let lines =
        store.number("SELECT count(*) FROM interactions WHERE kind = 52 AND actor = 'mara'");
    assert_eq!(lines.await, 400);
    let again = office.did(Selection::All, vip()).await;
    assert_eq!(counts(&again), (JobState::Done, Some(1_200), 1_200, 800, 0));
    let off = Action::RemoveTags(vec!["vip".to_owned(), "staff".to_owned()]);
    let off = office.did(Selection::Tag("vip".to_owned()), off).await;
    assert_eq!(counts(&off), (JobState::Done, Some(1_200), 1_200, 1_200, 0));
    assert_eq!(office.tagged().await, 0);
    let fields = json!({ "city": "Nice", "age": 40 })
        .as_object()
        .cloned()
        .unwrap();
    let moved = office.did(lyon(), Action::SetFields(fields)).await;
    assert_eq!(counts(&moved), (JobState::Done, Some(400), 400, 400, 0));
    assert_eq!(store.read("c3").await.text("city"), Some("Nice"));
    assert_eq!(store.read("c4").await.text("city"), Some("Paris"));
    let why = || Some("moved away".to_owned());
    let suspended = office.did(Selection::All, Action::Suspend(why())).await;
    assert_eq!(suspended.changed, 1_200);
    assert_eq!(store.standing_of("c7").await, (Status::Suspended, why()));
    let active = office.did(Selection::All, Action::Reactivate).await;
    assert_eq!(active.changed, 1_200);
    store.is_active("c7").await;
    let discarded = office.did(Selection::All, Action::Discard(None)).await;
    assert_eq!(discarded.changed, 1_200);
    let line = store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(
        (line.what.as_str(), line.actor.as_str()),
        ("job ended", "mara")
    );
}

pub(super) async fn whoever_lost_a_job_writes_nothing_more(store: Fresh) {
    let office = Office::with(&store, 30).await;
    let job = office.queue(Selection::All, vip()).await;
    let (first, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    assert_eq!(store.take_job(None, None, now()).await.unwrap(), None);
    let everybody = store.customers_after(None, 100).await.unwrap();
    let stepped = office.page(&store, &first, &everybody[..10]).await;
    assert_eq!(stepped.standing, JobStanding::GoOn);
    store.execute("UPDATE jobs SET held_until = 0").await;
    let other = store.again().await;
    let (second, seen) = other
        .take_job(Some(job), None, now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.place, Some(JobPlace::after(everybody[9])));
    let stepped = office.page(&store, &first, &everybody[10..20]).await;
    assert_eq!(stepped.standing, JobStanding::Lost);
    assert_eq!(store.keep_job(&first).await.unwrap(), JobStanding::Lost);
    assert!(
        !store
            .end_job(&first, &JobEnd::Cancelled, now())
            .await
            .unwrap()
    );
    assert_eq!(office.tagged().await, 10);
    let stepped = office.page(&other, &second, &everybody[10..]).await;
    assert_eq!(stepped.standing, JobStanding::GoOn);
    assert!(
        other
            .end_job(&second, &JobEnd::Done(None), now())
            .await
            .unwrap()
    );
    let job = store.job(job).await.unwrap().unwrap();
    assert_eq!((job.done, job.changed, office.tagged().await), (30, 30, 30));
}

pub(super) async fn a_job_goes_on_where_it_was_left(store: Fresh) {
    let office = Office::with(&store, 40).await;
    let job = office.queue(Selection::All, vip()).await;
    let (hold, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    let everybody = store.customers_after(None, 100).await.unwrap();
    office.page(&store, &hold, &everybody[..15]).await;
    store.give_job_back(&hold).await.unwrap();
    let left = store.job(job).await.unwrap().unwrap();
    assert_eq!((left.state, left.done), (JobState::Queued, 15));
    let told = CancellationToken::new();
    told.cancel();
    assert_eq!(office.crew.run_once(None, &told).await.unwrap(), Some(job));
    let left = store.job(job).await.unwrap().unwrap();
    assert_eq!((left.state, left.done), (JobState::Queued, 15));
    let done = office.done(job).await;
    assert_eq!(counts(&done), (JobState::Done, Some(40), 40, 40, 0));
}

pub(super) async fn a_job_of_a_node_that_is_gone_is_free_at_once(store: Fresh) {
    let office = Office::with(&store, 5).await;
    let job = office.queue(Selection::All, vip()).await;
    let gone = Some(Incarnation(7));
    assert!(store.take_job(None, gone, now()).await.unwrap().is_some());
    // Somebody at a terminal waits until the time is over, and the node itself holds it still.
    assert_eq!(store.take_job(None, None, now()).await.unwrap(), None);
    assert_eq!(store.take_job(None, gone, now()).await.unwrap(), None);
    let next = Some(Incarnation(8));
    let (_, taken) = store.take_job(None, next, now()).await.unwrap().unwrap();
    assert_eq!(taken.number, job);
    store
        .join(Incarnation(8), "eight", 60_000_000)
        .await
        .unwrap();
    assert_eq!(
        store
            .take_job(None, Some(Incarnation(9)), now())
            .await
            .unwrap(),
        None
    );
}

pub(super) async fn whoever_has_left_the_selection_is_left_alone(store: Fresh) {
    let office = Office::with(&store, 9).await;
    let job = office.queue(lyon(), vip()).await;
    store.set_text("c3", "city", "Rome").await;
    let done = office.done(job).await;
    assert_eq!((done.total, done.changed), (Some(2), 2));
    assert_eq!(store.read("c3").await.tags, Vec::<String>::new());
}

pub(super) async fn the_first_failures_are_kept_and_all_are_counted(store: Fresh) {
    let office = Office::with(&store, 10).await;
    let mut ids: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
    ids.extend((0..1_100).map(|n| format!("nobody{n}")));
    let picked = picking::by_ids(&store, &ids).await.unwrap();
    let job = office.queue_picked(Selection::Picked, vip(), &picked).await;
    store.delete("c4").await;
    let done = office.done(job).await;
    assert_eq!(counts(&done), (JobState::Done, Some(1_110), 9, 9, 1_101));
    let kept = store.job_errors(job, None, 5_000).await.unwrap();
    assert_eq!(kept.len(), MOST_ERRORS as usize);
    assert_eq!(kept[0].1.who.as_deref(), Some("nobody0"));
    let rest = store.job_errors(job, Some(997), 5).await.unwrap();
    assert_eq!(
        rest.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(),
        [998, 999]
    );
    assert_eq!(store.job_part(job, 0).await.unwrap(), None);
}

pub(super) async fn a_job_that_is_cancelled_ends_after_its_page(store: Fresh) {
    let office = Office::with(&store, 20).await;
    let waiting = office.queue(Selection::All, vip()).await;
    assert!(store.cancel_job(waiting, &by(), now()).await.unwrap());
    assert!(!store.cancel_job(waiting, &by(), now()).await.unwrap());
    let waiting = store.job(waiting).await.unwrap().unwrap();
    assert_eq!(
        (waiting.state, waiting.finished_at),
        (JobState::Cancelled, Some(now()))
    );
    let running = office.queue(Selection::All, vip()).await;
    let (hold, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    assert!(store.cancel_job(running, &by(), now()).await.unwrap());
    let everybody = store.customers_after(None, 100).await.unwrap();
    let stepped = office.page(&store, &hold, &everybody[..5]).await;
    assert_eq!((stepped.changed, stepped.standing), (5, JobStanding::Stop));
    store.give_job_back(&hold).await.unwrap();
    let done = office.done(running).await;
    assert_eq!((done.state, done.done), (JobState::Cancelled, 5));
    assert!(store.cancel_job(JobNo(99), &by(), now()).await.is_err());
}

pub(super) async fn a_job_that_cannot_go_on_says_why(store: Fresh) {
    let office = Office::with(&store, 3).await;
    store.add_list("fair", None, &by(), now()).await.unwrap();
    let action = Action::AddToList("fair".to_owned());
    let job = office.queue(Selection::All, action).await;
    store.remove_list("fair", &by(), now()).await.unwrap();
    let done = office.done(job).await;
    assert_eq!(done.state, JobState::Failed);
    assert_eq!(
        done.problem.as_deref(),
        Some("unknown list `fair`: the workspace has no list")
    );
    let order = Order {
        selection: Selection::Tag("vpi".to_owned()),
        action: vip(),
    };
    let (by, picked) = (by(), Picked::default());
    let refused = queue(&store, &office.published, &order, &picked, (&by, now())).await;
    let said = refused.unwrap_err().to_string();
    assert_eq!(said, "unknown tag `vpi`: known are `staff`, `vip`");
}

pub(super) async fn nothing_of_a_deleted_customer_is_left_in_jobs(store: Fresh) {
    let office = Office::with(&store, 12).await;
    store.set_text("c1", "email", "one@example.com").await;
    store.add_list("fair", None, &by(), now()).await.unwrap();
    office
        .did(Selection::All, Action::AddToList("fair".to_owned()))
        .await;
    let job = office.queue(Selection::All, vip()).await;
    for (seq, who) in ["c1", "one@example.com", "c2"].iter().enumerate() {
        let line = format!("INSERT INTO job_errors VALUES ({job}, {seq}, '{who}', 'failed')");
        store.execute(&line).await;
    }
    store.delete("c1").await;
    let left = store.job_errors(job, None, 10).await.unwrap();
    let left: BTreeSet<Option<String>> = left.into_iter().map(|(_, error)| error.who).collect();
    assert_eq!(left, BTreeSet::from([Some("c2".to_owned())]));
    office.done(job).await;
    let deleted = office
        .did(Selection::List("fair".to_owned()), Action::Delete)
        .await;
    assert_eq!(counts(&deleted), (JobState::Done, Some(11), 11, 11, 0));
    for table in ["customers", "list_members", "customer_tags", "job_errors"] {
        let left = store.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(left, 0, "{table}");
    }
}

pub(super) async fn jobs_are_listed_newest_first_and_let_go_of(store: Fresh) {
    let office = Office::with(&store, 2).await;
    for _ in 0..3 {
        office.did(Selection::All, vip()).await;
    }
    let waiting = office.queue(Selection::All, Action::Reactivate).await;
    assert_eq!(waiting, JobNo(4));
    let some = |filter: JobFilter, below| {
        let store = &store;
        async move {
            let jobs = store.jobs(&filter, below, 2).await.unwrap();
            jobs.iter().map(|job| job.number.0).collect::<Vec<_>>()
        }
    };
    assert_eq!(some(JobFilter::default(), None).await, [4, 3]);
    assert_eq!(some(JobFilter::default(), Some(JobNo(3))).await, [2, 1]);
    let kind = JobFilter {
        kind: Some(JobKind::AddTags),
        ..JobFilter::default()
    };
    assert_eq!(some(kind, None).await, [3, 2]);
    let state = JobFilter {
        state: Some(JobState::Queued),
        ..JobFilter::default()
    };
    assert_eq!(some(state, None).await, [4]);
    let actor = JobFilter {
        actor: Some("nobody".to_owned()),
        ..JobFilter::default()
    };
    assert_eq!(some(actor, None).await, [0_i64; 0]);
    let later = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.prune_jobs(later).await.unwrap(), 3);
    assert_eq!(some(JobFilter::default(), None).await, [4]);
    assert!(!store.is_idle().await.unwrap());
}

pub(super) async fn a_file_that_was_half_written_is_begun_anew(store: Fresh) {
    let office = Office::with(&store, 3).await;
    let action = Action::Export {
        format: "csv".to_owned(),
        fields: Some(vec!["city".to_owned()]),
    };
    let job = office.queue(lyon(), action).await;
    let (first, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    store.begin_report(&first).await.unwrap();
    for part in 0..2 {
        let kept = store.add_report_part(&first, part, b"half of it").await;
        assert_eq!(kept.unwrap(), JobStanding::GoOn);
    }
    store.execute("UPDATE jobs SET held_until = 0").await;
    let done = office.done(job).await;
    assert_eq!(
        (done.state, done.total, done.done),
        (JobState::Done, Some(1), 1)
    );
    let lost = store.add_report_part(&first, 7, b"too late").await.unwrap();
    assert_eq!(lost, JobStanding::Lost);
    let report = store.report(job.0).await.unwrap().unwrap();
    let body = store.report_part(job.0, 0).await.unwrap().unwrap();
    assert_eq!(body, b"id,city\nc0,Lyon\n");
    assert_eq!((report.bytes, report.customers), (body.len() as u64, 1));
    assert_eq!(store.report_part(job.0, 1).await.unwrap(), None);
    let later = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.prune_reports(now()).await.unwrap(), 0);
    assert_eq!(store.prune_reports(later).await.unwrap(), 1);
    assert_eq!(store.report(job.0).await.unwrap(), None);
    assert_eq!(store.number("SELECT count(*) FROM report_parts").await, 0);
}

pub(super) async fn a_tag_that_is_declared_no_more_can_be_taken_off_but_not_put_on(store: Fresh) {
    let office = Office::with(&store, 6).await;
    office.did(lyon(), vip()).await;
    let mut without = revision();
    without.data_model.tags.remove("vip");
    let published = Arc::new(store.published(&without).await);
    let office = Office {
        crew: Crew {
            flows: Arc::new(NoFlows(Arc::clone(&published))),
            ..office.crew
        },
        published,
        ..office
    };
    let order = Order {
        selection: Selection::All,
        action: vip(),
    };
    let (by, picked) = (by(), Picked::default());
    let refused = queue(&store, &office.published, &order, &picked, (&by, now())).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .starts_with("unknown tag `vip`")
    );
    let off = Action::RemoveTags(vec!["vip".to_owned()]);
    let off = office.did(Selection::Tag("vip".to_owned()), off).await;
    assert_eq!(counts(&off), (JobState::Done, Some(2), 2, 2, 0));
    assert_eq!(office.tagged().await, 0);
}
