//! What jobs keep: lists, files and failures, and for how long.

use std::collections::BTreeSet;
use std::sync::Arc;

use drumbeat::customers::jobs::carrying::Crew;
use drumbeat::customers::jobs::picking::Picked;
use drumbeat::customers::jobs::queue::queue;
use drumbeat::domain::job::{JobKind, JobNo, JobState};
use drumbeat::domain::job_order::{Action, Order, Selection};
use drumbeat::store::{JobFilter, JobStanding};

use super::job_office::{NoFlows, Office, counts, lyon, vip};
use super::life::by;
use super::rig::{Fresh, now, revision};

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
    store.begin_report(&first, now()).await.unwrap();
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

pub(super) async fn who_is_deleted_takes_exports_along_that_they_may_be_in(store: Fresh) {
    let office = Office::with(&store, 3).await;
    let csv = || Action::Export {
        format: "csv".to_owned(),
        fields: None,
    };
    let first = office.did(Selection::All, csv()).await;
    let second = office.did(lyon(), csv()).await;
    let made = format!(
        "UPDATE reports SET created_at = created_at - 3600000000 WHERE report = {}",
        first.number
    );
    store.execute(&made).await;
    // Somebody who came after the first was made is not in it.
    let between = "UPDATE customers SET created_at = (SELECT created_at - 1 FROM reports \
                   WHERE report = (SELECT max(report) FROM reports)) WHERE external_id = 'c1'";
    store.execute(between).await;
    store.delete("c1").await;
    let listed = store.reports(None, 9).await.unwrap();
    let listed: Vec<i64> = listed.iter().map(|report| report.number).collect();
    assert_eq!(listed, [first.number.0]);
    let parts_of = |job: JobNo| format!("SELECT count(*) FROM report_parts WHERE report = {job}");
    assert_eq!(store.number(&parts_of(second.number)).await, 1);
    assert_eq!(store.sweep_reports().await.unwrap(), 1);
    assert_eq!(store.number(&parts_of(second.number)).await, 0);
    assert_eq!(store.number(&parts_of(first.number)).await, 1);
    // One that is being written is not listed, and whoever writes it begins anew.
    let job = office.queue(Selection::All, csv()).await;
    let (hold, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    store.begin_report(&hold, now()).await.unwrap();
    store.add_report_part(&hold, 0, b"c2").await.unwrap();
    assert_eq!(store.report(job.0).await.unwrap(), None);
    store.sweep_reports().await.unwrap();
    assert_eq!(store.number(&parts_of(job)).await, 1);
    let whole = drumbeat::domain::report::Report {
        number: job.0,
        ..store.report(first.number.0).await.unwrap().unwrap()
    };
    store.delete("c2").await;
    assert_eq!(store.end_report(&hold, &whole).await.unwrap(), None);
    store.give_job_back(&hold).await.unwrap();
    assert_eq!(office.done(job).await.state, JobState::Done);
    let body = store.report_part(job.0, 0).await.unwrap().unwrap();
    let body = String::from_utf8(body).unwrap();
    assert_eq!(body.lines().count(), 2, "{body}");
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
