//! Deleting a customer: nothing that tells of them is left.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::Scope;
use drumbeat::store::Upsert;

use super::people::Sent;
use super::rig::{Fresh, importer, model, now, revision, row, text};
use super::search::index;

pub(super) async fn a_deleted_customer_leaves_nothing_behind_but_ended_runs(store: Fresh) {
    let published = store.published(&revision()).await;
    for id in ["secret-id", "other"] {
        fill(&store, id, &published).await;
        index(&store, &published).await;
    }
    store.mark_for_search("secret-id").await;
    store.mark_for_search("other").await;
    let id = store.customer_id("secret-id").await.unwrap().unwrap();
    let by = By::new(Actor::named("eva"), Source::CommandLine);
    store.delete_customer(id, &by, now()).await.unwrap();
    assert_eq!(store.customer_id("secret-id").await.unwrap(), None);
    for table in [
        "customers",
        "customer_values",
        "customer_tags",
        "subscriptions",
        "memberships",
        "dirty",
        "interactions",
        "search_marks",
        "search_texts",
    ] {
        let gone = format!("SELECT count(*) FROM {table} WHERE customer_id = {id}");
        assert_eq!(store.number(&gone).await, 0, "{table}");
        let stayed = format!("SELECT count(*) FROM {table} WHERE customer_id <> {id}");
        assert!(store.number(&stayed).await > 0, "{table}");
    }
    for table in ["dispatches", "attempts", "frozen_messages"] {
        let left = format!("SELECT count(*) FROM {table}");
        assert_eq!(store.number(&left).await, 1, "{table}");
    }
    let ended = format!(
        "SELECT count(*) FROM enrollments WHERE customer_id = {id} AND status = 11 \
         AND exit_reason = 6 AND due IS NULL"
    );
    assert_eq!(store.number(&ended).await, 1);
    let audit = store.audit_lines(5).await.unwrap();
    assert_eq!((audit.len(), audit[0].actor.as_str()), (1, "eva"));
    assert!(!audit[0].detail.as_ref().unwrap().contains("secret"));
}

pub(super) async fn a_line_of_the_audit_that_names_the_deleted_names_them_no_more(store: Fresh) {
    store.published(&revision()).await;
    let by = importer();
    for id in ["secret-id", "other"] {
        store.person(id, &[]).await;
        let added = store.audit(&by, "customer-added", Some(id), now());
        added.await.unwrap();
    }
    let id = store.customer_id("secret-id").await.unwrap().unwrap();
    store.delete_customer(id, &by, now()).await.unwrap();
    let lines = store.audit_lines(9).await.unwrap();
    let details: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.detail.as_deref())
        .collect();
    assert!(details.contains(&"other"), "{details:?}");
    assert!(
        !details.iter().any(|detail| detail.contains("secret")),
        "{details:?}"
    );
}

/// Not in the pages that are in use, not in free ones, and not in the journal.
pub(super) async fn no_byte_of_a_deleted_customer_is_left_in_the_file(store: Fresh) {
    let published = store.published(&revision()).await;
    for id in ["secret-id", "other"] {
        fill(&store, id, &published).await;
        let customer = store.customer_id(id).await.unwrap().unwrap();
        let fields = [
            ("address", format!("{id} street")),
            ("email", format!("{id}@example.com")),
        ];
        let fields =
            fields.map(|(name, value)| (name.to_owned(), Some(FieldValue::One(text(&value)))));
        let (model, by) = (model(), importer());
        let set = store.set_fields(customer, &fields, &model, &by, now());
        assert!(set.await.unwrap());
    }
    index(&store, &published).await;
    let occurrences = |word: &str| {
        let files = std::fs::read_dir(store.folder.path()).unwrap().flatten();
        let files = files.filter(|entry| entry.file_type().unwrap().is_file());
        let contents = files.map(|entry| std::fs::read(entry.path()).unwrap());
        let word = word.as_bytes();
        let each = contents.map(|bytes| bytes.windows(word.len()).filter(|w| *w == word).count());
        each.sum::<usize>()
    };
    assert!(occurrences("secret-id") > 0);
    let id = store.customer_id("secret-id").await.unwrap().unwrap();
    store.delete_customer(id, &importer(), now()).await.unwrap();
    store.empty_journal().await.unwrap();
    for word in ["secret-id", "secret-id street", "SECRET-ID"] {
        assert_eq!(occurrences(word), 0, "{word}");
    }
    assert!(occurrences("other street") > 0);
    for (part, left) in [("sec", 0), ("oth", 1)] {
        let left_in_index =
            format!("SELECT count(*) FROM search_index WHERE search_index MATCH '\"{part}\"'");
        assert_eq!(store.number(&left_in_index).await, left, "{part}");
    }
}

/// A customer with something in every table.
async fn fill(store: &Fresh, id: &str, published: &drumbeat::store::Published) {
    let (by, model) = (importer(), model());
    let mut customer = row(id, &[("city", text("Lyon"))]);
    let products = FieldValue::Many(vec![text("loan")]);
    customer
        .fields
        .push(("products".to_owned(), Some(products)));
    let how = Upsert {
        model: &model,
        tags: &["vip".to_owned()],
        consents: &[],
        by: &by,
        at: now(),
    };
    store.upsert_customers(&[customer], &how).await.unwrap();
    let customer = store.customer_id(id).await.unwrap().unwrap();
    store
        .unsubscribe(customer, &Scope::EVERYTHING, &by, now())
        .await
        .unwrap();
    store.dismiss(customer, "gold", &by, now()).await.unwrap();
    let login = Interaction::new(customer, now(), Kind::Login);
    store.record(&[login]).await.unwrap();
    let flow = published
        .numbers
        .number(NameKind::Flow, "welcome")
        .unwrap()
        .0;
    let step = published.numbers.step("welcome", "hello").unwrap().0;
    let enrollment = store.enroll(customer, flow, 1).await;
    let sent = Sent {
        enrollment,
        step,
        channel: Channel::Email.number(),
        state: 3,
        at: now(),
    };
    store.send(&sent).await;
    let bucket = customer.bucket().0;
    for sql in [
        format!("INSERT INTO memberships VALUES ({bucket}, 1, {customer}, 1)"),
        format!("INSERT INTO attempts VALUES ({bucket}, {enrollment}, {step}, 1, 1, 3, 'x')"),
        format!("INSERT INTO frozen_messages VALUES ({bucket}, {enrollment}, {step}, 'x')"),
    ] {
        store.execute(&sql).await;
    }
}
