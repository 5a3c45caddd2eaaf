//! A whole store in another database: every row the same, however often it was broken off.

use std::sync::atomic::{AtomicUsize, Ordering};

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::field::Tag;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::value::Value;
use drumbeat::store::{Copied, CopyPhase, Copying, Error, NOT_COPIED, Store, TABLES};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::sync::Notify;

use super::filled::{ROWS, all_rows, fill};
use super::rig::{Fresh, now, on_postgres, on_sqlite, revision, text};
use crate::rig::home::Raw;

const ROUNDS: usize = 3;

fn nobody(_: Copying) {}

async fn as_it_is(store: &Fresh) -> Store {
    let opened = Store::connect(store.url(), store.folder.path(), false);
    opened.await.unwrap()
}

async fn copied(from: &Store, to: &Store, most: usize) -> Copied {
    from.copy_to(to, most, &nobody).await.unwrap()
}

async fn refused(from: &Store, to: &Store) -> String {
    let error = from.copy_to(to, 100, &nobody).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error}");
    error.to_string()
}

/// Copies until it is broken off after `steps` batches, with all its connections; whether it was
/// finished before.
async fn broken_off(from: &Fresh, to: &Fresh, steps: usize) -> bool {
    let (from, to) = (from.again().await, as_it_is(to).await);
    let (seen, enough) = (AtomicUsize::new(0), Notify::new());
    let watch = |copying: Copying| {
        if copying.phase == CopyPhase::Copying && seen.fetch_add(1, Ordering::Relaxed) + 1 == steps
        {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => false,
        done = from.copy_to(&to, 7, &watch) => done.map(|_| true).unwrap(),
    }
}

#[tokio::test]
async fn a_store_at_random_goes_to_the_other_database_and_back_and_is_the_same() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..ROUNDS {
        let (from, there, back) = (on_sqlite().await, on_postgres().await, on_sqlite().await);
        from.published(&revision()).await;
        fill(&from, &mut runner).await;
        let there_and_back = [
            copied(&from, &there, 1 + ROWS / 3).await,
            copied(&there, &back, 5_000).await,
        ];
        assert_eq!(there_and_back[0].tables, there_and_back[1].tables);
        let rows = all_rows(&from).await;
        assert!(rows.len() > TABLES.len() * ROWS / 2, "{}", rows.len());
        assert_eq!(all_rows(&back).await, rows);
    }
}

#[tokio::test]
async fn a_copy_that_is_broken_off_again_and_again_is_the_same_in_the_end() {
    let mut runner = TestRunner::deterministic();
    let (from, there, back) = (on_sqlite().await, on_postgres().await, on_sqlite().await);
    from.published(&revision()).await;
    fill(&from, &mut runner).await;
    for (from, to) in [(&from, &there), (&there, &back)] {
        let mut runs = 1;
        while !broken_off(
            from,
            to,
            (1_usize..25).new_tree(&mut runner).unwrap().current(),
        )
        .await
        {
            runs += 1;
            let refused = Store::open(to.url(), to.folder.path()).await.unwrap_err();
            assert!(refused.to_string().contains("unfinished copy"), "{refused}");
        }
        assert!(runs > 3, "{runs}");
        to.again().await.close().await;
    }
    assert_eq!(all_rows(&back).await, all_rows(&from).await);
}

#[tokio::test]
async fn a_copy_goes_on_numbering_where_the_store_left_off() {
    for (from, to) in [
        (on_sqlite().await, on_postgres().await),
        (on_postgres().await, on_sqlite().await),
        (on_postgres().await, on_postgres().await),
        (on_sqlite().await, on_sqlite().await),
    ] {
        from.published(&revision()).await;
        let ana = from.person("ana", &[("city", text("Lyon"))]).await;
        copied(&from, &to, 1_000).await;
        assert_eq!(to.read("ana").await.fields, from.read("ana").await.fields);
        let ben = to.person("ben", &[]).await;
        assert_ne!(ben.0 & 0xffff_ffff_ffff, ana.0 & 0xffff_ffff_ffff);
        let numbers = from.numbers().await.unwrap();
        assert_eq!(to.numbers().await.unwrap(), numbers);
        let mut more = revision();
        more.data_model
            .tags
            .insert("new".to_owned(), Tag::default());
        to.published(&more).await;
        let by = By::new(Actor::named("ana"), Source::Console);
        to.audit(&by, "a line", None, now()).await.unwrap();
        assert_eq!(to.audit_lines(1).await.unwrap()[0].what, "a line");
    }
}

#[tokio::test]
async fn a_text_that_the_other_database_cannot_hold_is_named_and_nothing_is_altered() {
    let (from, to) = (on_sqlite().await, on_postgres().await);
    let ana: CustomerId = from.person("ana", &[]).await;
    from.published(&revision()).await;
    let spoil = "UPDATE customers SET f_city = 'Ly' || char(0) || 'on' WHERE bucket >= 0";
    from.execute(spoil).await;
    let why = refused(&from, &to).await;
    for part in ["`customers`", &ana.to_string(), "`f_city`", "NUL"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    from.execute("UPDATE customers SET f_city = 'Lyon' WHERE bucket >= 0")
        .await;
    assert!(copied(&from, &to, 100).await.went_on);
}

#[tokio::test]
async fn a_number_that_a_file_cannot_hold_is_named() {
    let (from, to) = (on_postgres().await, on_sqlite().await);
    from.published(&revision()).await;
    from.person("ana", &[]).await;
    for number in ["NaN", "-0"] {
        let spoil = format!("UPDATE customers SET fr_balance = '{number}' WHERE bucket >= 0");
        from.execute(&spoil).await;
        let why = refused(&from, &to).await;
        assert!(why.contains("`fr_balance`: SQLite cannot"), "{why}");
    }
    // Neither gets in by the front door.
    from.execute("UPDATE customers SET fr_balance = 1 WHERE bucket >= 0")
        .await;
    let balance = [("balance", Value::Number(-0.0))];
    from.person("ana", &balance).await;
    assert!(copied(&from, &to, 100).await.went_on);
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused() {
    let (from, other, to) = (on_sqlite().await, on_sqlite().await, on_postgres().await);
    for store in [&from, &other] {
        store.published(&revision()).await;
        store.instance_tag().await.unwrap();
    }
    assert!(!broken_off(&from, &to, 3).await);
    let why = refused(&other, &to).await;
    assert!(why.contains("is an unfinished copy of"), "{why}");
    let empty = on_sqlite().await;
    let why = refused(&to, &empty).await;
    assert!(why.contains("unfinished copy"), "{why}");
    copied(&from, &to, 100).await;
    let why = refused(&from, &to).await;
    assert!(why.contains("holds data already"), "{why}");
}

#[tokio::test]
async fn a_counter_alone_does_not_fill_a_target() {
    let (from, to) = (on_sqlite().await, on_sqlite().await);
    from.person("ana", &[]).await;
    drop(to.own("drumbeat run").await.unwrap());
    let counters = "SELECT count(*) FROM sequences WHERE name = 'incarnation'";
    assert_eq!(to.number(counters).await, 1);
    copied(&from, &to, 100).await;
    assert_eq!(to.number(counters).await, 0);
}

#[tokio::test]
async fn nothing_is_copied_while_somebody_runs_on_either() {
    let (from, to) = (on_sqlite().await, on_sqlite().await);
    for store in [&from, &to] {
        let owner = store.own("drumbeat run").await.unwrap();
        let why = refused(&from, &to).await;
        assert!(why.contains("in use by drumbeat run"), "{why}");
        drop(owner);
    }
}

#[tokio::test]
async fn a_source_that_is_changed_meanwhile_is_noticed() {
    let (from, to) = (on_sqlite().await, on_postgres().await);
    from.published(&revision()).await;
    from.person("ana", &[]).await;
    assert!(!broken_off(&from, &to, TABLES.len() / 5).await);
    from.execute("UPDATE names SET name = name || 'x' WHERE number = 1")
        .await;
    let why = refused(&from, &to).await;
    assert!(why.contains("rows of `names` differ"), "{why}");
}

/// What a database has, asked past the store.
pub(super) async fn every_table_is_copied_or_has_a_reason_not_to_be(store: Fresh) {
    let sql = match store.raw().await {
        Raw::Sqlite(_) => {
            "SELECT m.name || ':' || coalesce((SELECT group_concat(name, ',') FROM \
             (SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk)), '') \
             FROM sqlite_schema AS m WHERE m.type = 'table' ORDER BY 1"
        }
        Raw::Postgres(_) => {
            "SELECT c.relname || ':' || coalesce((SELECT string_agg(a.attname, ',' ORDER BY k.place) \
             FROM pg_index AS i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) \
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum \
             WHERE i.indrelid = c.oid AND i.indisprimary), '') FROM pg_class AS c \
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition \
             AND c.relnamespace = CAST('public' AS regnamespace) ORDER BY 1"
        }
    };
    let there: Vec<String> = match store.raw().await {
        Raw::Sqlite(mut raw) => sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap(),
        Raw::Postgres(mut raw) => sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap(),
    };
    let left_out = |table: &String| {
        let mut left_out = NOT_COPIED.iter();
        // FTS5 keeps its index in tables of its own.
        let is_of_index = table.starts_with("search_index_");
        is_of_index || left_out.any(|(name, _)| table.split(':').next() == Some(name))
    };
    let mut there: Vec<String> = there.into_iter().filter(|table| !left_out(table)).collect();
    let known = TABLES.iter();
    let mut known: Vec<String> = known
        .map(|table| format!("{}:{}", table.name, table.key.join(",")))
        .collect();
    there.sort();
    known.sort();
    assert_eq!(there, known, "a table is in neither list of `tables.rs`");
}

pub(super) async fn a_store_of_another_version_is_looked_at_and_left_as_it_is(store: Fresh) {
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (9999, 'later', true, '', 0)";
    store.execute(newer).await;
    let refused = Store::open(store.url(), store.folder.path())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
    let same = as_it_is(&store).await;
    let schema = same.schema().await.unwrap();
    assert_eq!((schema.version, schema.unknown), (Some(9999), vec![9999]));
    assert!(same.migrate().await.is_err());
    assert!(same.examine().await.is_err());
    let other = on_sqlite().await;
    let why = self::refused(&same, &other).await;
    assert!(why.contains("schema of another version"), "{why}");
}
