//! Files of what customers did and gave up: written with the place of the import, or not at all.

use drumbeat::customers::imports::staging;
use drumbeat::domain::import::{ImportCounts, ImportPlace, ImportState};
use drumbeat::domain::import_plan::{ImportKind, ImportPlan};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::subscription::{Scope, SubscriptionState};
use drumbeat::store::{GivenUp, ImportPage, JobStanding, Telling, ToldLines};
use jiff::SignedDuration;

use super::import_desk::Desk;
use super::life::by;
use super::rig::{Fresh, now, row};

fn plan(kind: ImportKind) -> ImportPlan {
    ImportPlan {
        kind,
        ..ImportPlan::default()
    }
}

fn telling() -> Telling {
    Telling {
        source: drumbeat::domain::audit::Source::Import,
        now: now(),
        is_trial: false,
    }
}

fn everything(customer: drumbeat::domain::ids::CustomerId, hours: i64) -> GivenUp {
    GivenUp {
        customer,
        scope: Scope::default(),
        by: by(),
        at: now() - SignedDuration::from_hours(hours),
    }
}

pub(super) async fn lines_go_on_exactly_where_they_were_stopped(store: Fresh) {
    let desk = Desk::at(&store).await;
    let people: Vec<_> = (0..40).map(|n| row(&format!("c{n}"), &[])).collect();
    store
        .import(&people, &desk.published.revision.data_model)
        .await;
    let lines = (0..1_500).map(|n| match n % 10 {
        3 => format!("nobody{n},login,2026-01-10T10:00:00Z,\n"),
        // Some have an id, the others are known by what they are.
        4 => format!("c{},login,2026-01-10T10:00:00Z,id{n}\n", n % 40),
        _ => {
            let (customer, hour, minute) = (n % 40, 10 + n / 60 % 10, n % 60);
            let day = 10 + n / 1_000;
            format!("c{customer},login,2026-01-{day}T{hour}:{minute:02}:00Z,\n")
        }
    });
    let lines: String = lines.collect();
    let file = format!("customer,kind,at,id\n{lines}");
    let import = desk.stage(&file, plan(ImportKind::Interactions)).await;
    let looked = desk.look(import).await.counts;
    assert_eq!((looked.read, looked.rejected), (1_500, 150));
    assert_eq!(store.number("SELECT count(*) FROM interactions").await, 0);
    let job = staging::save(&store, import, &by(), now()).await.unwrap();
    let stops = desk.done_with_stops(job, 400).await;
    assert!(stops > 2, "{stops}");
    let saved = desk.import(import).await;
    assert_eq!(saved.state, ImportState::Saved);
    let stored = store.number("SELECT count(*) FROM interactions").await;
    let counts = ImportCounts {
        read: 1_500,
        created: stored.unsigned_abs(),
        unchanged: 1_350 - stored.unsigned_abs(),
        rejected: 150,
        ..ImportCounts::default()
    };
    assert_eq!(saved.counts, counts);
    assert!(stored > 1_000, "{stored}");
    let rejects = store.number("SELECT count(*) FROM import_rejects").await;
    assert_eq!(rejects, 150);
    let job = store.job(job).await.unwrap().unwrap();
    assert_eq!((job.done, job.failed), (1_350, 150));
    let again = desk.saved(&file, plan(ImportKind::Interactions)).await;
    assert_eq!(desk.import(again).await.counts.unchanged, 1_350);
    let refused = staging::revert(&store, import, false, (&by(), now())).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("cannot be taken back"), "{refused}");
}

pub(super) async fn what_many_gave_up_is_written_as_if_one_by_one(store: Fresh) {
    store.published(&super::rig::revision()).await;
    let (by, at) = (by(), now());
    let mut people = Vec::new();
    for id in ["new", "twice", "stands", "back", "back-later", "gone"] {
        people.push(store.person(id, &[]).await);
    }
    let [new, twice, stands, back, back_later, gone] = people[..] else {
        unreachable!("six were made");
    };
    let all = Scope::default();
    let day = SignedDuration::from_hours(24);
    for customer in [stands, back, back_later] {
        store
            .unsubscribe(customer, &all, &by, at - day)
            .await
            .unwrap();
    }
    for (customer, when) in [(back, at - day / 2), (back_later, at)] {
        store.resubscribe(customer, &all, &by, when).await.unwrap();
    }
    store.delete_customers(&[gone], &by, at).await.unwrap();
    let before = store.read("new").await.consent_rev;
    store.execute("DELETE FROM dirty").await;
    let gave_up = [new, twice, twice, stands, back, back_later, gone].map(|id| everything(id, 1));
    let lines = ToldLines {
        gave_up: gave_up.to_vec(),
        ..ToldLines::default()
    };
    let step = store.import_lines(&lines, telling(), None).await.unwrap();
    assert_eq!(step.news, 3, "of those who are new, twice there, and back");
    assert_eq!(store.marks().await, 3);
    assert_eq!(store.read("new").await.consent_rev, before + 1);
    let states = store.subscriptions_of(&people).await.unwrap();
    let stands_of = |id| states[&id].iter().map(|one| one.state).collect::<Vec<_>>();
    for customer in [new, twice, stands, back] {
        assert_eq!(stands_of(customer), [SubscriptionState::Unsubscribed]);
    }
    assert_eq!(stands_of(back_later), [SubscriptionState::Resubscribed]);
    assert!(!states.contains_key(&gone));
    let kind = Kind::Unsubscribed.number();
    let lines_of = format!("SELECT count(*) FROM interactions WHERE kind = {kind}");
    assert_eq!(store.number(&lines_of).await, 6);
    let step = store.import_lines(&lines, telling(), None).await.unwrap();
    assert_eq!((step.news, store.number(&lines_of).await), (0, 6));
}

pub(super) async fn whoever_lost_an_import_of_lines_writes_nothing_more(store: Fresh) {
    let desk = Desk::at(&store).await;
    let ana = store.person("ana", &[]).await;
    let import = desk
        .stage("customer\nana\n", plan(ImportKind::Unsubscriptions))
        .await;
    let job = staging::save(&store, import, &by(), now()).await.unwrap();
    let (lost, _) = store.take_job(None, None, now()).await.unwrap().unwrap();
    store.execute("UPDATE jobs SET held_until = 0").await;
    let taken = store.take_job(Some(job), None, now()).await.unwrap();
    let (held, _) = taken.unwrap();
    let lines = ToldLines {
        did: vec![Interaction::new(ana, now(), Kind::Login)],
        gave_up: vec![everything(ana, 1)],
        ..ToldLines::default()
    };
    for (hold, standing, written) in [(&lost, JobStanding::Lost, 0), (&held, JobStanding::GoOn, 2)]
    {
        let page = ImportPage {
            import,
            hold: Some(hold),
            place: ImportPlace {
                rows: 2,
                ..ImportPlace::default()
            },
            counts: ImportCounts::default(),
            rejects: &[],
            passed: 0,
            list: None,
            is_trial: false,
        };
        let step = store.import_lines(&lines, telling(), Some(&page)).await;
        assert_eq!(step.unwrap().standing, standing);
        let known = desk.import(import).await;
        assert_eq!((known.place.rows, known.counts.created), (written, written));
        let lines = store.number("SELECT count(*) FROM interactions").await;
        assert_eq!(lines.unsigned_abs(), written);
        let records = store.number("SELECT count(*) FROM subscriptions").await;
        assert_eq!(records.unsigned_abs(), written / 2);
    }
}
