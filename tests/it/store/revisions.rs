//! Revisions: what is published reads back, and numbers and successors hold over edits.

use drumbeat::domain::duration::Delay;
use drumbeat::domain::field::FieldType;
use drumbeat::domain::revision::{NameKind, Revision};
use drumbeat::domain::timing::When;
use drumbeat::domain::value::Value;
use drumbeat::store::{CheckRecord, Error, NewRevision, Published};

use super::rig::{Fresh, flow, now, revision, row, step, text};

pub(super) async fn a_published_revision_reads_back_equal(store: Fresh) {
    let published = store.published(&revision()).await;
    assert_eq!(
        store.current_revision().await.unwrap(),
        Some(published.clone())
    );
    assert_eq!(published.revision, revision());
    assert_eq!(
        store.current_revision_no().await.unwrap(),
        Some(published.number)
    );
    assert_eq!(store.numbers().await.unwrap(), published.numbers);
    assert_eq!(
        store.number("SELECT count(*) FROM revision_sources").await,
        1
    );
}

pub(super) async fn publishing_the_same_content_again_changes_nothing(store: Fresh) {
    let first = store.published(&revision()).await;
    let again = NewRevision {
        revision: &revision(),
        hash: &first.hash,
        commit: None,
        sources: Vec::new(),
        at: now() + jiff::SignedDuration::from_hours(1),
    };
    assert_eq!(store.publish(again).await.unwrap(), first);
    assert_eq!(store.number("SELECT count(*) FROM revisions").await, 1);
}

pub(super) async fn a_revision_that_came_meanwhile_is_not_written_over(store: Fresh) {
    let (older, newer) = (revision(), Revision::default());
    let new = |revision, hash| NewRevision {
        revision,
        hash,
        commit: None,
        sources: Vec::new(),
        at: now(),
    };
    let first = store.publish_after(None, new(&older, "older")).await;
    let first = first.unwrap().number;
    let overtaken = store.publish_after(None, new(&newer, "newer")).await;
    assert!(matches!(overtaken, Err(Error::Conflict(_))));
    let second = store.publish_after(Some(first), new(&newer, "newer")).await;
    let overtaken = store.publish_after(Some(first), new(&older, "older")).await;
    assert!(matches!(overtaken, Err(Error::Conflict(_))));
    assert_eq!(store.number("SELECT count(*) FROM revisions").await, 2);
    // Whoever was to write the same has it.
    let same = store.publish_after(Some(first), new(&newer, "newer")).await;
    assert_eq!(same.unwrap(), second.unwrap());
}

pub(super) async fn whoever_sees_a_revision_sees_that_its_node_runs_it(store: Fresh) {
    let owner = store.own("a test").await.unwrap();
    assert_eq!(store.live_nodes().await.unwrap(), []);
    let published = store.published(&revision()).await;
    let shown: Vec<_> = store.live_nodes().await.unwrap();
    let shown: Vec<_> = shown
        .into_iter()
        .map(|node| (node.node, node.files, node.revision))
        .collect();
    let (files, number) = (Some(published.hash), Some(published.number.0));
    let expected = (owner.incarnation, files, number);
    assert_eq!(
        shown,
        [expected].as_slice()[..usize::from(store.is_shared())]
    );
    let other = store.again().await;
    assert!(!store.others_run().await.unwrap());
    assert_eq!(other.others_run().await.unwrap(), store.is_shared());
}

pub(super) async fn numbers_never_change_over_revisions(store: Fresh) {
    let first = store.published(&revision()).await;
    let mut next = revision();
    next.flows.remove("gold");
    let early = flow("aaa", &[step("hello", 1)]);
    next.flows.insert("aaa".to_owned(), early);
    let second = store.published(&next).await;
    let numbers = |published: &Published| {
        [
            published.numbers.number(NameKind::Flow, "gold"),
            published.numbers.number(NameKind::Campaign, "gold"),
            published.numbers.step("welcome", "hello"),
            published.numbers.number(NameKind::Tag, "vip"),
            published.numbers.number(NameKind::Field, "products"),
        ]
    };
    assert_eq!(numbers(&first), numbers(&second));
    assert!(numbers(&first).iter().all(Option::is_some));
    assert_ne!(
        second.numbers.step("aaa", "hello"),
        second.numbers.step("welcome", "hello")
    );
}

pub(super) async fn a_changed_type_is_a_new_column_and_leaves_the_old_values(store: Fresh) {
    let first = revision();
    store.published(&first).await;
    let typed = |kind: FieldType| {
        let mut revision = revision();
        let field = revision
            .data_model
            .fields
            .iter_mut()
            .find(|f| f.identifier == "tier");
        field.unwrap().kind = kind;
        revision
    };
    let number = typed(FieldType::Integer);
    store
        .import(&[row("a", &[("tier", text("gold"))])], &first.data_model)
        .await;
    store.published(&number).await;
    let before = store
        .customer("a", &number.data_model)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(before.fields.get("tier"), None);
    store
        .import(
            &[row("a", &[("tier", Value::Integer(3))])],
            &number.data_model,
        )
        .await;
    let again = store
        .customer("a", &first.data_model)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.text("tier"), Some("gold"));
}

async fn successor(store: &Fresh, published: &Published, step: &str) -> Option<i64> {
    let number = published.numbers.step("f", step).unwrap().0;
    let sql =
        format!("SELECT coalesce(max(successor), -1) FROM removed_steps WHERE step = {number}");
    Some(store.number(&sql).await).filter(|successor| *successor > 0)
}

async fn is_removed(store: &Fresh, published: &Published, step: &str) -> bool {
    let number = published.numbers.step("f", step).unwrap().0;
    let sql = format!("SELECT count(*) FROM removed_steps WHERE step = {number}");
    store.number(&sql).await == 1
}

fn with_steps(steps: &[&str]) -> Revision {
    let steps: Vec<_> = steps.iter().map(|id| step(id, 1)).collect();
    let mut revision = Revision::default();
    revision.flows.insert("f".to_owned(), flow("f", &steps));
    revision
}

pub(super) async fn the_people_of_a_removed_step_go_to_the_step_after_it(store: Fresh) {
    store.published(&with_steps(&["a", "b", "c", "d"])).await;
    let second = store.published(&with_steps(&["a", "c", "d"])).await;
    let number = |step: &str| second.numbers.step("f", step).map(i64::from);
    assert_eq!(successor(&store, &second, "b").await, number("c"));
    // The successor goes too: its people and those that were sent to it go on together.
    store.published(&with_steps(&["a", "d"])).await;
    assert_eq!(successor(&store, &second, "b").await, number("d"));
    assert_eq!(successor(&store, &second, "c").await, number("d"));
    store.published(&with_steps(&["a"])).await;
    assert_eq!(successor(&store, &second, "b").await, None);
    assert!(is_removed(&store, &second, "b").await);
    assert!(!is_removed(&store, &second, "a").await);
}

pub(super) async fn a_removed_step_that_comes_back_is_no_longer_removed(store: Fresh) {
    store.published(&with_steps(&["a", "b", "c"])).await;
    let second = store.published(&with_steps(&["a", "c"])).await;
    assert!(is_removed(&store, &second, "b").await);
    store.published(&with_steps(&["b", "a", "c"])).await;
    assert!(!is_removed(&store, &second, "b").await);
}

pub(super) async fn a_flow_that_was_away_is_compared_with_what_it_last_was(store: Fresh) {
    store.published(&with_steps(&["a", "b", "c"])).await;
    store.published(&Revision::default()).await;
    let third = store.published(&with_steps(&["a", "c"])).await;
    let successor = successor(&store, &third, "b").await;
    assert_eq!(successor, third.numbers.step("f", "c").map(i64::from));
}

pub(super) async fn only_a_change_of_timing_makes_a_flow_timed_anew(store: Fresh) {
    let timed = "SELECT timing_revision FROM flow_states";
    store.published(&with_steps(&["a", "b"])).await;
    assert_eq!(store.number(timed).await, 1);
    let mut renamed = with_steps(&["a", "b"]);
    renamed.flows.get_mut("f").unwrap().name.push_str(" anew");
    store.published(&renamed).await;
    assert_eq!(store.number(timed).await, 1);
    renamed.flows.get_mut("f").unwrap().steps[1].when = When::After(Delay::days(9));
    store.published(&renamed).await;
    assert_eq!(store.number(timed).await, 3);
    renamed.flows.get_mut("f").unwrap().steps.swap(0, 1);
    store.published(&renamed).await;
    assert_eq!(store.number(timed).await, 4);
}

pub(super) async fn the_last_check_reads_back(store: Fresh) {
    assert_eq!(store.last_check().await.unwrap(), None);
    let mut check = CheckRecord {
        ok: false,
        errors: 2,
        at: now(),
        hash: "h".to_owned(),
        report: serde_json::json!({ "errors": ["a", "b"] }),
    };
    store.record_check(&check).await.unwrap();
    check.errors = 1;
    store.record_check(&check).await.unwrap();
    assert_eq!(store.last_check().await.unwrap(), Some(check));
}
