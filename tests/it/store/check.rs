//! What a look through the whole store finds, and that it finds nothing where nothing is wrong.

use drumbeat::store::Dialect;
use drumbeat::store::Finding;

use super::rig::{Fresh, model, revision, text};

/// A rule, the table it is about, and what breaks it.
const BREAKING: [(&str, &str, &str); 9] = [
    (
        "bucket",
        "customer_tags",
        "UPDATE customer_tags SET bucket = bucket + 1 WHERE bucket >= 0",
    ),
    (
        "hash",
        "customers",
        "UPDATE customers SET external_id = external_id || 'x' WHERE bucket >= 0",
    ),
    (
        "customer-missing",
        "dismissals",
        "INSERT INTO dismissals (bucket, customer_id, campaign, at, actor, source) \
         VALUES (0, 999, 'gold', 1, 'ana', 'console')",
    ),
    (
        "enrollment-missing",
        "frozen_messages",
        "INSERT INTO frozen_messages (bucket, enrollment_id, step, body) VALUES (0, 999, 1, '')",
    ),
    (
        "name-missing",
        "memberships",
        "INSERT INTO memberships (bucket, segment, customer_id, joined_at) \
         SELECT bucket, 12345, customer_id, 1 FROM customers",
    ),
    (
        "step-missing",
        "enrollments",
        "INSERT INTO enrollments (bucket, enrollment_id, customer_id, flow, entry, status, lane, \
         anchor, planned, started_at, started_revision, timed_revision) SELECT bucket, \
         customer_id, customer_id, 1, 1, 1, 1, 1, 1, 1, 1, 1 FROM customers",
    ),
    (
        "ended-and-due",
        "enrollments",
        "UPDATE enrollments SET status = 10, due = 1 WHERE bucket >= 0",
    ),
    (
        "claimed-and-not-sending",
        "dispatches",
        "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, attempt, \
         incarnation, first_at, at) SELECT bucket, enrollment_id, 1, 1, 0, 1, 1, 1, 1 \
         FROM enrollments",
    ),
    (
        "number-not-taken",
        "customers",
        "UPDATE sequences SET next = 1 WHERE name = 'customer'",
    ),
];

pub(super) async fn a_check_names_what_is_wrong(store: Fresh) {
    store.published(&revision()).await;
    store.person("ana", &[("city", text("Lyon"))]).await;
    let tag = "INSERT INTO customer_tags (bucket, customer_id, tag) \
               SELECT c.bucket, c.customer_id, n.number FROM customers AS c, names AS n \
               WHERE n.kind = 7 AND n.name = 'vip'";
    store.execute(tag).await;
    assert_eq!(store.examine().await.unwrap(), []);
    for (code, table, breaking) in BREAKING {
        if code == "bucket" && store.store().dialect() == Dialect::Citus {
            continue; // It moves no row to another bucket, whoever asks.
        }
        let broken = |finding: &&Finding| finding.code == code && finding.table == table;
        let before = store.examine().await.unwrap();
        assert_eq!(before.iter().find(broken), None, "{breaking}");
        store.execute(breaking).await;
        let found = store.examine().await.unwrap();
        let found = found.iter().find(broken);
        let found = found.unwrap_or_else(|| panic!("{code}: {breaking}"));
        assert!(found.rows > 0 && !found.example.is_empty(), "{found:?}");
    }
}

pub(super) async fn a_check_misses_the_column_of_a_field(store: Fresh) {
    store.published(&revision()).await;
    store
        .execute("ALTER TABLE customers DROP COLUMN fd_joined_on")
        .await;
    let found = store.examine().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, "column-missing");
    assert_eq!(found[0].example, "fd_joined_on");
    assert!(
        model()
            .fields
            .iter()
            .any(|field| field.identifier == "joined_on")
    );
}
