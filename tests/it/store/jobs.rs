//! Jobs: what is done to many, page by page, by one at a time, and counted right whatever happens.

use drumbeat::customers::jobs::picking::{self, Picked};
use drumbeat::customers::jobs::queue::queue;
use drumbeat::domain::customer::Status;
use drumbeat::domain::ids::Incarnation;
use drumbeat::domain::job::{JobEnd, JobNo, JobPlace, JobState, MOST_ERRORS};
use drumbeat::domain::job_order::{Action, Order, Selection};
use drumbeat::store::JobStanding;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::job_office::{Office, counts, lyon, vip};
use super::life::by;
use super::rig::{Fresh, now};

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
    assert_eq!(said, "unknown tag `vpi`: did you mean `vip`?");
}
