//! Fields, tags, segments and smart lists that are made on the command line, with and without a daemon.

use std::process::Command;

use serde_json::{Value, json};

use super::book::{Book, texts};
use super::commands::{Desk, desk};

/// Words with blanks in them.
pub(super) fn run(desk: &Desk, words: &[&str]) -> Value {
    let (code, text, said) = said(desk, words);
    assert_eq!(code, Some(0), "{words:?}: {said}");
    serde_json::from_str(&text).unwrap()
}

fn said(desk: &Desk, words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(words)
        .args(["--format", "json"])
        .current_dir(desk.folder.path())
        .env("USER", "mara")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

const STARTS: &str = r#"{ starts-with: "@", message: "must begin with @" }"#;
const SCRIPT: &str = r#"{ script: "value|length <= 6", message: "six characters at most" }"#;
const ENDLESS: &str = r#"{ script: "value|replace('', value)|replace('', value)|replace('', value)|length >= 0", message: "not in time" }"#;

fn nick(desk: &Desk, rules: &[&str]) {
    let mut words = vec!["field", "add", "nick", "--type", "text"];
    for rule in rules {
        words.extend(["--validate", rule]);
    }
    let added = run(desk, &words);
    assert_eq!(
        (&added["changed"], &added["kind"]),
        (&json!(true), &json!("field"))
    );
}

#[test]
fn every_way_in_is_held_to_a_rule_and_a_script_with_exactly_their_messages() {
    let desk = desk();
    nick(&desk, &[STARTS, SCRIPT]);
    let rows = "id,nick\na,@ana\nb,bea\nc,@constance\n";
    desk.file("nicks.csv", rows);
    let lines = rows.lines().skip(1).map(|line| {
        let (id, nick) = line.split_once(',').unwrap();
        format!("{}\n", json!({ "id": format!("{id}l"), "nick": nick }))
    });
    desk.file("nicks.jsonl", &lines.collect::<String>());
    let cells = rows
        .lines()
        .map(|line| texts(&line.split(',').collect::<Vec<_>>()));
    let book = Book::new(&[("Nicks", &cells.collect::<String>())]);
    book.save(desk.folder.path());
    for file in ["nicks.csv", "nicks.jsonl", "people.xlsx"] {
        let report = desk.json(&format!("import {file}"));
        assert_eq!(
            (&report["read"], &report["rejected"]),
            (&json!(3), &json!(2)),
            "{file}: {report}"
        );
        let rejects = report["rejects_file"].as_str().unwrap();
        let rejects = std::fs::read_to_string(desk.folder.path().join(rejects)).unwrap();
        for message in ["must begin with @", "six characters at most"] {
            assert!(rejects.contains(message), "{file}: {rejects}");
        }
    }
    let staged = desk.json("import nicks.csv --stage");
    assert_eq!(staged["counts"]["rejected"], 2, "{staged}");
    for (nick, message) in [
        ("bea", "must begin with @"),
        ("@constance", "six characters at most"),
    ] {
        let (code, said) = desk.refused(&format!("customer set a nick={nick}"));
        assert_eq!(code, Some(1));
        assert_eq!(said.trim(), format!("error: `nick`: {message}"));
        let (code, said) = desk.refused(&format!("customer bulk set-fields nick={nick} --all"));
        assert_eq!(code, Some(1));
        assert!(said.contains(message), "{said}");
    }
    assert_eq!(desk.json("customer show a")["fields"]["nick"], "@ana");
}

#[test]
fn a_script_that_never_ends_is_stopped_and_its_value_refused() {
    let desk = desk();
    nick(&desk, &[ENDLESS]);
    let long = "x".repeat(2000);
    desk.file("long.csv", &format!("id,nick\na,{long}\n"));
    let report = desk.json("import long.csv");
    assert_eq!(report["rejected"], 1);
    let rejects = std::fs::read_to_string(desk.folder.path().join("long.rejects.csv")).unwrap();
    assert!(rejects.contains("not in time"), "{rejects}");
}

#[test]
fn what_is_wrong_is_shown_as_check_shows_it_and_nothing_is_stored() {
    let desk = desk();
    let (code, said) = desk.refused("segment add rich --where {field");
    assert_eq!(code, Some(2), "{said}");
    let words = [
        "segment",
        "add",
        "rich",
        "--where",
        "{ field: wealth, is: x }",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(words)
        .current_dir(desk.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "error[unknown-field]: customers have no field `wealth`",
        "made in the store: segment rich:2:",
        "1 error",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let (code, text, _) = self::said(&desk, &words);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(1));
    assert_eq!(told["errors"][0]["pointer"], "/where/field");
    assert_eq!(desk.json("smart-list list")["smart_lists"], json!([]));
    let (code, said) = desk.refused("tag add vip");
    assert_eq!(code, Some(1));
    assert!(said.contains("defined in `customers.yaml`"), "{said}");
}

/// A tag that two carry, a segment of it, and a smart list of that.
fn golden(desk: &Desk) {
    desk.text("import people.csv");
    let about = ["--description", "Has the card", "--color", "#c0a000"];
    run(desk, &[&["tag", "add", "gold"][..], &about].concat());
    desk.text("import people.csv --tag gold");
    let condition = "{ all: [ { tag: gold }, { segment: in-lyon } ] }";
    run(desk, &["segment", "add", "golden", "--where", condition]);
    let words = ["--where", "{ segment: golden }", "--description", "Ours"];
    run(desk, &[&["smart-list", "add", "ours"][..], &words].concat());
}

#[test]
fn tags_segments_and_smart_lists_are_made_and_used() {
    let desk = desk();
    golden(&desk);
    let tags = desk.json("tag list");
    let gold = &tags["tags"][0];
    assert_eq!(
        (&gold["tag"], &gold["customers"]),
        (&json!("gold"), &json!(2))
    );
    assert_eq!(
        (&gold["author"], &gold["origin"]),
        (&json!("mara"), &json!("store"))
    );
    assert_eq!(desk.json("segment count golden")["count"], 2);
    assert_eq!(desk.json("segment count ours")["count"], 2);
    let lists = desk.json("smart-list list");
    assert_eq!(
        lists["smart_lists"][0]["where"],
        json!({ "segment": "golden" })
    );
}

#[test]
fn what_others_name_and_what_customers_carry_is_not_removed() {
    let desk = desk();
    golden(&desk);
    let refused = |words: &str, told: &str| {
        let (code, said) = desk.refused(words);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(told), "{said}");
    };
    refused(
        "segment remove golden",
        "made in the store: smart list ours",
    );
    let change = ["smart-list", "change", "ours", "--where", "{ tag: gold }"];
    run(&desk, &change);
    run(&desk, &["segment", "remove", "golden"]);
    refused("tag remove gold", "smart list ours");
    run(&desk, &["smart-list", "remove", "ours"]);
    refused("tag remove gold", "2 customers carry the tag");
    run(&desk, &["tag", "remove", "gold", "--remove-from-customers"]);
    assert_eq!(desk.json("customer show ana")["tags"], json!([]));
}

#[test]
fn a_type_is_changed_after_a_dry_run_and_back_again() {
    let desk = desk();
    run(&desk, &["field", "add", "age", "--type", "text"]);
    desk.file("ages.csv", "id,age\na,41\nb,old\nc,007\n");
    desk.text("import ages.csv");
    let change = ["field", "change", "age", "--type", "integer"];
    let dry = run(&desk, &[&change[..], &["--dry-run"]].concat());
    let values = &dry["values"];
    assert_eq!(
        (&values["converts"], &values["lost"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(values["examples"][0]["customer"], "b");
    let (code, _, _) = said(&desk, &change);
    assert_eq!(code, Some(1));
    run(&desk, &[&change[..], &["--drop-unconvertible"]].concat());
    let age = |id: &str| desk.json(&format!("customer show {id}"))["fields"]["age"].clone();
    assert_eq!(
        (age("a"), age("b"), age("c")),
        (json!(41), json!(null), json!(7))
    );
    run(&desk, &["field", "change", "age", "--type", "text"]);
    assert_eq!(
        (age("a"), age("b"), age("c")),
        (json!("41"), json!("old"), json!("007"))
    );
    run(&desk, &["field", "change", "age", "--cardinality", "many"]);
    assert_eq!(age("c"), json!(["007"]));
    desk.text("customer set c age=1;2");
    let one = ["field", "change", "age", "--cardinality", "one"];
    let dry = run(&desk, &[&one[..], &["--dry-run"]].concat());
    assert_eq!(dry["values"]["examples"][0]["customer"], "c");
    assert_eq!(said(&desk, &one).0, Some(1));

    run(&desk, &["field", "remove", "age", "--erase-values"]);
    run(&desk, &["field", "add", "age", "--type", "text"]);
    assert_eq!(age("a"), json!(null));
}

#[test]
fn a_file_that_changes_a_type_converts_what_converts_and_says_what_does_not() {
    let desk = desk();
    desk.file(
        "more.yaml",
        "customers: { fields: { age: { type: text } } }\n",
    );
    desk.file("ages.csv", "id,age\na,41\nb,old\nc,007\n");
    desk.text("import ages.csv");
    desk.file(
        "more.yaml",
        "customers: { fields: { age: { type: integer } } }\n",
    );
    let output = desk.run("check");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`age` changes its type"), "{said}");
    assert!(
        said.contains("of 3 customers with a value 1 have one"),
        "{said}"
    );
    let output = desk.run("run --until-idle --listen off");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("some values do not convert"), "{said}");
    let age = |id: &str| desk.json(&format!("customer show {id}"))["fields"]["age"].clone();
    assert_eq!(
        (age("a"), age("b"), age("c")),
        (json!(41), json!(null), json!(7))
    );
    desk.file(
        "more.yaml",
        "customers: { fields: { age: { type: text } } }\n",
    );
    desk.run("run --until-idle --listen off");
    assert_eq!(
        (age("a"), age("b"), age("c")),
        (json!("41"), json!("old"), json!("007"))
    );
}

/// What is told of definitions, but for where they are.
fn told(desk: &Desk, what: &str) -> Value {
    let mut told = desk.json(what);
    let lists = told.as_object_mut().unwrap().values_mut();
    for one in lists.flat_map(|list| list.as_array_mut().unwrap()) {
        let one = one.as_object_mut().unwrap();
        for key in [
            "origin",
            "author",
            "version",
            "created_at",
            "updated_at",
            "where",
        ] {
            one.shift_remove(key);
        }
    }
    told
}

fn all(desk: &Desk) -> [Value; 4] {
    ["field list", "tag list", "segment list", "smart-list list"].map(|what| told(desk, what))
}

#[test]
fn exported_definitions_mean_the_same_as_files() {
    let desk = desk();
    nick(&desk, &[STARTS, SCRIPT]);
    let about = ["--description", "on", "--color", "#c0a000"];
    run(&desk, &[&["tag", "add", "yes: no"][..], &about].concat());
    let condition =
        r#"{ any: [ { tag: "yes: no" }, { not: { field: nick, starts-with: "@" } } ] }"#;
    run(&desk, &["segment", "add", "golden", "--where", condition]);
    let condition = "{ field: joined_on, within-last: 30d }";
    run(&desk, &["smart-list", "add", "ours", "--where", condition]);
    let before = all(&desk);
    let exported = desk.json("export-definitions files");
    assert_eq!(exported["definitions"], 4);
    for file in exported["files"].as_array().unwrap() {
        let path = desk.folder.path().join(file.as_str().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        desk.file(path.file_name().unwrap().to_str().unwrap(), &text);
    }
    let checked = desk.json("check");
    let codes = checked["diagnostics"].as_array().unwrap().iter();
    let codes: Vec<&str> = codes.map(|found| found["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["file-wins"; 4]);
    let run = desk.run("run --until-idle --listen off");
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(all(&desk), before);
    assert_eq!(desk.json("tag list")["tags"][1]["origin"], "file");
}
