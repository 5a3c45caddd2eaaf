//! What customers did and gave up elsewhere, imported from files.

use serde_json::{Value, json};

use super::commands::{Desk, desk};

const HAPPENED: &str = "\
customer,kind,at,campaign,channel,note,branch
ana,conversion,2026-01-10T10:00,gold-card,,opened at the branch,7
ana,login,2026-01-11T09:00:00Z,,,,
cid,page-visited,2026-01-11T09:00:00Z,,,,
cid,page-visited,2026-01-11T09:00:00Z,,,,
eve,conversion,2026-01-10T10:00,gold-card,,,
ana,convertion,2026-01-10T10:00,gold-card,,,
ana,email-sent,2026-01-10T10:00,gold-card,,,
ana,conversion,2999-01-10T10:00,gold-card,,,
ana,conversion,soon,gold-card,,,
ana,conversion,2026-01-10T10:00,gold-crad,,,
ana,conversion,2026-01-10T10:00,gold-card,fax,,
";

fn customers() -> Desk {
    let desk = desk();
    desk.file(
        "converted.yaml",
        "segment: converted\nwhere: { did: conversion, campaign: gold-card }\n",
    );
    desk.json("import people.csv");
    desk
}

fn counts(report: &Value) -> [u64; 4] {
    ["read", "created", "unchanged", "rejected"].map(|key| report[key].as_u64().unwrap())
}

#[test]
fn conversions_are_recorded_from_a_file_and_shown_counted_and_asked_for() {
    let desk = customers();
    desk.file("happened.csv", HAPPENED);
    let import = "import happened.csv --kind interactions --by omar";
    let trial = desk.json(&format!("{import} --dry-run"));
    assert_eq!(counts(&trial), [11, 3, 1, 7]);
    assert_eq!(desk.json("customer show ana")["interactions"], json!([]));
    let report = desk.json(import);
    assert_eq!(counts(&report), [11, 3, 1, 7]);
    assert_eq!(report["ignored_columns"], json!(["branch"]));
    let ana = desk.json("customer show ana");
    let line = &ana["interactions"][1];
    for (key, expected) in [
        ("kind", json!("conversion")),
        ("direction", json!("inbound")),
        ("at", json!("2026-01-10T15:00:00Z")),
        ("campaign", json!("gold-card")),
        ("actor", json!("omar")),
        (
            "detail",
            json!({ "source": "import", "note": "opened at the branch" }),
        ),
    ] {
        assert_eq!(line[key], expected, "{key}");
    }
    assert_eq!(ana["totals"]["conversions"], 1);
    assert_eq!(ana["last_activity_at"], "2026-01-11T09:00:00Z");
    let count = desk.json("segment count converted");
    assert_eq!(count["count"], 1);
    assert_eq!(counts(&desk.json(import)), [11, 0, 4, 7], "a second time");
    assert_eq!(desk.json("customer show ana")["totals"]["conversions"], 1);
}

#[test]
fn a_line_that_cannot_be_taken_is_kept_with_its_reason() {
    let desk = customers();
    desk.file("happened.csv", HAPPENED);
    let report = desk.json("import happened.csv --kind interactions");
    let rejects = report["rejects_file"].as_str().unwrap();
    let rejects = std::fs::read_to_string(desk.folder.path().join(rejects)).unwrap();
    let lines: Vec<&str> = rejects.lines().skip(1).collect();
    let reasons = [
        (",6,", "there is no customer `eve`"),
        (
            ",7,",
            "unknown kind `convertion`: did you mean `conversion`?",
        ),
        (",8,", "unknown kind `email-sent`"),
        (",9,", "`at`: 2999-01-10T10:00 is in the future"),
        (",10,", "`at`: "),
        (
            ",11,",
            "unknown campaign `gold-crad`: did you mean `gold-card`?",
        ),
        (",12,", "unknown channel `fax`"),
    ];
    assert_eq!(lines.len(), reasons.len(), "{rejects}");
    for (line, (number, reason)) in lines.iter().zip(reasons) {
        assert!(
            line.contains(number) && line.contains(reason),
            "{reason}: {line}"
        );
    }
}

#[test]
fn a_line_with_a_nul_is_rejected_and_the_others_are_taken() {
    let desk = customers();
    let lines = "customer,kind,at,note\n\
                 ana,conversion,2026-01-10T10:00,a\0b\n\
                 a\0na,conversion,2026-01-10T10:00,\n\
                 ana,conversion,2026-01-10T11:00,a\n";
    desk.file("nul.csv", lines);
    let report = desk.json("import nul.csv --kind interactions");
    assert_eq!(counts(&report), [3, 1, 0, 2], "{report}");
    let rejects = report["rejects_file"].as_str().unwrap();
    let rejects = std::fs::read_to_string(desk.folder.path().join(rejects)).unwrap();
    let reason = "a cell holds the control character U+0000";
    assert_eq!(rejects.matches(reason).count(), 2, "{rejects}");
}

#[test]
fn opt_outs_of_other_systems_are_taken_over_once() {
    let desk = customers();
    desk.file(
        "gone.csv",
        "Kunde;category;channel;at;note\n\
         ana;credit-cards;;2026-01-10T10:00;a letter\n\
         cid;;;2026-01-10T10:00;\n\
         cid;loans;;;\n",
    );
    let import = "import gone.csv --kind unsubscriptions --map Kunde=customer --by omar";
    assert_eq!(counts(&desk.json(import)), [3, 2, 0, 1]);
    let record = &desk.json("customer show ana")["subscriptions"][0];
    for (key, expected) in [
        ("category", "credit-cards"),
        ("state", "unsubscribed"),
        ("actor", "omar"),
        ("source", "import"),
        ("note", "a letter"),
        ("at", "2026-01-10T15:00:00Z"),
    ] {
        assert_eq!(record[key], expected, "{key}");
    }
    let everything = &desk.json("customer show cid")["subscriptions"][0];
    for key in ["campaign", "category", "group", "channel"] {
        assert_eq!(everything[key], json!(null), "{key}");
    }
    assert_eq!(counts(&desk.json(import)), [3, 0, 2, 1], "a second time");
    desk.json("resubscribe ana --category credit-cards");
    assert_eq!(counts(&desk.json(import)), [3, 0, 2, 1], "taken back since");
    let record = &desk.json("customer show ana")["subscriptions"][0];
    assert_eq!(record["state"], "resubscribed");
}

#[test]
fn a_file_of_lines_names_its_columns() {
    let desk = customers();
    desk.file("short.csv", "customer,kind\nana,conversion\n");
    desk.file("twice.csv", "customer,who,kind,at\nana,ben,login,x\n");
    for (words, code, expected) in [
        (
            "short.csv --kind interactions",
            1,
            "no column holds the at: name one `at`",
        ),
        (
            "short.csv --kind interactions --map kind=knid",
            1,
            "unknown field `knid`: did you mean `kind`?",
        ),
        (
            "twice.csv --kind interactions --map kind=customer",
            1,
            "`kind`",
        ),
        (
            "short.csv --kind interactions --tag vip",
            2,
            "are for `--kind customers`",
        ),
    ] {
        let (exit, said) = desk.refused(&format!("import {words}"));
        assert_eq!(exit, Some(code), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn a_history_is_shown_whole_or_says_that_it_is_not() {
    let desk = customers();
    desk.file("happened.csv", HAPPENED);
    desk.json("import happened.csv --kind interactions");
    desk.json("switch ana sms off");
    let hint = "older lines are left out: `--limit N` shows more";
    for (limit, has_older) in [(2, true), (3, false)] {
        let ana = desk.json(&format!("customer show ana --limit {limit}"));
        assert_eq!(ana["interactions"].as_array().unwrap().len(), limit);
        assert_eq!(ana["has_older_interactions"], has_older);
        let text = desk.text(&format!("customer show ana --limit {limit}"));
        assert_eq!(text.contains(hint), has_older, "{text}");
    }
}
