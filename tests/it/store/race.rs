//! The claim against what changes between looking and claiming: what was given up in time is never sent.

use std::sync::Arc;

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::{Channel, Lane};
use drumbeat::domain::customer::{Status, Switch};
use drumbeat::domain::ids::{CustomerId, Incarnation, Stripes};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::store::{Claimed, Decided, Decision, Due, Lease, Published, Upsert, Work};
use jiff::SignedDuration;

use super::rig::{Fresh, importer, model, now, revision, row, text};

const EMAIL: Lane = Lane::Channel(Channel::Email);

/// Everything about a customer that the gate asks before it lets a message go.
#[derive(Debug)]
enum Change {
    GaveUp(Scope),
    TookBack(Scope),
    TurnedOff(Switch),
    Refused,
    RefusedInAFile,
    Dismissed,
    Became(Status),
}

fn changes() -> Vec<Change> {
    let scopes = (0..16).map(|bits: u8| Scope {
        campaign: (bits & 1 > 0).then(|| "gold".to_owned()),
        category: (bits & 2 > 0).then(|| "cards".to_owned()),
        group: (bits & 4 > 0).then(|| "retail".to_owned()),
        channel: (bits & 8 > 0).then_some(Channel::Email),
    });
    let switches = ["outbound", "email", "sms", "push"].map(|name| Switch::parse(name).unwrap());
    let mut changes: Vec<Change> = scopes.map(Change::GaveUp).collect();
    changes.extend(switches.map(Change::TurnedOff));
    changes.extend([Status::Suspended, Status::Discarded].map(Change::Became));
    changes.extend([
        Change::TookBack(Scope::EVERYTHING),
        Change::Refused,
        Change::RefusedInAFile,
        Change::Dismissed,
    ]);
    changes
}

fn lease() -> Lease {
    Lease {
        incarnation: Incarnation(1),
        until: now() + SignedDuration::from_mins(10),
    }
}

fn by() -> By {
    By::new(Actor::customer(), Source::Link)
}

/// A customer who waits in the flow `welcome` for an e-mail that is due now.
async fn waiting(store: &Fresh, published: &Published, id: &str, sequence: i64) -> CustomerId {
    let address = format!("{id}@Example.com");
    let customer = store.person(id, &[("email", text(&address))]).await;
    let flow = published.numbers.number(NameKind::Flow, "welcome").unwrap();
    let step = published.numbers.step("welcome", "hello").unwrap();
    let enrollment = store.enroll(customer, flow.0, sequence).await;
    store
        .execute(&format!(
            "UPDATE enrollments SET step = {} WHERE enrollment_id = {enrollment}",
            step.0
        ))
        .await;
    customer
}

async fn due(store: &Fresh, customer: CustomerId) -> Option<Due> {
    let dues = store.due(&Stripes::all(), EMAIL, now(), 100).await.unwrap();
    dues.into_iter().find(|due| due.customer == customer)
}

/// The claim of a pass that looks now.
async fn looked(store: &Fresh, customer: CustomerId) -> Decided {
    let due = due(store, customer).await.unwrap();
    let read = store.customers(&[customer], &model()).await.unwrap();
    Decided {
        enrollment: due.enrollment,
        customer,
        step: due.step,
        due: due.due,
        consent_rev: read[0].consent_rev,
        suppression_rev: store.suppression_rev().await.unwrap(),
        decision: Decision::Claim {
            channel: Channel::Email,
            address: read[0].text("email").unwrap().to_owned(),
            attempt: 1,
            first_at: now(),
            variant: None,
        },
    }
}

async fn taken(store: &Fresh, decided: Vec<Decided>) -> Claimed {
    let work = Work::Decided {
        decided: Arc::new(decided),
        lease: lease(),
        marks: false,
        now: now(),
    };
    store.write_together(&[work]).await.unwrap().remove(0)
}

/// How many messages the decision took out.
async fn claimed(store: &Fresh, decided: Decided) -> usize {
    taken(store, vec![decided]).await.len()
}

async fn apply(store: &Fresh, customer: CustomerId, id: &str, change: &Change) {
    let (by, at) = (by(), now());
    let changed = match change {
        Change::GaveUp(scope) => store.unsubscribe(customer, scope, &by, at).await.unwrap(),
        Change::TookBack(scope) => {
            let answer = store.resubscribe(customer, scope, &by, at).await.unwrap();
            !answer.flips.is_empty()
        }
        Change::TurnedOff(switch) => store
            .set_switch(customer, *switch, false, &by, at)
            .await
            .unwrap(),
        Change::Refused => store
            .set_consent(customer, Channel::Email, Consent::Unsubscribed, &by, at)
            .await
            .unwrap(),
        Change::RefusedInAFile => import_refusal(store, id).await,
        // The flow of another name goes on: only the claim stands between its message and the customer.
        Change::Dismissed => store.dismiss(customer, "gold", &by, at).await.unwrap(),
        Change::Became(status) => store.set_status(customer, *status, &by, at).await.unwrap(),
    };
    assert!(changed, "{change:?}");
}

async fn import_refusal(store: &Fresh, id: &str) -> bool {
    let (model, by) = (model(), importer());
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[(Channel::Email, Consent::Unsubscribed)],
        by: &by,
        at: now(),
    };
    let upserted = store.upsert_customers(&[row(id, &[])], &how).await.unwrap();
    upserted.updated == 1
}

pub(super) async fn whatever_the_gate_asks_about_stops_a_claim_that_saw_it_otherwise(store: Fresh) {
    let published = store.published(&revision()).await;
    for (n, change) in changes().iter().enumerate() {
        let id = format!("c{n}");
        let customer = waiting(&store, &published, &id, i64::try_from(n).unwrap() + 1).await;
        if let Change::TookBack(scope) = change {
            store
                .unsubscribe(customer, scope, &by(), now())
                .await
                .unwrap();
        }
        let before = due(&store, customer).await;
        let seen = looked(&store, customer).await;
        apply(&store, customer, &id, change).await;
        assert_eq!(claimed(&store, seen).await, 0, "{change:?}");
        if let Change::Became(_) = change {
            // They have left the flow.
            assert_eq!(due(&store, customer).await, None, "{change:?}");
            continue;
        }
        assert_eq!(due(&store, customer).await, before, "{change:?}");
        let again = looked(&store, customer).await;
        assert_eq!(claimed(&store, again).await, 1, "{change:?}");
    }
    let changes = changes();
    let goes_on = |change: &&Change| !matches!(change, Change::Became(_));
    let written = i64::try_from(changes.iter().filter(goes_on).count()).unwrap();
    let count = "SELECT count(*) FROM dispatches WHERE state = 0";
    assert_eq!(store.number(count).await, written);
}

pub(super) async fn an_address_that_is_suppressed_meanwhile_is_not_claimed_for(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = waiting(&store, &published, "ana", 1).await;
    let ben = waiting(&store, &published, "ben", 2).await;
    let before = due(&store, ana).await;
    let (to_ana, to_ben) = (looked(&store, ana).await, looked(&store, ben).await);
    for (channel, address) in [
        (Channel::Email, "ANA@example.com"),
        (Channel::Sms, "ben@example.com"),
    ] {
        store
            .suppress(channel, address, "bounced", now())
            .await
            .unwrap();
    }
    let ben = to_ben.enrollment;
    assert_eq!(taken(&store, vec![to_ana, to_ben]).await, [ben]);
    assert_eq!(due(&store, ana).await, before);
    assert_eq!(store.number("SELECT count(*) FROM dispatches").await, 1);
}

pub(super) async fn a_deleted_customers_message_is_not_claimed(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = waiting(&store, &published, "ana", 1).await;
    let seen = looked(&store, ana).await;
    store.delete_customer(ana, &by(), now()).await.unwrap();
    assert_eq!(claimed(&store, seen).await, 0);
    assert_eq!(store.number("SELECT count(*) FROM dispatches").await, 0);
}

pub(super) async fn a_message_is_claimed_once_whoever_else_changes(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = waiting(&store, &published, "ana", 1).await;
    let ben = waiting(&store, &published, "ben", 2).await;
    let seen = looked(&store, ana).await;
    let everything = Change::GaveUp(Scope::EVERYTHING);
    apply(&store, ben, "ben", &everything).await;
    assert_eq!(claimed(&store, seen.clone()).await, 1);
    assert_eq!(claimed(&store, seen).await, 0);
}
