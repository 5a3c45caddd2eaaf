//! Every constant statement is understood, and keeps to its buckets.

use drumbeat::store::{Dialect, Edge, Reach, edges, reaches, statements, time_statements};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqlSafeStr as _};

use super::drawn::every_axis;
use super::rig::{Fresh, revision};
use crate::rig::home::Raw;

/// The tables whose keys begin with a bucket.
const CUSTOMER_SIDE: [&str; 34] = [
    "activity",
    "customers",
    "customer_values",
    "customer_tags",
    "list_members",
    "import_changes",
    "subscriptions",
    "dismissals",
    "suppressions",
    "tombstones",
    "tombstone_digests",
    "returned",
    "aliases",
    "merged",
    "notes",
    "devices",
    "tasks",
    "memberships",
    "dirty",
    "enrollments",
    "dispatches",
    "attempts",
    "frozen_messages",
    "uncertain",
    "gateway_ids",
    "early_receipts",
    "interactions",
    "interaction_keys",
    "nps_answers",
    "environments",
    "past_memberships",
    "notices",
    "search_marks",
    "search_texts",
];

pub(super) async fn every_constant_statement_prepares(store: Fresh) {
    store.published(&revision()).await;
    let mut raw = store.raw().await;
    for (file, statements) in statements(store.dialect()) {
        assert!(!statements.is_empty(), "{file}");
        for statement in statements {
            let text = AssertSqlSafe(statement.clone().into_owned()).into_sql_str();
            let refused = match &mut raw {
                Raw::Sqlite(raw) => raw.prepare(text).await.err(),
                Raw::Postgres(raw) => raw.prepare(text).await.err(),
            };
            assert!(refused.is_none(), "{file}: {statement}: {refused:?}");
        }
    }
}

pub(super) async fn every_statement_on_customers_names_its_bucket(store: Fresh) {
    let mut seen = 0;
    for (file, statements) in statements(store.dialect()) {
        for statement in &statements {
            if names_a_customer_side_table(statement) {
                seen += 1;
                assert!(statement.contains("bucket"), "{file}: {statement}");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// As Citus takes them, every statement is one that PostgreSQL understands; and on Citus itself, each
/// that is not for all shards has one task.
pub(super) async fn every_statement_for_one_shard_goes_there_alone(store: Fresh) {
    store.published(&revision()).await;
    let Raw::Postgres(mut raw) = store.raw().await else {
        return;
    };
    let is_spread = store.store().dialect() == Dialect::Citus;
    let texts = statements(Dialect::Citus).into_iter();
    let mut texts = texts.flat_map(|(_, texts)| texts);
    let (mut one, mut elsewhere) = (0, Vec::new());
    for (file, _, reach) in reaches() {
        let text = texts.next().unwrap();
        let prepare = format!("PREPARE asked AS {text}");
        let prepared = raw.execute(AssertSqlSafe(prepare).into_sql_str()).await;
        assert!(prepared.is_ok(), "{file}: {text}: {prepared:?}");
        let for_one = matches!(reach, Reach::Added | Reach::OneBucket | Reach::Apart(_));
        if is_spread && for_one {
            let plan = plan(&mut raw, "TEXT").await;
            let plan = plan.unwrap_or_else(|refused| refused.to_string());
            let is_alone = plan.contains("Task Count: 1\n") || plan.contains("pull to coordinator");
            if !is_alone {
                elsewhere.push(format!("{file}: {text}: {plan}"));
            }
            one += 1;
        }
        raw.execute("DEALLOCATE asked").await.unwrap();
    }
    assert!(texts.next().is_none());
    assert!(elsewhere.is_empty(), "{}", elsewhere.join("\n"));
    assert!(!is_spread || one > 100, "{one}");
}

/// However much a table has grown since the server last counted its rows, each row of a batch is looked
/// up there, and never the batch for each row of the table.
pub(super) async fn a_batch_is_gone_through_once(store: Fresh) {
    store.published(&revision()).await;
    let Raw::Postgres(mut raw) = store.raw().await else {
        return;
    };
    if store.store().dialect() == Dialect::Citus {
        return; // A worker plans for itself.
    }
    let set = "SET join_collapse_limit = 1; SET plan_cache_mode = force_generic_plan";
    raw.execute(set).await.unwrap();
    let careless = "SELECT 1 FROM unnest(CAST($1 AS BIGINT[])) AS k (id) CROSS JOIN memberships AS m \
         WHERE m.bucket = k.id >> 48 AND m.customer_id = k.id AND m.segment = 1";
    assert!(goes_through_again(&mut raw, careless).await);
    let mut batches = 0;
    for (file, texts) in statements(Dialect::Postgres) {
        for text in &texts {
            if !text.contains("unnest(") || !names_a_customer_side_table(text) {
                continue;
            }
            batches += 1;
            let again = goes_through_again(&mut raw, text).await;
            assert!(!again, "{file}: {text}");
        }
    }
    assert!(batches > 20, "{batches}");
}

async fn goes_through_again(raw: &mut PgConnection, text: &str) -> bool {
    let prepare = format!("PREPARE asked AS {text}");
    raw.execute(AssertSqlSafe(prepare).into_sql_str())
        .await
        .unwrap();
    let plan = plan(raw, "JSON").await.unwrap();
    raw.execute("DEALLOCATE asked").await.unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    is_repeated(&plan[0]["Plan"], false)
}

/// Whether a batch stands where a nested loop repeats it.
fn is_repeated(plan: &serde_json::Value, inner: bool) -> bool {
    if plan["Node Type"] == "Function Scan" && inner {
        return true;
    }
    let parts = plan["Plans"].as_array().into_iter().flatten();
    let mut parts = parts.map(|part| {
        let inner = inner || part["Parent Relationship"] == "Inner";
        is_repeated(part, inner)
    });
    parts.any(|repeated| repeated)
}

/// How the statement that was prepared is carried out, with some values of its types.
async fn plan(raw: &mut PgConnection, format: &str) -> sqlx::Result<String> {
    let types = "SELECT CAST(unnest(parameter_types) AS TEXT) FROM pg_prepared_statements";
    let types = sqlx::query(types).fetch_all(&mut *raw).await?;
    let value = |row: &sqlx::postgres::PgRow| match row.get(0) {
        "smallint[]" => "'{1}'",
        "text" | "json" | "jsonb" => "'[1,1]'",
        "bytea" | "text[]" | "bigint[]" | "double precision[]" => "'{}'",
        _ => "1",
    };
    let values: Vec<&str> = types.iter().map(value).collect();
    let values = match values.join(", ") {
        none if none.is_empty() => none,
        some => format!("({some})"),
    };
    let explain = format!("EXPLAIN (COSTS OFF, FORMAT {format}) EXECUTE asked{values}");
    // As texts, whatever the format.
    let lines = raw.fetch_all(sqlx::raw_sql(AssertSqlSafe(explain))).await?;
    let lines = lines
        .iter()
        .map(|line| line.get_unchecked::<String, _>(0) + "\n");
    Ok(lines.collect())
}

fn words(statement: &str) -> Vec<&str> {
    statement
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

fn names_a_customer_side_table(statement: &str) -> bool {
    words(statement).windows(2).any(|pair| {
        ["FROM", "INTO", "UPDATE", "JOIN"].contains(&pair[0]) && CUSTOMER_SIDE.contains(&pair[1])
    })
}

/// Whether the name in a plan is such a table, or stands for one in the statement.
fn is_customer_side(name: &str, statement: &str) -> bool {
    let stands_for =
        |three: &[&str]| CUSTOMER_SIDE.contains(&three[0]) && three[1] == "AS" && three[2] == name;
    CUSTOMER_SIDE.contains(&name) || words(statement).windows(3).any(stands_for)
}

/// The lines of the plan that walk a whole table of customers.
async fn walks(raw: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {statement}");
    let plan = sqlx::query(AssertSqlSafe(explain))
        .fetch_all(raw)
        .await
        .unwrap();
    let lines = plan.iter().map(|line| line.get::<String, _>("detail"));
    let walks = |line: &String| {
        let walked = line
            .strip_prefix("SCAN ")
            .and_then(|rest| rest.split(' ').next());
        walked.is_some_and(|name| is_customer_side(name, statement))
    };
    lines.filter(walks).collect()
}

pub(super) async fn no_statement_walks_a_table_of_customers_unless_it_says_so(store: Fresh) {
    store.published(&revision()).await;
    let Raw::Sqlite(mut raw) = store.raw().await else {
        return;
    };
    let careless = "SELECT count(*) FROM customers AS c WHERE c.status = 1";
    assert_eq!(walks(&mut raw, careless).await.len(), 1);
    for (file, statements) in statements(store.dialect()) {
        for statement in &statements {
            let found = walks(&mut raw, statement).await;
            assert!(found.is_empty(), "{file}: {statement}: {found:?}");
        }
    }
    raw.close().await.unwrap();
}

fn every_edge() -> Vec<Edge> {
    let revision = revision();
    let edges = every_axis()
        .into_iter()
        .flat_map(move |condition| edges(&condition, &revision));
    edges.collect()
}

pub(super) async fn whom_time_moves_is_found_by_an_index(store: Fresh) {
    store.published(&revision()).await;
    let edges = every_edge();
    let found = time_statements(&edges);
    assert!(found.iter().all(|statement| statement.contains("bucket")));
    if store.store().dialect() == Dialect::Citus {
        return; // A worker plans for itself, whatever is set here.
    }
    // A plan is explained as it was when it was first asked for on a connection.
    let not_yet = by_index(&mut store.raw().await, &found).await;
    assert_eq!(not_yet.len(), 0, "{not_yet:?}");
    store.index_edges(&edges).await.unwrap();
    let by = by_index(&mut store.raw().await, &found).await;
    assert_eq!(by, found);
}

/// Those of the statements that find their rows by the index of an edge, and walk nothing.
async fn by_index(raw: &mut Raw, statements: &[String]) -> Vec<String> {
    let mut by = Vec::new();
    for statement in statements {
        let uses = match raw {
            Raw::Sqlite(raw) => walks(raw, statement).await.is_empty(),
            Raw::Postgres(raw) => uses_index(raw, statement).await,
        };
        if uses {
            by.push(statement.clone());
        }
    }
    by
}

/// Whether a server that would rather not walk an almost empty table need not.
async fn uses_index(raw: &mut PgConnection, statement: &str) -> bool {
    let off = "SET enable_seqscan = off";
    sqlx::query(off).execute(&mut *raw).await.unwrap();
    let explain = format!("EXPLAIN {statement}")
        .replace("$1", "1")
        .replace("$2", "2");
    let plan = sqlx::query(AssertSqlSafe(explain)).fetch_all(raw).await;
    let lines = plan.unwrap();
    let mut lines = lines.iter().map(|line| line.get::<String, _>(0));
    lines.any(|line| line.contains(" time_"))
}

pub(super) async fn indexes_of_edges_come_and_go_with_them(store: Fresh) {
    store.published(&revision()).await;
    let count = store.dialect() == Dialect::Sqlite;
    let count = if count {
        "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'time%'"
    } else {
        "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'time%'"
    };
    let edges = every_edge();
    for _ in 0..2 {
        store.index_edges(&edges).await.unwrap();
        assert_eq!(store.number(count).await, 7);
    }
    store.index_edges(&edges[..1]).await.unwrap();
    assert_eq!(store.number(count).await, 1);
    store.index_edges(&[]).await.unwrap();
    assert_eq!(store.number(count).await, 0);
}
