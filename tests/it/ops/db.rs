//! The commands that look after the database, as a person runs them.

use serde_json::json;

use super::desk::{keys, started};
use crate::rig::database::Database;

const FILE: &str = "sqlite://var/drumbeat.db";

#[test]
fn status_says_how_the_database_stands_and_changes_nothing() {
    let desk = started();
    let (code, said) = desk.refused("db status");
    assert_eq!(code, Some(78));
    assert!(said.contains("`drumbeat db migrate` makes one"), "{said}");
    assert!(!desk.folder.path().join("var/drumbeat.db").exists());
    desk.file("var.db", "");
    let empty = desk.json("--database sqlite://var.db db status");
    assert_eq!(empty["schema"]["version"], json!(null));
    assert_eq!(empty["rows"]["customers"], json!(null));

    desk.json("import customers.csv");
    let status = desk.json("db status");
    assert_eq!(
        keys(&status),
        ["database", "schema", "rows", "daemon", "unfinished_copy_of"]
    );
    assert_eq!(status["database"]["kind"], "sqlite");
    assert_eq!(status["database"]["durability"], json!(["wal 2"]));
    assert_eq!(status["schema"]["version"], status["schema"]["ours"]);
    assert_eq!(status["schema"]["pending"], json!([]));
    assert!(status["rows"]["customers"].as_u64().unwrap() > 0);
    assert_eq!(
        status["daemon"],
        json!({ "running": false, "process": null })
    );
    let text = desk.text("db status");
    assert!(text.contains("the one of this version"), "{text}");
}

#[test]
fn a_migration_says_what_it_did_and_is_done_once() {
    let desk = started();
    let first = desk.json("db migrate");
    assert_eq!(first["from"], json!(null));
    assert_eq!(first["applied"][0], json!({ "version": 1, "name": "init" }));
    let second = desk.json("db migrate");
    assert_eq!(second["from"], second["to"]);
    assert_eq!(second["applied"], json!([]));
    let text = desk.text("db migrate");
    assert!(text.contains("already"), "{text}");
}

#[tokio::test]
async fn only_a_server_with_citus_is_spread_and_only_once() {
    let (desk, server) = (started(), Database::fresh().await);
    let (code, said) = desk.refused("db migrate --citus");
    assert_eq!(code, Some(1));
    assert!(said.contains("a file cannot be spread"), "{said}");
    let migrate = format!("--database {} db migrate --citus", server.url());
    if server.is_spread() {
        assert_eq!(desk.json(&migrate)["spread"], json!([]));
        assert!(desk.text(&migrate).contains("spread by Citus already"));
    } else {
        let (_, said) = desk.refused(&migrate);
        assert!(said.contains("has no extension `citus`"), "{said}");
    }
}

#[test]
fn a_check_of_a_good_store_finds_nothing() {
    let desk = started();
    desk.json("import customers.csv");
    assert_eq!(desk.json("db check"), json!({ "ok": true, "problems": [] }));
    assert!(desk.text("db check").contains("nothing is wrong"));
}

#[tokio::test]
async fn a_store_moves_to_postgresql_and_back_and_its_commands_go_on() {
    let (desk, server) = (started(), Database::fresh().await);
    let url = server.url();
    desk.json("import customers.csv");
    let (before, shown) = (desk.json("db status"), desk.json("customer show C001"));
    let there = desk.json(&format!("db copy --from {FILE} --to {url}"));
    assert_eq!(
        (&there["ok"], &there["went_on"]),
        (&json!(true), &json!(false))
    );
    let on_server = desk.json(&format!("--database {url} db status"));
    let kind = if server.is_spread() {
        "citus"
    } else {
        "postgresql"
    };
    assert_eq!(on_server["database"]["kind"], kind);
    assert_eq!(on_server["rows"], before["rows"]);
    let place = on_server["database"]["place"].as_str().unwrap();
    assert!(place.contains("127.0.0.1"), "{place}");
    assert_eq!(
        desk.json(&format!("--database {url} customer show C001")),
        shown
    );
    let checked = desk.json(&format!("--database {url} db check"));
    assert_eq!(checked["ok"], true, "{checked}");
    let back = desk.json(&format!("db copy --from {url} --to sqlite://var/back.db"));
    assert_eq!(back["ok"], true);
    let text = desk.text("--database sqlite://var/back.db db check");
    assert!(text.contains("nothing is wrong"), "{text}");
}

#[test]
fn what_cannot_be_copied_is_said_before_anything_is() {
    let desk = started();
    desk.json("import customers.csv");
    for (words, code, expected) in [
        (format!("--from {FILE} --to {FILE}"), 2, "same database"),
        (
            format!("--from sqlite://none.db --to {FILE}"),
            1,
            "there is no database",
        ),
        (
            "--from sqlite://var/other.db --to".to_owned() + " " + FILE,
            1,
            "holds data already",
        ),
        (
            format!("--from {FILE} --to mysql://a/b"),
            1,
            "is not a database",
        ),
    ] {
        if words.contains("other.db") {
            desk.text("--database sqlite://var/other.db db migrate");
        }
        let (exit, said) = desk.refused(&format!("db copy {words}"));
        assert_eq!(exit, Some(code), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}
