//! Every constant statement is understood, and keeps to its buckets.

use drumbeat::store::statements;
use sqlx::{Connection, Executor, Row};

use super::rig::{Fresh, revision};

/// The tables whose keys begin with a bucket.
const CUSTOMER_SIDE: [&str; 12] = [
    "customers",
    "customer_values",
    "customer_tags",
    "subscriptions",
    "dismissals",
    "suppressions",
    "memberships",
    "dirty",
    "enrollments",
    "dispatches",
    "attempts",
    "interactions",
];

pub(super) async fn every_constant_statement_prepares(store: Fresh) {
    store.published(&revision()).await;
    let mut raw = store.raw().await;
    for (file, statements) in statements() {
        assert!(!statements.is_empty(), "{file}");
        for statement in statements {
            let prepared = (&mut raw)
                .prepare(sqlx::SqlSafeStr::into_sql_str(*statement))
                .await;
            assert!(
                prepared.is_ok(),
                "{file}: {statement}: {:?}",
                prepared.err()
            );
        }
    }
    raw.close().await.unwrap();
}

pub(super) async fn every_statement_on_customers_names_its_bucket(_store: Fresh) {
    let mut seen = 0;
    for (file, statements) in statements() {
        for statement in statements {
            if names_a_customer_side_table(statement) {
                seen += 1;
                assert!(statement.contains("bucket"), "{file}: {statement}");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

fn names_a_customer_side_table(statement: &str) -> bool {
    let words: Vec<&str> = statement
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).any(|pair| {
        ["FROM", "INTO", "UPDATE", "JOIN"].contains(&pair[0]) && CUSTOMER_SIDE.contains(&pair[1])
    })
}

/// What is small, or is the batch itself.
const WALKED: [&str; 11] = [
    "json_each",
    "pragma_table_info",
    "j",
    "meta",
    "names",
    "revisions",
    "flow_states",
    "removed_steps",
    "audit",
    "link_keys",
    "CONSTANT",
];

pub(super) async fn no_statement_walks_a_table_of_customers_unless_it_says_so(store: Fresh) {
    store.published(&revision()).await;
    let mut raw = store.raw().await;
    for (file, statements) in statements() {
        for statement in statements.iter().filter(|s| !s.starts_with("VACUUM")) {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let plan = sqlx::query(sqlx::AssertSqlSafe(explain))
                .fetch_all(&mut raw)
                .await
                .unwrap();
            for line in plan {
                let line: String = line.get("detail");
                let walked = line
                    .strip_prefix("SCAN ")
                    .map(|rest| rest.split(' ').next().unwrap());
                let small = walked.is_none_or(|table| WALKED.contains(&table));
                assert!(small, "{file}: {statement}: {line}");
            }
        }
    }
    raw.close().await.unwrap();
}
