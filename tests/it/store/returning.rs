//! Who was deleted and comes back, by whatever path: suspended, and barred as before.

use drumbeat::domain::bars::DELETED_BEFORE;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Status, Switch};
use drumbeat::domain::ids::{BUCKETS, CustomerId};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::{Consent, Scope, SubscriptionState};
use drumbeat::store::{HistoryFilter, NewCustomer, Upsert};
use futures_util::future::join_all;

use super::life::{by, cards, change};
use super::rig::{Fresh, importer, model, now, revision, row, text};

const EMAIL: &str = "ana@example.com";
const PHONE: &str = "+34600123456";

fn ana(id: &str) -> NewCustomer {
    row(id, &[("email", text(EMAIL)), ("phone", text(PHONE))])
}

pub(super) async fn who_was_deleted_comes_back_suspended_by_import(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a"), row("b", &[])], &model()).await;
    store.delete("a").await;
    store
        .import(&[row("c", &[]), row("a", &[]), row("b", &[])], &model())
        .await;
    store.is_back("a").await;
    store.is_active("b").await;
    store.is_active("c").await;
    let id = store.customer_id("a").await.unwrap().unwrap();
    let lines = store
        .history(id, &HistoryFilter::default(), 9)
        .await
        .unwrap();
    let line = lines
        .iter()
        .find(|line| line.kind == "status-changed")
        .unwrap();
    assert_eq!(line.detail.as_ref().unwrap()["reason"], DELETED_BEFORE);
    assert_eq!(line.actor.as_deref(), Some("ana"), "who imported");
    // The same file again changes nothing.
    let again = store.import(&[row("a", &[])], &model()).await;
    assert_eq!((again.updated, again.unchanged), (0, 1));
    store.is_back("a").await;
}

pub(super) async fn an_address_or_number_of_the_deleted_is_recognized_in_any_spelling(
    store: Fresh,
) {
    store.published(&revision()).await;
    store.import(&[ana("a")], &model()).await;
    store.delete("a").await;
    let same = [
        row("by-email", &[("email", text("ANA@Example.com"))]),
        row("by-phone", &[("phone", text("0034600123456"))]),
        row("nobody", &[("email", text("ana@example.org"))]),
    ];
    store.import(&same, &model()).await;
    store.is_back("by-email").await;
    store.is_back("by-phone").await;
    store.is_active("nobody").await;
}

pub(super) async fn who_gets_the_address_of_a_deleted_later_is_suspended_then(store: Fresh) {
    let published = store.published(&revision()).await;
    let flow = published
        .numbers
        .number(NameKind::Flow, "welcome")
        .unwrap()
        .0;
    let others: Vec<NewCustomer> = ["x", "y", "z"].map(|id| row(id, &[])).into();
    store.import(&others, &model()).await;
    store.import(&[ana("a")], &model()).await;
    store.delete("a").await;
    let x = store.customer_id("x").await.unwrap().unwrap();
    store.enroll(x, flow, 1).await;
    for (id, field, value) in [
        ("x", "email", "Ana@example.com"),
        ("y", "phone", PHONE),
        ("z", "city", "Lyon"),
    ] {
        store.is_active(id).await;
        store.set_text(id, field, value).await;
    }
    store.is_back("x").await;
    store.is_back("y").await;
    store.is_active("z").await;
    let live = "SELECT count(*) FROM enrollments WHERE status < 10";
    assert_eq!(store.number(live).await, 0);
    // In an import, too, for somebody who is there.
    store
        .import(&[row("z", &[("email", text(EMAIL))])], &model())
        .await;
    store.is_back("z").await;
}

pub(super) async fn who_gets_such_an_address_and_who_changes_them_meanwhile_wait_in_no_circle(
    store: Fresh,
) {
    store.published(&revision()).await;
    for round in 0..6 {
        let ids: Vec<String> = (0..16).map(|n| format!("x{round}-{n}")).collect();
        let rows: Vec<NewCustomer> = ids.iter().map(|id| row(id, &[])).collect();
        store.import(&rows, &model()).await;
        store.import(&[ana(&format!("a{round}"))], &model()).await;
        store.delete(&format!("a{round}")).await;
        let editing = ids.iter().map(|id| store.set_text(id, "email", EMAIL));
        let switching = ids.iter().map(async |id| {
            let customer = store.customer_id(id).await.unwrap().unwrap();
            let push = Switch::Channel(Channel::Push);
            let by = by();
            for on in [false, true, false] {
                let set = store.set_switch(customer, push, on, &by, now());
                assert!(set.await.unwrap(), "{id}");
            }
        });
        let (_, ()) = tokio::join!(join_all(editing), async {
            join_all(switching).await;
        });
        for id in &ids {
            store.is_back(id).await;
            assert!(!store.read(id).await.switches.push, "{id}");
        }
    }
}

/// Gives up and takes back, dismisses, switches off, refuses and permits.
async fn bar(store: &Fresh, id: CustomerId) {
    let (by, at) = (by(), now());
    store.unsubscribe(id, &cards(), &by, at).await.unwrap();
    let loans = Scope {
        category: Some("loans".to_owned()),
        ..Scope::default()
    };
    store.unsubscribe(id, &loans, &by, at).await.unwrap();
    store.resubscribe(id, &loans, &by, at).await.unwrap();
    store.dismiss(id, "gold", &by, at).await.unwrap();
    let switch = Switch::Channel(Channel::Sms);
    store.set_switch(id, switch, false, &by, at).await.unwrap();
    for (channel, consent) in [
        (Channel::Email, Consent::Unsubscribed),
        (Channel::Push, Consent::OptedIn),
    ] {
        store
            .set_consent(id, channel, consent, &by, at)
            .await
            .unwrap();
    }
}

pub(super) async fn what_barred_somebody_bars_them_again(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a")], &model()).await;
    let id = store.customer_id("a").await.unwrap().unwrap();
    bar(&store, id).await;
    let at = now();
    store.delete("a").await;
    let model = model();
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[
            (Channel::Email, Consent::OptedIn),
            (Channel::Sms, Consent::OptedIn),
        ],
        by: &importer(),
        at,
    };
    store
        .upsert_customers(&[ana("new-id")], &how)
        .await
        .unwrap();
    store.is_back("new-id").await;
    let back = store.read("new-id").await;
    assert_eq!(
        back.consents.email,
        Consent::Unsubscribed,
        "a batch takes no refusal back"
    );
    assert_eq!(back.consents.sms, Consent::OptedIn);
    assert_eq!(
        back.consents.push,
        Consent::Subscribed,
        "a permission does not come back"
    );
    assert!(!back.switches.sms && back.switches.email && back.switches.outbound);
    let records = &store.subscriptions_of(&[back.id]).await.unwrap()[&back.id];
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].scope, cards());
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
    assert_eq!((records[0].by.actor.as_str(), records[0].at), ("mara", at));
    let dismissals = &store.dismissals_of(&[back.id]).await.unwrap()[&back.id];
    assert_eq!(dismissals[0].campaign, "gold");
    // Reactivated, they may be written to, but not about what they gave up.
    store.reactivate(back.id).await;
    let records = &store.subscriptions_of(&[back.id]).await.unwrap()[&back.id];
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
}

pub(super) async fn who_is_reactivated_has_no_tombstone_any_more(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a"), row("b", &[])], &model()).await;
    store.delete("a").await;
    store.delete("b").await;
    store.import(&[ana("a"), row("b", &[])], &model()).await;
    let id = store.customer_id("a").await.unwrap().unwrap();
    store.reactivate(id).await;
    store.is_active("a").await;
    store.is_back("b").await;
    // Another one with that address is no return, and one with the other's id is.
    store
        .import(&[row("c", &[("email", text(EMAIL))])], &model())
        .await;
    store.is_active("c").await;
    for (table, left) in [("tombstones", 1), ("tombstone_digests", 1), ("returned", 1)] {
        assert_eq!(
            store.number(&format!("SELECT count(*) FROM {table}")).await,
            left,
            "{table}"
        );
    }
}

pub(super) async fn who_was_discarded_comes_back_discarded(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a")], &model()).await;
    let id = store.customer_id("a").await.unwrap().unwrap();
    let by = by();
    let discarded = change(Status::Discarded, Some("a competitor"), &by);
    store.change_status(&[id], &discarded).await.unwrap();
    store.delete("a").await;
    store.import(&[ana("a")], &model()).await;
    let reason = Some("a competitor".to_owned());
    assert_eq!(store.standing_of("a").await, (Status::Discarded, reason));
}

pub(super) async fn who_is_deleted_twice_has_one_tombstone(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a")], &model()).await;
    let id = store.customer_id("a").await.unwrap().unwrap();
    store.unsubscribe(id, &cards(), &by(), now()).await.unwrap();
    store.delete("a").await;
    for id in ["b", "a"] {
        store
            .import(&[row(id, &[("email", text(EMAIL))])], &model())
            .await;
        store.is_back(id).await;
        store.delete(id).await;
        let count = "SELECT count(*) FROM tombstones";
        assert_eq!(store.number(count).await, 1, "{id}");
    }
    // Every identifier that they ever had, and every bar.
    for (id, fields) in [
        ("a", vec![]),
        ("b", vec![]),
        ("d", vec![("phone", text(PHONE))]),
    ] {
        store.import(&[row(id, &fields)], &model()).await;
        store.is_back(id).await;
        let back = store.read(id).await.id;
        let records = &store.subscriptions_of(&[back]).await.unwrap()[&back];
        assert_eq!(records[0].scope, cards(), "{id}");
    }
}

pub(super) async fn very_many_are_deleted_and_come_back_at_once(store: Fresh) {
    store.published(&revision()).await;
    let rows: Vec<NewCustomer> = (0..3_000)
        .map(|n| {
            row(
                &format!("c{n}"),
                &[("email", text(&format!("c{n}@example.com")))],
            )
        })
        .collect();
    store.import(&rows, &model()).await;
    let names: Vec<String> = (0..2_500).map(|n| format!("c{n}")).collect();
    let ids: Vec<CustomerId> = store
        .customer_ids(&names)
        .await
        .unwrap()
        .into_values()
        .collect();
    let deleted = store.delete_customers(&ids, &by(), now()).await.unwrap();
    assert_eq!(deleted, 2_500);
    let audit = &store.audit_lines(1).await.unwrap()[0];
    assert_eq!(
        (audit.actor.as_str(), audit.what.as_str()),
        ("mara", "customers deleted")
    );
    assert!(
        audit
            .detail
            .as_ref()
            .unwrap()
            .starts_with("{\"count\":2500,")
    );
    let upserted = store.import(&rows, &model()).await;
    assert_eq!((upserted.created, upserted.unchanged), (2_500, 500));
    let suspended = store
        .customers_of_status(Status::Suspended, 0..BUCKETS)
        .await
        .unwrap();
    assert_eq!(suspended.len(), 2_500);
    let by = by();
    let active = change(Status::Active, None, &by);
    let back = store.change_status(&suspended, &active).await.unwrap();
    assert_eq!(back.len(), 2_500);
    assert_eq!(
        store.number("SELECT count(*) FROM tombstone_digests").await,
        0
    );
}

pub(super) async fn a_dry_run_suspends_nobody(store: Fresh) {
    store.published(&revision()).await;
    store.import(&[ana("a"), row("b", &[])], &model()).await;
    store.delete("a").await;
    let model = model();
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[],
        by: &importer(),
        at: now(),
    };
    let b = row("b", &[("email", text(EMAIL))]);
    let field = model.field("email").unwrap();
    let mut draft = drumbeat::store::Draft::new([field]).unwrap();
    let email = FieldValue::One(text(EMAIL));
    draft.push(&b.external_id, [(0, Some(&email))]).unwrap();
    let (sheet, _) = draft.sorted();
    let would = store
        .compare_sheet(&sheet, sheet.rows(), &how)
        .await
        .unwrap();
    assert_eq!(would.updated, 1);
    store.is_active("b").await;
    assert_eq!(store.number("SELECT count(*) FROM returned").await, 0);
}
