//! Stores with rows in every table, drawn by chance, and every row of a store as a text.

use drumbeat::store::TABLES;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Connection as _, Row as _};

use super::rig::Fresh;
use crate::rig::home::Raw;

/// About so many rows go into each table.
pub(super) const ROWS: usize = 40;

/// A value for a column of a type, written as SQLite stores it.
#[derive(Debug, Clone)]
enum Drawn {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

fn some_value(kind: &str) -> BoxedStrategy<Drawn> {
    let whole = |least: i64, most: i64| {
        let edges = select(vec![least, -1, 0, 1, most]);
        prop_oneof![edges, least..=most].prop_map(Drawn::Whole)
    };
    match kind {
        "SMALLINT" => whole(i16::MIN.into(), i16::MAX.into()).boxed(),
        "INTEGER" => whole(i32::MIN.into(), i32::MAX.into()).boxed(),
        "BIGINT" => whole(i64::MIN, i64::MAX).boxed(),
        "DOUBLE PRECISION" => {
            let edges = [
                0.1,
                -0.0,
                5e-324,
                f64::MAX,
                f64::MIN_POSITIVE,
                f64::INFINITY,
                f64::NEG_INFINITY,
                9_007_199_254_740_993.0,
            ];
            let any = any::<f64>().prop_filter("SQLite has none", |number| !number.is_nan());
            prop_oneof![select(edges.to_vec()), any]
                .prop_map(Drawn::Real)
                .boxed()
        }
        "BLOB" => vec(any::<u8>(), 0..40).prop_map(Drawn::Bytes).boxed(),
        "TEXT" => {
            let awkward = [
                "",
                " ",
                "\\N",
                "NULL",
                "a\tb\nc\r",
                "'\"\\",
                "\u{1}\u{7f}",
                "ﬁ ß İ",
                "e\u{301}",
                "\u{10ffff}",
                "1",
                "0.5",
            ];
            let awkward = select(awkward.to_vec()).prop_map(str::to_owned);
            let any = any::<String>().prop_map(|text| text.replace('\0', ""));
            prop_oneof![awkward, any].prop_map(Drawn::Text).boxed()
        }
        other => panic!("no values for the type {other}"),
    }
}

/// Each column's name and type, and whether it may be null.
async fn columns(raw: &mut SqliteConnection, table: &str) -> Vec<(String, String, bool)> {
    let about = format!("SELECT name, type, \"notnull\" = 0 FROM pragma_table_info('{table}')");
    let rows = sqlx::query(AssertSqlSafe(about)).fetch_all(raw).await;
    let rows = rows.unwrap();
    let column = |row: &sqlx::sqlite::SqliteRow| (row.get(0), row.get(1), row.get(2));
    rows.iter().map(column).collect()
}

/// Fills every table with rows at random.
pub(super) async fn fill(store: &Fresh, runner: &mut TestRunner) {
    let Raw::Sqlite(mut raw) = store.raw().await else {
        panic!("only a file is filled");
    };
    sqlx::query("BEGIN").execute(&mut raw).await.unwrap();
    for table in TABLES {
        let columns = columns(&mut raw, table.name).await;
        let values = columns.iter().map(|(_, kind, nullable)| {
            let value = some_value(kind);
            if *nullable {
                prop_oneof![Just(Drawn::Null), value].boxed()
            } else {
                value
            }
        });
        let values: Vec<_> = values.collect();
        for _ in 0..ROWS {
            let mut arguments = SqliteArguments::default();
            for value in &values {
                match value.new_tree(runner).unwrap().current() {
                    Drawn::Null => arguments.add(None::<i64>).unwrap(),
                    Drawn::Whole(number) => arguments.add(number).unwrap(),
                    Drawn::Real(number) => arguments.add(number).unwrap(),
                    Drawn::Text(text) => arguments.add(text).unwrap(),
                    Drawn::Bytes(bytes) => arguments.add(bytes).unwrap(),
                }
            }
            let places = vec!["?"; columns.len()].join(",");
            let insert = format!("INSERT OR IGNORE INTO {} VALUES ({places})", table.name);
            let insert = sqlx::query_with(AssertSqlSafe(insert), arguments);
            insert.execute(&mut raw).await.unwrap();
        }
    }
    sqlx::query("COMMIT").execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

/// Every row of every table of a file, as SQLite writes its values down exactly.
pub(super) async fn all_rows(store: &Fresh) -> Vec<String> {
    let Raw::Sqlite(mut raw) = store.raw().await else {
        panic!("only a file is listed");
    };
    let mut all = Vec::new();
    for table in TABLES {
        let mut names: Vec<String> = columns(&mut raw, table.name)
            .await
            .into_iter()
            .map(|(name, _, _)| name)
            .collect();
        names.sort();
        let cells: Vec<String> = names.iter().map(|name| format!("quote({name})")).collect();
        let list = format!(
            "SELECT {} FROM {} ORDER BY {}",
            cells.join(" || ',' || "),
            table.name,
            table.key.join(", ")
        );
        let rows = sqlx::query(AssertSqlSafe(list)).fetch_all(&mut raw).await;
        for row in rows.unwrap() {
            all.push(format!("{}: {}", table.name, row.get::<String, _>(0)));
        }
    }
    raw.close().await.unwrap();
    all
}
