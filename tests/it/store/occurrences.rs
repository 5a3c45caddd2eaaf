//! What senders tell: each once, whatever is sent again and in whatever order.

use drumbeat::domain::audit::Source;
use drumbeat::domain::environment::Environment;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::nps::NpsAnswer;
use drumbeat::domain::occurrence::{Key, Placed};
use drumbeat::domain::revision::NameKind;
use drumbeat::store::{HistoryFilter, Merge, Telling};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::rig::{Fresh, importer, model, now, revision};

const ROUNDS: usize = 12;
const PEOPLE: usize = 3;

/// Something told of one of the people.
#[derive(Debug, Clone)]
struct Told {
    id: u8,
    who: usize,
    hours: i64,
    kind: Kind,
    score: u8,
}

const KINDS: [Kind; 5] = [
    Kind::Login,
    Kind::NpsAnswered,
    Kind::Dismissal,
    Kind::Transaction,
    Kind::EmailClicked,
];

/// What has one id is one thing, whenever it is sent.
fn some_told() -> impl Strategy<Value = Told> {
    (0_u8..40).prop_map(|id| {
        let part = |n: u8| usize::from(id.wrapping_mul(n) ^ (id >> 2));
        Told {
            id,
            who: part(3) % PEOPLE,
            hours: i64::from(id % 5),
            kind: KINDS[part(5) % KINDS.len()],
            score: id.wrapping_mul(7) % 11,
        }
    })
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn telling() -> Telling {
    Telling {
        source: Source::Api,
        now: now(),
        is_trial: false,
    }
}

fn placed(customer: CustomerId, id: &str, kind: Kind, at: Timestamp) -> Placed {
    Placed {
        key: Key::of(id),
        line: Interaction {
            campaign: (kind == Kind::Dismissal).then(|| "welcome".to_owned()),
            actor: Some("shop".to_owned()),
            detail: Some(json!({ "source": "api" })),
            ..Interaction::new(customer, at, kind)
        },
        nps: None,
        environment: None,
    }
}

impl Told {
    fn of(&self, people: &[CustomerId]) -> Placed {
        let (id, at) = (self.id.to_string(), hours_ago(self.hours));
        let mut placed = placed(people[self.who], &id, self.kind, at);
        placed.nps = (self.kind == Kind::NpsAnswered).then(|| answer(self.score));
        placed.environment = (self.kind == Kind::Login).then(|| Environment {
            os: Some(format!("{} hours", self.hours)),
            ..Environment::default()
        });
        placed
    }
}

fn answer(score: u8) -> NpsAnswer {
    NpsAnswer {
        score,
        comment: Some(format!("because {score}")),
        question: None,
    }
}

/// Everything that is known of one of the people, in an order of its own.
async fn known(store: &Fresh, customer: CustomerId, name: &str) -> Vec<String> {
    let lines = store
        .history(customer, &HistoryFilter::default(), 1000)
        .await
        .unwrap();
    let mut known: Vec<String> = lines.iter().map(|line| format!("{line:?}")).collect();
    known.sort();
    known.push(format!(
        "{:?}",
        store.nps_of(&[customer]).await.unwrap().values()
    ));
    known.push(format!(
        "{:?}",
        store.environment_of(customer).await.unwrap()
    ));
    known.push(format!(
        "{:?}",
        store.dismissals_of(&[customer]).await.unwrap().values()
    ));
    known.push(format!("{:?}", store.read(name).await.last_activity_at));
    let keys = format!("SELECT count(*) FROM interaction_keys WHERE customer_id = {customer}");
    known.push(store.number(&keys).await.to_string());
    known
}

async fn people(store: &Fresh, prefix: &str) -> (Vec<String>, Vec<CustomerId>) {
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("{prefix}{n}")).collect();
    let mut ids = Vec::new();
    for name in &names {
        ids.push(store.person(name, &[]).await);
    }
    (names, ids)
}

pub(super) async fn whatever_is_sent_again_in_whatever_order_the_store_is_the_same(store: Fresh) {
    store.published(&revision()).await;
    let mut runner = TestRunner::deterministic();
    for round in 0..ROUNDS {
        let batches = vec(vec(some_told(), 1..30), 1..5);
        let batches = batches.new_tree(&mut runner).unwrap().current();
        let again = Just(batches.iter().chain(&batches).cloned().collect::<Vec<_>>());
        let again = again
            .prop_shuffle()
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let (names, once) = people(&store, &format!("once{round}-")).await;
        let (others, often) = people(&store, &format!("often{round}-")).await;
        for (batches, people) in [(&batches, &once), (&again, &often)] {
            for batch in batches {
                let batch: Vec<Placed> = batch.iter().map(|told| told.of(people)).collect();
                store.record_once(&batch, telling()).await.unwrap();
            }
        }
        for n in 0..PEOPLE {
            let one = known(&store, once[n], &names[n]).await;
            let other = known(&store, often[n], &others[n]).await;
            assert_eq!(one, other, "{batches:?}");
        }
    }
    let told = store.number("SELECT count(*) FROM interaction_keys").await;
    assert!(told > 100, "{told}");
}

pub(super) async fn a_dismissal_that_is_told_stops_the_flow_and_every_claim_that_saw_none(
    store: Fresh,
) {
    let published = store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let flow = published.numbers.number(NameKind::Flow, "welcome").unwrap();
    store.enroll(ana, flow.0, 1).await;
    let before = store.read("ana").await.consent_rev;
    let told = [
        placed(ana, "1", Kind::Login, hours_ago(2)),
        placed(ana, "2", Kind::Dismissal, hours_ago(1)),
    ];
    assert_eq!(
        store.record_once(&told, telling()).await.unwrap(),
        [true, true]
    );
    assert_eq!(store.read("ana").await.consent_rev, before + 1);
    let live = "SELECT count(*) FROM enrollments WHERE status < 10";
    assert_eq!(store.number(live).await, 0);
    let dismissals = store.dismissals_of(&[ana]).await.unwrap();
    assert_eq!(dismissals[&ana][0].campaign, "welcome");
    assert_eq!(dismissals[&ana][0].by.source, Source::Api);
    assert_eq!(
        store.record_once(&told, telling()).await.unwrap(),
        [false, false]
    );
    assert_eq!(store.read("ana").await.consent_rev, before + 1);
}

pub(super) async fn of_several_dismissals_the_earliest_counts(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    for (id, hours) in [("1", 1), ("2", 3), ("3", 2)] {
        let told = [placed(ana, id, Kind::Dismissal, hours_ago(hours))];
        store.record_once(&told, telling()).await.unwrap();
    }
    let dismissals = store.dismissals_of(&[ana]).await.unwrap();
    assert_eq!(dismissals[&ana].len(), 1);
    assert_eq!(dismissals[&ana][0].at, hours_ago(3));
}

pub(super) async fn a_trial_leaves_nothing(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let trial = Telling {
        is_trial: true,
        ..telling()
    };
    let told = [placed(ana, "1", Kind::Dismissal, now())];
    assert_eq!(store.record_once(&told, trial).await.unwrap(), [true]);
    for table in ["interactions", "interaction_keys", "dismissals", "activity"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(store.number(&count).await, 0, "{table}");
    }
}

pub(super) async fn ids_are_forgotten_when_their_time_is_over(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let told = [placed(ana, "1", Kind::Login, hours_ago(1))];
    store.record_once(&told, telling()).await.unwrap();
    assert_eq!(store.prune_interaction_keys(now(), 10).await.unwrap(), 0);
    let later = now() + SignedDuration::from_secs(1);
    assert_eq!(store.prune_interaction_keys(later, 10).await.unwrap(), 1);
    assert_eq!(store.record_once(&told, telling()).await.unwrap(), [true]);
}

pub(super) async fn who_was_in_a_segment_is_told_when_they_left(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let flow = published.numbers.number(NameKind::Flow, "welcome").unwrap();
    let (bucket, at) = (ana.bucket().0, hours_ago(2).as_microsecond());
    let left = hours_ago(1).as_microsecond();
    for insert in [
        "INSERT INTO names (number, kind, name) VALUES (9001, 3, 'now'), (9002, 3, 'once')"
            .to_owned(),
        format!("INSERT INTO memberships VALUES ({bucket}, 9001, {ana}, {at})"),
        format!("INSERT INTO past_memberships VALUES ({bucket}, {ana}, 9002, {at}, {left})"),
    ] {
        store.execute(&insert).await;
    }
    assert!(flow.0 < 9001);
    let lines = store
        .history(ana, &HistoryFilter::default(), 10)
        .await
        .unwrap();
    let told: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            (
                line.kind.clone(),
                line.detail.as_ref().unwrap()["segment"].to_string(),
            )
        })
        .collect();
    let line = |kind: &str, segment: &str| (kind.to_owned(), format!("\"{segment}\""));
    assert_eq!(told[0], line("left-segment", "once"));
    assert!(told[1..].contains(&line("entered-segment", "once")));
    assert!(told[1..].contains(&line("entered-segment", "now")));
    assert_eq!(store.prune_memberships(now(), 10).await.unwrap(), 1);
}

pub(super) async fn a_merge_joins_what_was_told_of_both(store: Fresh) {
    store.published(&revision()).await;
    let (ana, by, model) = (store.person("ana", &[]).await, importer(), model());
    let how = drumbeat::store::Upsert {
        model: &model,
        tags: &[],
        consents: &[],
        by: &by,
        at: now(),
    };
    let ids = ["v-1".to_owned(), "ana".to_owned()].into();
    store.add_visitors(&ids, &how).await.unwrap();
    assert!(store.read("ana").await.identified, "she was there");
    let visitor = store.customer_id("v-1").await.unwrap().unwrap();
    assert!(!store.read("v-1").await.identified);
    let answered = |customer, id: &str, hours, score| Placed {
        nps: Some(answer(score)),
        ..placed(customer, id, Kind::NpsAnswered, hours_ago(hours))
    };
    let told = [answered(visitor, "1", 1, 9), answered(ana, "2", 2, 3)];
    store.record_once(&told, telling()).await.unwrap();
    let merge = Merge {
        from: visitor,
        into: ana,
        model: &model,
        by: &by,
        at: now(),
    };
    store.merge_customers(&merge).await.unwrap();
    assert_eq!(store.nps_of(&[ana]).await.unwrap()[&ana].answer.score, 9);
    let again = [answered(ana, "1", 1, 9)];
    assert_eq!(store.record_once(&again, telling()).await.unwrap(), [false]);
    let findings = store.examine().await.unwrap();
    assert_eq!(findings, []);
}
