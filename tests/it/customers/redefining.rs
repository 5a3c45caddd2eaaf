//! Changes of definitions that are broken off: made or not made, and never half.

use std::process::Command;

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::definition::{DefinitionKind, Definitions};
use drumbeat::domain::model_work::ModelWork;
use drumbeat::store::{DefinitionEdit, NewRevision, Redefinition, Store};
use drumbeat::workspace;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::commands::{Desk, desk};
use super::defining::run;

/// Asks the store's file past the program.
async fn number(desk: &Desk, sql: &str) -> i64 {
    let path = desk.folder.path().join("var/drumbeat.db");
    let mut raw = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let found = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()));
    let found: Option<i64> = found.fetch_one(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    found.unwrap_or(0)
}

#[tokio::test]
async fn a_change_of_a_type_that_is_killed_half_way_is_not_made_and_can_be_made_again() {
    const PEOPLE: i64 = 20_000;
    let desk = desk();
    run(&desk, &["field", "add", "age", "--type", "text"]);
    let rows = (0..PEOPLE).map(|n| format!("c{n},{n}\n"));
    desk.file("ages.csv", &format!("id,age\n{}", rows.collect::<String>()));
    desk.text("import ages.csv");
    let change = ["field", "change", "age", "--type", "integer"];
    let mut changing = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(change)
        .current_dir(desk.folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let column = "SELECT count(*) FROM pragma_table_info('customers') WHERE name = 'fi_age'";
    let converted = "SELECT count(*) FROM customers WHERE fi_age IS NOT NULL";
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(2));
    while number(&desk, column).await == 0 || number(&desk, converted).await == 0 {
        assert!(
            changing.try_wait().unwrap().is_none(),
            "it was done too soon"
        );
        beat.tick().await;
    }
    changing.kill().unwrap();
    changing.wait().unwrap();
    let half = number(&desk, converted).await;
    assert!((1..PEOPLE).contains(&half), "{half}");
    assert_eq!(desk.json("field show age")["type"], "text");
    assert_eq!(desk.json("customer show c7")["fields"]["age"], "7");
    desk.text("customer set c7 age=77");

    run(&desk, &change);
    assert_eq!(number(&desk, converted).await, PEOPLE);
    let sum = number(&desk, "SELECT sum(fi_age) FROM customers").await;
    assert_eq!(sum, PEOPLE * (PEOPLE - 1) / 2 + 70);
    assert_eq!(desk.json("customer show c7")["fields"]["age"], 77);
}

#[tokio::test]
async fn what_a_killed_program_left_to_do_is_done_at_the_next_start() {
    let desk = desk();
    run(&desk, &["tag", "add", "gold"]);
    desk.text("import people.csv --tag gold");
    let url = format!(
        "sqlite://{}",
        desk.folder.path().join("var/drumbeat.db").display()
    );
    let store = Store::open(&url, desk.folder.path()).await.unwrap();
    let definitions = store.definitions().await.unwrap();
    let published = store.current_revision().await.unwrap().unwrap();
    let sources = store.sources_of(published.number).await.unwrap();
    let sources = workspace::Sources::published(sources, published.hash.clone(), None);
    let none = Definitions {
        changes: definitions.changes + 1,
        all: Vec::new(),
    };
    let sources = sources.with(&none);
    let revision = workspace::check(&sources).revision.unwrap();
    let edit = DefinitionEdit {
        kind: DefinitionKind::Tag,
        name: "gold".to_owned(),
        body: None,
    };
    let files = sources.files();
    let files = files.map(|(path, bytes)| (path.display().to_string(), bytes.to_vec()));
    let by = By::new(Actor::named("mara"), Source::CommandLine);
    let change = Redefinition {
        edit: &edit,
        upon: published.number,
        new: NewRevision {
            revision: &revision,
            hash: sources.hash(),
            commit: None,
            sources: files.collect(),
            at: Timestamp::UNIX_EPOCH,
        },
        works: &[ModelWork::Untag {
            tag: "gold".to_owned(),
        }],
        by: &by,
    };
    store.redefine(change).await.unwrap();
    store.close().await;
    let carried = "SELECT count(*) FROM customer_tags";
    assert_eq!(number(&desk, carried).await, 2);
    assert_eq!(
        desk.run("run --until-idle --listen off").status.code(),
        Some(0)
    );
    assert_eq!(number(&desk, carried).await, 0);
}
