//! Taking imports back: what they did, and what is left because it was changed since.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::import::ImportState;
use drumbeat::domain::import_plan::ImportPlan;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::value::Value;

use super::import_desk::Desk;
use super::life::by;
use super::rig::{Fresh, model, now, row, text};

pub(super) async fn what_an_import_did_is_taken_back(store: Fresh) {
    let desk = Desk::at(&store).await;
    let list = store.add_list("fair", None, &by(), now()).await.unwrap();
    let products = FieldValue::Many(vec![Value::Text("loan".to_owned())]);
    let mut ana = row(
        "ana",
        &[
            ("city", text("Rome")),
            ("balance", Value::Number(0.1 + 0.2)),
        ],
    );
    ana.fields.push(("products".to_owned(), Some(products)));
    store
        .import(&[ana, row("ben", &[("city", text("Oslo"))])], &model())
        .await;
    store.execute("DELETE FROM dirty").await;
    let before = store.read("ana").await;
    let plan = ImportPlan {
        tags: vec!["vip".to_owned()],
        consents: vec![(Channel::Sms, Consent::OptedIn)],
        list: Some("fair".to_owned()),
        ..ImportPlan::default()
    };
    let file = "id,city,balance,products,age\nana,Lyon,7,card;cash,40\nben,Lyon,,,\nnew,Lyon,,,\n";
    let import = desk.saved(file, plan).await;
    let changed = store.read("ana").await;
    assert_eq!(
        (changed.text("city"), changed.tags.len()),
        (Some("Lyon"), 1)
    );
    assert_eq!(
        store.list_members_after(list, None, 9).await.unwrap().len(),
        3
    );
    let trial = desk.revert(import, true).await;
    assert_eq!((trial.changed, trial.failed), (3, 0));
    assert_eq!(
        (desk.customers().await, store.read("ana").await),
        (3, changed.clone())
    );
    assert_eq!(desk.import(import).await.state, ImportState::Saved);
    store.execute("DELETE FROM dirty").await;
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (3, 0));
    let mut after = store.read("ana").await;
    assert!(after.consent_rev > changed.consent_rev);
    after.consent_rev = before.consent_rev;
    assert_eq!(after, before);
    assert_eq!(desk.city("ben").await.as_deref(), Some("Oslo"));
    assert_eq!(store.customer_id("new").await.unwrap(), None);
    assert_eq!(store.list_members_after(list, None, 9).await.unwrap(), []);
    assert_eq!(store.number("SELECT count(*) FROM dirty").await, 2);
    assert_eq!(store.number("SELECT count(*) FROM tombstones").await, 0);
    assert_eq!(store.number("SELECT count(*) FROM import_changes").await, 0);
    desk.saved("id\nnew\n", ImportPlan::default()).await;
    assert_eq!(
        store.read("new").await.status,
        drumbeat::domain::customer::Status::Active
    );
}

pub(super) async fn what_was_changed_since_is_left_and_named(store: Fresh) {
    let desk = Desk::at(&store).await;
    for id in ["ana", "ben", "cleo"] {
        store
            .person(id, &[("city", text("Rome")), ("zip", text("1"))])
            .await;
    }
    let file = "id,city,zip\nana,Lyon,2\nben,Lyon,2\ncleo,Lyon,2\nnew,Lyon,\nbusy,Lyon,\n";
    let import = desk.saved(file, ImportPlan::default()).await;
    let id = async |name: &str| store.customer_id(name).await.unwrap().unwrap();
    let city = [("city".to_owned(), Some(FieldValue::One(text("Bern"))))];
    let later = now() + jiff::SignedDuration::from_hours(1);
    let ana = id("ana").await;
    let set = store.set_fields(ana, &city, &model(), &by(), later).await;
    assert!(set.unwrap());
    let login = Interaction::new(id("busy").await, later, Kind::Login);
    store.record(&[login]).await.unwrap();
    let second = desk
        .saved("id,city\nben,Oslo\n", ImportPlan::default())
        .await;
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (3, 3));
    let mut left = desk.left(&back).await;
    left.sort();
    let told = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    let expected = [
        told("ana", "`city` was changed since"),
        told("ben", "a later import changed this customer"),
        told("busy", "did something or was changed since"),
    ];
    assert_eq!(left, expected);
    let ana = store.read("ana").await;
    assert_eq!(
        (ana.text("city"), ana.text("zip")),
        (Some("Bern"), Some("1"))
    );
    assert_eq!(desk.city("cleo").await.as_deref(), Some("Rome"));
    assert_eq!(desk.city("busy").await.as_deref(), Some("Lyon"));
    assert_eq!(store.customer_id("new").await.unwrap(), None);
    let back = desk.revert(second, false).await;
    assert_eq!(
        (back.changed, desk.city("ben").await.as_deref()),
        (1, Some("Lyon"))
    );
}
