//! The commands of operation on a workspace where no daemon has run, and where one runs.

use serde_json::json;

use super::desk::{keys, started};

#[test]
fn a_new_workspace_checks_clean_and_is_not_made_twice() {
    let desk = started();
    let checked = desk.json("check");
    assert_eq!(checked["ok"], true, "{checked}");
    assert_eq!(checked["diagnostics"], json!([]));
    let (code, said) = desk.refused("init .");
    assert_eq!(code, Some(1));
    assert!(said.contains("is a workspace already"), "{said}");
}

#[test]
fn status_has_the_keys_that_programs_rely_on() {
    let desk = started();
    let status = desk.json("status");
    assert_eq!(status["revision"], 1);
    assert_eq!(
        status["daemon"],
        json!({ "running": false, "process": null })
    );
    let flow = &status["flows"][0];
    assert_eq!(
        (&flow["flow"], &flow["status"]),
        (&json!("welcome"), &json!("active"))
    );
    let counted = keys(&flow["enrollments"]);
    assert_eq!(counted, ["pending", "waiting", "completed", "exited"]);
    let step = &flow["steps"][0];
    for key in [
        "step",
        "waiting",
        "held",
        "sending",
        "sent",
        "withheld",
        "deferred",
        "uncertain",
        "failed",
    ] {
        assert!(keys(step).contains(&key), "{key}");
    }
    let channel = &status["channels"][0];
    for (key, value) in [
        ("channel", json!("email")),
        ("gateway", json!("file")),
        ("breaker", json!("closed")),
        ("due", json!(0)),
        ("paused", json!(null)),
    ] {
        assert_eq!(channel[key], value, "{key}");
    }
    let text = desk.text("status");
    assert!(
        text.contains("not running: start it with `drumbeat run`"),
        "{text}"
    );
    assert!(text.contains("welcome  active"), "{text}");
}

#[test]
fn a_pause_is_shown_with_its_author_and_ends_once() {
    let desk = started();
    let words = "pause welcome --reason holidays --by omar";
    assert_eq!(desk.text(words), "flow welcome: paused\n");
    assert_eq!(desk.text(words), "flow welcome: paused already\n");
    let flow = &desk.json("status")["flows"][0];
    assert_eq!(flow["status"], "paused");
    let (by, reason) = (&flow["paused"]["by"], &flow["paused"]["reason"]);
    assert_eq!((by, reason), (&json!("omar"), &json!("holidays")));
    assert_eq!(desk.text("resume welcome"), "flow welcome: resumed\n");
    let changes = desk.json("pause --channel email");
    let expected = json!({ "changes": [{ "channel": "email", "changed": true }] });
    assert_eq!(changes, expected);
    assert_eq!(desk.json("status")["channels"][0]["paused"]["by"], "mara");
    assert_eq!(
        desk.text("resume --channel email"),
        "channel email: resumed\n"
    );
    assert_eq!(
        desk.text("resume --channel email"),
        "channel email: not paused\n"
    );
}

#[test]
fn what_is_paused_is_named_exactly() {
    let desk = started();
    for (words, code, expected) in [
        ("pause welcom", 1, "did you mean `welcome`?"),
        ("pause --channel emial", 2, "did you mean `email`?"),
        ("pause", 2, "required"),
        ("pause welcome --all", 2, "cannot be used with"),
    ] {
        let (exit, said) = desk.refused(words);
        assert_eq!(exit, Some(code), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn a_reload_without_a_daemon_is_refused() {
    let desk = started();
    let (code, said) = desk.refused("reload --wait");
    assert_eq!(code, Some(1));
    assert!(said.contains("no daemon runs on this store"), "{said}");
}

#[test]
fn a_customer_who_never_entered_is_explained_by_the_segment_and_its_values() {
    let desk = started();
    desk.json("import customers.csv");
    let told = desk.json("explain C005 welcome");
    assert_eq!(
        (&told["enrolled"], &told["steps"]),
        (&json!(false), &json!([]))
    );
    let reason = &told["reasons"][0];
    assert_eq!(
        (&reason["rule"], &reason["met"]),
        (&json!("segment"), &json!(false))
    );
    assert_eq!(reason["value"], "joined_on: 2019-03-12");
    let text = desk.text("explain C005 welcome");
    assert!(
        text.contains("- Customer since is within the last 30 days"),
        "{text}"
    );
    assert!(
        desk.refused("explain C005 welcom")
            .1
            .contains("did you mean `welcome`?")
    );
    assert_eq!(desk.refused("explain nobody welcome").0, Some(1));
}

#[test]
fn a_whole_segment_and_a_moment_in_the_past_are_explained_too() {
    let desk = started();
    desk.json("import customers.csv");
    let told = desk.json("explain welcome --where {\"tag\":\"vip\"}");
    assert_eq!(told["groups"].as_array().map(Vec::len), Some(0), "{told}");
    let all = desk.json("explain welcome --where {\"identified\":true}");
    let counts = all["groups"].as_array().unwrap().iter();
    let sum: u64 = counts
        .map(|group| group["customers"].as_u64().unwrap())
        .sum();
    assert_eq!(all["customers"].as_u64(), Some(sum));
    let text = desk.text("explain welcome --where {\"identified\":true}");
    assert!(
        text.contains("do not meet: Customer since is within the last 30 days"),
        "{text}"
    );
    let (code, said) = desk.refused("explain C005 welcome --at 2020-01-01");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in force then"), "{said}");
    let (code, said) = desk.refused("explain C005 welcome --at yesterday");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("write it such as 2026-01-31"), "{said}");
    assert_eq!(desk.refused("explain welcome --at 2020-01-01").0, Some(2));
    assert!(
        desk.text("explain C005 welcome --at 2099-01-01")
            .contains("was not in it")
    );
}

#[test]
fn an_empty_ledger_is_empty_and_what_is_not_in_it_cannot_be_resolved() {
    let desk = started();
    assert_eq!(desk.json("dispatches"), json!({ "dispatches": [] }));
    assert_eq!(desk.text("uncertain list"), "none\n");
    let (code, said) = desk.refused("dispatches --state sennt");
    assert_eq!(code, Some(2), "{said}");
    let id = "00000000-0000-8000-8000-000000000000";
    let (code, said) = desk.refused(&format!("uncertain resolve {id}"));
    assert_eq!(code, Some(2));
    assert!(said.contains("--taken"), "{said}");
    let (code, said) = desk.refused(&format!("uncertain resolve {id} --taken"));
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("the dispatch `{id}`")), "{said}");
}
