//! Deletions and returns at random: the store agrees with a few lines that know no hashes.

use std::collections::BTreeSet;

use drumbeat::domain::customer::{Customer, Status};
use drumbeat::domain::subscription::{Scope, SubscriptionState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::life::by;
use super::rig::{Fresh, model, now, revision, row, text};

/// What may happen to one of a few people with a few addresses.
#[derive(Debug, Clone)]
enum Act {
    Import(usize, usize),
    SetEmail(usize, usize),
    Delete(usize),
    GiveUp(usize, usize),
    Reactivate(usize),
}

const IDS: [&str; 3] = ["p0", "p1", "p2"];
const CATEGORIES: [&str; 2] = ["cards", "loans"];

fn address(n: usize) -> String {
    format!("person{n}@example.com")
}

fn some_act() -> impl Strategy<Value = Act> {
    let (who, what) = (0..IDS.len(), 0..3_usize);
    prop_oneof![
        3 => (who.clone(), what.clone()).prop_map(|(a, b)| Act::Import(a, b)),
        2 => (who.clone(), what).prop_map(|(a, b)| Act::SetEmail(a, b)),
        3 => who.clone().prop_map(Act::Delete),
        2 => (who.clone(), 0..CATEGORIES.len()).prop_map(|(a, b)| Act::GiveUp(a, b)),
        1 => who.prop_map(Act::Reactivate),
    ]
}

/// Somebody as the model knows them.
#[derive(Debug, Clone, Default)]
struct Person {
    email: usize,
    is_suspended: bool,
    given_up: BTreeSet<usize>,
    /// The tombstones they came back from.
    from: BTreeSet<usize>,
}

/// What is kept of somebody: ids, addresses, and what was given up.
type Buried = (BTreeSet<usize>, BTreeSet<usize>, BTreeSet<usize>);

#[derive(Debug, Default)]
struct World {
    people: [Option<Person>; IDS.len()],
    /// Ids, addresses and what was given up; none once it is gone.
    tombstones: Vec<Option<Buried>>,
}

impl World {
    fn meet(&mut self, who: usize) {
        let Some(person) = &mut self.people[who] else {
            return;
        };
        for (n, tombstone) in self.tombstones.iter().enumerate() {
            let Some((ids, emails, given_up)) = tombstone else {
                continue;
            };
            if ids.contains(&who) || emails.contains(&person.email) {
                person.is_suspended = true;
                person.given_up.extend(given_up);
                person.from.insert(n);
            }
        }
    }

    fn delete(&mut self, who: usize) {
        let Some(person) = self.people[who].take() else {
            return;
        };
        let (mut ids, mut emails) = (BTreeSet::from([who]), BTreeSet::from([person.email]));
        let mut given_up = person.given_up;
        for n in person.from {
            if let Some(earlier) = self.tombstones[n].take() {
                ids.extend(earlier.0);
                emails.extend(earlier.1);
                given_up.extend(earlier.2);
            }
        }
        self.tombstones.push(Some((ids, emails, given_up)));
    }
}

async fn act(store: &Fresh, world: &mut World, act: &Act) {
    match *act {
        Act::Import(who, email) => {
            let fields = [("email", text(&address(email)))];
            store.import(&[row(IDS[who], &fields)], &model()).await;
            let moved = world.people[who].as_ref().is_none_or(|p| p.email != email);
            world.people[who].get_or_insert_default().email = email;
            if moved {
                world.meet(who);
            }
        }
        Act::SetEmail(who, email) => {
            let Some(person) = &mut world.people[who] else {
                return;
            };
            if std::mem::replace(&mut person.email, email) != email {
                store.set_text(IDS[who], "email", &address(email)).await;
                world.meet(who);
            }
        }
        Act::Delete(who) => {
            if world.people[who].is_some() {
                store.delete(IDS[who]).await;
            }
            world.delete(who);
        }
        Act::GiveUp(who, category) => {
            let Some(person) = &mut world.people[who] else {
                return;
            };
            person.given_up.insert(category);
            let scope = Scope {
                category: Some(CATEGORIES[category].to_owned()),
                ..Scope::default()
            };
            let id = store.customer_id(IDS[who]).await.unwrap().unwrap();
            store.unsubscribe(id, &scope, &by(), now()).await.unwrap();
        }
        Act::Reactivate(who) => {
            let Some(person) = &mut world.people[who] else {
                return;
            };
            let id = store.customer_id(IDS[who]).await.unwrap().unwrap();
            let was = std::mem::take(&mut person.is_suspended);
            let changed = store
                .set_status(id, Status::Active, &by(), now())
                .await
                .unwrap();
            assert_eq!(changed, was);
            if was {
                for n in std::mem::take(&mut person.from) {
                    world.tombstones[n] = None;
                }
            }
        }
    }
}

async fn compare(store: &Fresh, world: &World, acts: &[Act]) {
    for (id, person) in IDS.iter().zip(&world.people) {
        let found: Option<Customer> = store.customer(id, &model()).await.unwrap();
        assert_eq!(found.is_some(), person.is_some(), "{id} after {acts:?}");
        let (Some(found), Some(person)) = (found, person) else {
            continue;
        };
        let is_suspended = found.status == Status::Suspended;
        assert_eq!(is_suspended, person.is_suspended, "{id} after {acts:?}");
        let records = store.subscriptions_of(&[found.id]).await.unwrap();
        let records = records.get(&found.id).into_iter().flatten();
        let given_up: BTreeSet<usize> = records
            .filter(|record| record.state == SubscriptionState::Unsubscribed)
            .filter_map(|record| {
                let category = record.scope.category.as_deref()?;
                CATEGORIES.iter().position(|name| *name == category)
            })
            .collect();
        assert_eq!(given_up, person.given_up, "{id} after {acts:?}");
    }
}

pub(super) async fn whatever_is_done_nobody_is_better_off_for_a_deletion(store: Fresh) {
    store.published(&revision()).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        let acts = proptest::collection::vec(some_act(), 1..16);
        let acts = acts.new_tree(&mut runner).unwrap().current();
        let mut world = World::default();
        for (n, one) in acts.iter().enumerate() {
            act(&store, &mut world, one).await;
            compare(&store, &world, &acts[..=n]).await;
        }
        for table in [
            "tombstones",
            "tombstone_digests",
            "returned",
            "customers",
            "subscriptions",
        ] {
            store
                .execute(&format!("DELETE FROM {table} WHERE bucket >= 0"))
                .await;
        }
    }
}
