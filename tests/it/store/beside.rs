//! Changes beside the looking: whoever writes while segments are asked is asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::ids::{CustomerId, NameNo, Stripes};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::{Condition, Did, Test};
use drumbeat::store::{Examined, Frame, Published, Qualification, Store, Watching, edges};
use xxhash_rust::xxh3::xxh3_64;

use super::rig::{Fresh, model, now, revision, text, with_segment};

const WRITERS: u64 = 3;
const CHANGES: u64 = 60;
const PEOPLE: usize = 6;

fn conditions() -> [(&'static str, Condition); 2] {
    let city = Condition::Field {
        field: "city".to_owned(),
        test: Test::Is(text("Lyon")),
    };
    let often = Condition::Did(Did {
        kind: Kind::Login,
        campaign: None,
        flow: None,
        step: None,
        channel: None,
        within_last: Some(Delay::days(1)),
        at_least: 8,
    });
    [("city", city), ("often", often)]
}

fn qualification<'a>(
    published: &'a Published,
    (id, condition): &'a (&'static str, Condition),
) -> Qualification<'a> {
    Qualification {
        examined: Examined {
            segment: number(published, id),
            condition,
            frame: frame(published),
            joined_at: now(),
        },
        asks: condition.asks(&published.revision),
        edges: edges(condition, &published.revision),
        entering: Vec::new(),
        lets_go: Vec::new(),
        marks: false,
    }
}

fn number(published: &Published, segment: &str) -> NameNo {
    published
        .numbers
        .number(NameKind::Segment, segment)
        .unwrap()
}

fn frame(published: &Published) -> Frame<'_> {
    super::rig::frame(published)
}

async fn write(store: Store, people: Vec<CustomerId>, writer: u64) {
    let (by, model) = (By::new(Actor::named("ana"), Source::Api), model());
    for n in 0..CHANGES {
        let chance = xxh3_64(&[writer.to_le_bytes(), n.to_le_bytes()].concat());
        let person = people[usize::try_from(chance % 97).unwrap() % people.len()];
        if chance.is_multiple_of(2) {
            let line = Interaction::new(person, now(), Kind::Login);
            store.record(&[line]).await.unwrap();
        } else {
            let city = text(if chance.is_multiple_of(3) {
                "Lyon"
            } else {
                "Rome"
            });
            let fields = [("city".to_owned(), Some(FieldValue::One(city)))];
            let set = store.set_fields(person, &fields, &model, &by, now());
            set.await.unwrap();
        }
    }
}

pub(super) async fn what_changes_while_segments_are_asked_is_asked_again(store: Fresh) {
    let conditions = conditions();
    let revision = conditions
        .iter()
        .fold(revision(), |revision, (id, condition)| {
            with_segment(revision, id, condition.clone())
        });
    let published = store.published(&revision).await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(store.person(&format!("c{n}"), &[]).await);
    }
    let all = conditions
        .each_ref()
        .map(|one| qualification(&published, one));
    let written = Arc::new(AtomicBool::new(false));
    let (opened, done) = (store.again().await, Arc::clone(&written));
    let writing = tokio::spawn(async move {
        let writers = (0..WRITERS).map(|n| tokio::spawn(write(opened.clone(), people.clone(), n)));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let mut looks = 0;
    loop {
        let last = written.load(Ordering::SeqCst);
        let pass = store
            .examine_changed(
                (&Stripes::all(), None),
                &all,
                &Watching::default(),
                3,
                now(),
            )
            .await
            .unwrap();
        looks += usize::from(pass.customers > 0);
        if last && pass.customers == 0 {
            break;
        }
    }
    writing.await.unwrap();
    assert!(looks > 2, "{looks}");
    for one in &conditions {
        let segment = number(&published, one.0);
        let frame = frame(&published);
        let found = store.mark_differences(segment, &one.1, &frame);
        assert_eq!(found.await.unwrap(), 0, "{}", one.0);
    }
    let members = "SELECT count(*) FROM memberships";
    assert!(store.number(members).await > 0);
}
