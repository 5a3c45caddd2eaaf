//! Edges: whoever time moves in or out between two instants is among the touched.

use std::collections::BTreeSet;

use drumbeat::domain::duration::Delay;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::rating::Rating;
use drumbeat::domain::segment::{Condition, DateTest, Did, Moment, Test};
use drumbeat::domain::value::Value;
use drumbeat::store::{Frame, Published, edges};
use jiff::{SignedDuration, Timestamp};

use super::rig::{Fresh, now, revision};

pub(super) fn conditions() -> Vec<Condition> {
    let field = |field: &str, test: DateTest| Condition::Field {
        field: field.to_owned(),
        test: Test::Date(test),
    };
    let did = Did {
        kind: Kind::Login,
        campaign: None,
        flow: None,
        step: None,
        channel: None,
        within_last: Some(Delay::hours(30)),
        at_least: 1,
    };
    vec![
        field("seen_at", DateTest::WithinLast(Delay::hours(6))),
        field("seen_at", DateTest::WithinNext(Delay::hours(6))),
        field("seen_at", DateTest::OlderThan(Delay::days(1))),
        field("seen_at", DateTest::ExactlyAgo(Delay::days(1))),
        field("joined_on", DateTest::WithinLast(Delay::days(2))),
        field("joined_on", DateTest::Anniversary { within_days: 1 }),
        Condition::Moment {
            moment: Moment::LastActivity,
            test: DateTest::OlderThan(Delay::hours(40)),
        },
        Condition::Rating(Rating::New),
        Condition::Not(Box::new(Condition::Did(did))),
    ]
}

async fn members(
    store: &Fresh,
    published: &Published,
    condition: &Condition,
    at: Timestamp,
) -> BTreeSet<CustomerId> {
    let frame = frame_at(published, at);
    store
        .customers_meeting_after(condition, &frame, None, 1000)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

fn frame_at(published: &Published, now: Timestamp) -> Frame<'_> {
    Frame {
        revision: &published.revision,
        numbers: &published.numbers,
        now,
    }
}

pub(super) async fn time_moves_exactly_those_that_an_edge_touches(store: Fresh) {
    let published = store.published(&revision()).await;
    for n in 0..60 {
        let at = now() + SignedDuration::from_hours(n * 2 - 60);
        let day = at.to_zoned(published.revision.time_zone()).date();
        let fields = [
            ("seen_at", Value::Instant(at)),
            ("joined_on", Value::Date(day)),
        ];
        let id = store.person(&format!("c{n}"), &fields).await;
        if at <= now() {
            store
                .record(&[Interaction::new(id, at, Kind::Login)])
                .await
                .unwrap();
        }
    }
    let (mut moved, mut asked) = (0, 0);
    for condition in conditions() {
        let edges = edges(&condition, &published.revision);
        let mut since = now();
        let mut before = members(&store, &published, &condition, since).await;
        for hours in [1, 2, 7, 24, 25, 60] {
            let at = now() + SignedDuration::from_hours(hours);
            let after = members(&store, &published, &condition, at).await;
            let touched = store
                .touched(&edges, &frame_at(&published, at), since)
                .await;
            let touched: BTreeSet<CustomerId> = touched.unwrap().into_iter().collect();
            for id in before.symmetric_difference(&after) {
                assert!(touched.contains(id), "{condition:?} after {hours} hours");
                moved += 1;
            }
            asked += touched.len();
            (since, before) = (at, after);
        }
    }
    assert!(moved > 100, "{moved}");
    assert!(asked < moved * 2, "{asked} for {moved}: far from everybody");
}

pub(super) async fn conditions_without_relative_time_have_no_edges(store: Fresh) {
    let published = store.published(&revision()).await;
    let day = "2026-03-01".parse().unwrap();
    let fixed = Condition::All(vec![
        Condition::Field {
            field: "joined_on".to_owned(),
            test: Test::Date(DateTest::On(day)),
        },
        Condition::Rating(Rating::Discarded),
        Condition::Moment {
            moment: Moment::Created,
            test: DateTest::Before(day),
        },
    ]);
    assert!(edges(&fixed, &published.revision).is_empty());
    let frame = frame_at(&published, now());
    let touched = store
        .touched(&[], &frame, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert!(touched.is_empty());
    assert_eq!(store.next_edge(&[], &frame).await.unwrap(), None);
    let rated = Condition::Any(vec![fixed, Condition::Rating(Rating::Dormant)]);
    let rated = edges(&rated, &published.revision);
    let next = store.next_edge(&rated, &frame).await.unwrap();
    let midnight = "2026-02-28T05:00:00Z".parse().unwrap();
    assert_eq!(next, Some(midnight), "where the workspace is");
}
