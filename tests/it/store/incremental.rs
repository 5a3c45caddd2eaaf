//! Whatever changes and however time passes: those who are asked again are all whose membership differs.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::dispatch::DispatchState;
use drumbeat::domain::ids::{NameNo, Stripes};
use drumbeat::domain::interaction::Interaction;
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::Condition;
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::touched::Touched;
use drumbeat::domain::value::Value;
use drumbeat::store::{
    Edge, Examined, Frame, Published, Qualification, SegmentState, Upsert, Watching, edges,
};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::chance::some_person;
use super::drawn::{Change, SEGMENTS, certain, some_change, some_segment};
use super::oracle::Person;
use super::people::Sent;
use super::property::{answer, some_condition, write};
use super::rig::{Fresh, model, now, revision, row, text, with_segment};

const PEOPLE: usize = 14;
const STEPS: usize = 40;

struct Segment {
    number: NameNo,
    condition: Condition,
    edges: Vec<Edge>,
}

struct Walk {
    store: Fresh,
    published: Published,
    segments: Vec<Segment>,
    people: Vec<Person>,
    now: Timestamp,
    enrolled: i64,
    looked: usize,
}

impl Walk {
    fn frame(&self) -> Frame<'_> {
        Frame {
            revision: &self.published.revision,
            numbers: &self.published.numbers,
            now: self.now,
        }
    }

    fn qualification<'a>(&'a self, segment: &'a Segment) -> Qualification<'a> {
        Qualification {
            examined: Examined {
                segment: segment.number,
                condition: &segment.condition,
                frame: self.frame(),
                joined_at: self.now,
            },
            asks: segment.condition.asks(&self.published.revision),
            edges: segment.edges.clone(),
            entering: Vec::new(),
            lets_go: Vec::new(),
            marks: false,
        }
    }

    async fn examine_everybody(&self) {
        let edges: Vec<Edge> = self.segments.iter().flat_map(|s| s.edges.clone()).collect();
        self.store.index_edges(&edges).await.unwrap();
        for segment in &self.segments {
            let state = SegmentState {
                definition: String::new(),
                examined_to: 1024,
                watermark: self.now,
                next_edge: Some(self.now),
            };
            let qualification = self.qualification(segment);
            self.store
                .examine_buckets(&qualification, 0..1024, &state)
                .await
                .unwrap();
        }
    }

    /// What a daemon does: the edges that are met, then those who changed.
    async fn look(&mut self) {
        let states = self.store.segment_states().await.unwrap();
        for segment in &self.segments {
            let state = &states[&segment.number];
            if state.next_edge.is_some_and(|next| next <= self.now) {
                self.store
                    .pass_time(
                        segment.number,
                        &segment.edges,
                        &self.frame(),
                        state.watermark,
                    )
                    .await
                    .unwrap();
                self.looked += 1;
            }
        }
        self.look_at_changes().await;
    }

    /// Those who changed, and nothing about time.
    async fn look_at_changes(&mut self) {
        let all: Vec<_> = self
            .segments
            .iter()
            .map(|s| self.qualification(s))
            .collect();
        let pass = self
            .store
            .examine_changed(
                (&Stripes::all(), None),
                &all,
                &Watching::default(),
                1_000,
                self.now,
            )
            .await;
        pass.unwrap();
    }

    async fn nothing_differs(&self, after: &dyn std::fmt::Debug) {
        for segment in &self.segments {
            let condition = &segment.condition;
            let found = self
                .store
                .mark_differences(segment.number, condition, &self.frame())
                .await;
            assert_eq!(
                found.unwrap(),
                0,
                "{condition:?}\nafter {after:?} at {}",
                self.now
            );
        }
    }

    async fn change(&mut self, n: usize, change: &Change) {
        let person = self.people[n % self.people.len()].clone();
        let (id, at, model) = (person.id, self.now, model());
        let by = By::new(Actor::named("ana"), Source::Api);
        let store = &self.store;
        match change {
            Change::Fields(fields) => {
                let one = |(name, value): &(String, Value)| {
                    (name.clone(), Some(FieldValue::One(value.clone())))
                };
                let fields: Vec<_> = fields.iter().map(one).collect();
                let set = store.set_fields(id, &fields, &model, &by, at);
                set.await.unwrap();
            }
            Change::Cleared(field) => {
                let set = [((*field).to_owned(), None)];
                store.set_fields(id, &set, &model, &by, at).await.unwrap();
            }
            Change::Products(products) => {
                let products = products.iter().map(|product| text(product)).collect();
                let mut customer = row(&person.external_id, &[]);
                let products = Some(FieldValue::Many(products));
                customer.fields.push(("products".to_owned(), products));
                store.import(&[customer], &model).await;
            }
            Change::Tagged => {
                let how = Upsert {
                    model: &model,
                    tags: &["vip".to_owned()],
                    consents: &[(Channel::Push, Consent::OptedIn)],
                    by: &by,
                    at,
                };
                let rows = [row(&person.external_id, &[])];
                store.upsert_customers(&rows, &how).await.unwrap();
            }
            Change::Consent(channel, is) => {
                let set = store.set_consent(id, *channel, *is, &by, at);
                set.await.unwrap();
            }
            Change::Status(status) => {
                store.set_status(id, *status, &by, at).await.unwrap();
            }
            Change::GivenUp(scope) => {
                store.unsubscribe(id, scope, &by, at).await.unwrap();
            }
            Change::TakenBack(scope) => {
                store.resubscribe(id, scope, &by, at).await.unwrap();
            }
            Change::Acted(kind, hours) => {
                let line = Interaction::new(id, at - SignedDuration::from_hours(*hours), *kind);
                store.record(&[line]).await.unwrap();
            }
            Change::Answered(score) => answer(store, id, *score, at).await,
            Change::Sent(_) | Change::Entered | Change::Left => {
                self.in_flow(&person, change).await;
            }
        }
    }

    /// What the engine does to enrollments, with the marks that it sets.
    async fn in_flow(&mut self, person: &Person, change: &Change) {
        let flow = self.published.numbers.number(NameKind::Flow, "welcome");
        let what = match change {
            Change::Left => {
                let of = person.id;
                let end = format!("UPDATE enrollments SET status = 10 WHERE customer_id = {of}");
                self.store.execute(&end).await;
                Touched::IN_FLOW
            }
            Change::Sent(channel) => {
                self.enrolled += 1;
                let flow = flow.unwrap().0;
                let enrollment = self.store.enroll(person.id, flow, self.enrolled).await;
                let sent = Sent {
                    enrollment,
                    step: 1,
                    channel: channel.number(),
                    state: DispatchState::Accepted.number(),
                    at: self.now,
                };
                self.store.send(&sent).await;
                Touched::IN_FLOW | Touched::DISPATCHES
            }
            _ => {
                self.enrolled += 1;
                let flow = flow.unwrap().0;
                self.store.enroll(person.id, flow, self.enrolled).await;
                Touched::IN_FLOW
            }
        };
        let (bucket, id, what) = (person.id.bucket().0, person.id, what.bits());
        self.store
            .execute(&format!(
                "INSERT INTO dirty (bucket, customer_id, mark, what) \
                 VALUES ({bucket}, {id}, 1, {what}) ON CONFLICT (bucket, customer_id) \
                 DO UPDATE SET mark = dirty.mark + 1, what = dirty.what | excluded.what"
            ))
            .await;
    }
}

async fn start(store: Fresh, runner: &mut TestRunner) -> Walk {
    let mut revision = revision();
    for n in 0..SEGMENTS {
        // The first half names nobody, so that there is no circle.
        let strategy = if n < SEGMENTS / 2 {
            some_condition()
        } else {
            some_segment()
        };
        let condition = strategy.new_tree(runner).unwrap().current();
        revision = with_segment(revision, &format!("s{n}"), condition);
    }
    for (n, condition) in certain().into_iter().enumerate() {
        revision = with_segment(revision, &format!("certain{n}"), condition);
    }
    let published = store.published(&revision).await;
    let segments = revision.segments.values().map(|segment| Segment {
        number: published
            .numbers
            .number(NameKind::Segment, &segment.id)
            .unwrap(),
        condition: segment.condition.clone(),
        edges: edges(&segment.condition, &revision),
    });
    let segments = segments.collect();
    let mut people = vec(some_person(), PEOPLE)
        .new_tree(runner)
        .unwrap()
        .current();
    for (n, person) in people.iter_mut().enumerate() {
        person.external_id = format!("P-{n}");
        write(&store, person).await;
    }
    Walk {
        store,
        published,
        segments,
        people,
        now: now(),
        enrolled: 0,
        looked: 0,
    }
}

pub(super) async fn what_is_asked_again_is_all_that_differs(store: Fresh) {
    let mut runner = TestRunner::deterministic();
    let mut walk = start(store, &mut runner).await;
    walk.examine_everybody().await;
    walk.look().await;
    walk.nothing_differs(&"the beginning").await;
    let members = "SELECT count(*) FROM memberships";
    let before = walk.store.number(members).await;
    assert!(before > 30, "{before}");
    let hours = select(&[0_i64, 0, 1, 3, 9, 24, 25, 72, 31 * 24][..]);
    let steps = vec((vec((0..PEOPLE, some_change()), 0..4), hours), STEPS);
    let steps = steps.new_tree(&mut runner).unwrap().current();
    for (changes, hours) in &steps {
        for (n, change) in changes {
            walk.change(*n, change).await;
        }
        walk.look().await;
        walk.nothing_differs(changes).await;
        walk.now += SignedDuration::from_hours(*hours);
        walk.look().await;
        walk.nothing_differs(&format!("{hours} hours")).await;
    }
    assert!(walk.looked > 100, "{}", walk.looked);
}

/// Nothing but a month of time, in steps in which few edges are met.
pub(super) async fn an_edge_is_met_when_it_is_said_to_be(store: Fresh) {
    let mut runner = TestRunner::deterministic();
    let mut walk = start(store, &mut runner).await;
    walk.examine_everybody().await;
    let end = walk.now + SignedDuration::from_hours(24 * 30);
    let mut steps = 0;
    while walk.now < end && steps < 60 {
        walk.look().await;
        walk.nothing_differs(&"the time it was to be").await;
        let states = walk.store.segment_states().await.unwrap();
        let next = states.values().filter_map(|state| state.next_edge).min();
        let next = next.unwrap();
        assert!(next > walk.now);
        // Until then nobody moves.
        walk.now = next - SignedDuration::from_micros(1);
        walk.nothing_differs(&"the time before").await;
        walk.now = next;
        steps += 1;
    }
    assert!(steps > 30, "{steps}");
}

pub(super) async fn a_segment_is_asked_only_about_what_it_asks_for(store: Fresh) {
    let condition = Condition::Tag("vip".to_owned());
    let revision = with_segment(revision(), "s0", condition.clone());
    let published = store.published(&revision).await;
    let person = store.person("a", &[]).await;
    let number = published.numbers.number(NameKind::Segment, "s0").unwrap();
    let walk = Walk {
        store,
        segments: vec![Segment {
            number,
            edges: edges(&condition, &revision),
            condition,
        }],
        published,
        people: Vec::new(),
        now: now(),
        enrolled: 0,
        looked: 0,
    };
    let mut walk = walk;
    walk.look_at_changes().await;
    let (by, model) = (By::new(Actor::named("ana"), Source::Api), model());
    // Past the store, so that only a question can find it.
    let tag = published_tag(&walk.published);
    let bucket = person.bucket().0;
    walk.store
        .execute(&format!(
            "INSERT INTO customer_tags (bucket, customer_id, tag) VALUES ({bucket}, {person}, {tag})"
        ))
        .await;
    let members = "SELECT count(*) FROM memberships";
    let city = [("city".to_owned(), Some(FieldValue::One(text("Lyon"))))];
    walk.store
        .set_fields(person, &city, &model, &by, now())
        .await
        .unwrap();
    walk.look_at_changes().await;
    assert_eq!(walk.store.number(members).await, 0, "a city is no tag");
    let how = Upsert {
        model: &model,
        tags: &["staff".to_owned()],
        consents: &[],
        by: &by,
        at: now(),
    };
    walk.store
        .upsert_customers(&[row("a", &[])], &how)
        .await
        .unwrap();
    walk.look_at_changes().await;
    assert_eq!(walk.store.number(members).await, 1);
    assert_eq!(walk.store.marks().await, 0);
}

fn published_tag(published: &Published) -> i32 {
    published.numbers.number(NameKind::Tag, "vip").unwrap().0
}
