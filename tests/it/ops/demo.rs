//! The demo from end to end: stopped in the middle, gone on with, and looked at afterwards.

use std::io::{BufRead, BufReader};
use std::process::Command;

use serde_json::{Value, json};

use super::desk::{Desk, lakeside, started};

const STORE: &str = "--database sqlite://var/demo.db";

/// Starts a demo and interrupts it as soon as it has told of a message.
fn interrupted(desk: &Desk) -> String {
    let mut child = desk.command("demo --seconds 3").spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let mut lines = BufReader::new(stderr).lines().map(Result::unwrap);
    let told = lines.find(|line| line.contains("email "));
    assert!(told.is_some(), "no message was sent");
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    // Read on, so that the program never waits for a full pipe.
    let _rest = lines.count();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

fn saved_time(desk: &Desk) -> String {
    let status = desk.json(&format!("{STORE} status"));
    status["now"].as_str().unwrap().to_owned()
}

fn reasons(flow: &Value) -> Vec<String> {
    let steps = flow["steps"].as_array().unwrap();
    let withheld = steps.iter().filter_map(|step| step["withheld"].as_object());
    withheld
        .flat_map(|reasons| reasons.keys().cloned())
        .collect()
}

#[test]
fn a_demo_goes_on_where_it_was_stopped_and_loses_nothing() {
    let desk = lakeside();
    let stopped = interrupted(&desk);
    assert!(
        stopped.contains("The same command goes on from there"),
        "{stopped}"
    );
    let middle = saved_time(&desk);
    let ended = desk.text("demo --seconds 3");
    assert!(saved_time(&desk) > middle);
    for part in [
        "new-member-onboarding  active",
        "withheld: ",
        "look closer",
        " explain L",
    ] {
        assert!(ended.contains(part), "`{part}` is not in:\n{ended}");
    }
    let status = desk.json(&format!("{STORE} status"));
    let flows = status["flows"].as_array().unwrap();
    let withheld: Vec<String> = flows.iter().flat_map(reasons).collect();
    for reason in ["no_consent", "unsubscribed_category"] {
        assert!(
            withheld.iter().any(|known| known == reason),
            "{reason}: {withheld:?}"
        );
    }
    assert!(
        !withheld.iter().any(|reason| reason == "late"),
        "{withheld:?}"
    );
    let (over, said) = (desk.run("demo"), "this demo is over");
    assert!(String::from_utf8(over.stderr).unwrap().contains(said));
    let told = |flow: &str| flows.iter().find(|line| line["flow"] == flow).unwrap();
    let greeted = &told("birthday")["enrollments"];
    let greeted = greeted["waiting"].as_u64().unwrap() + greeted["completed"].as_u64().unwrap();
    assert!(
        greeted > 5,
        "in a month more members have their birthday than {greeted}"
    );
    explained(&desk);
}

/// Somebody who unsubscribed on the way is told so, with the record.
fn explained(desk: &Desk) {
    let ledger = desk.json(&format!("{STORE} dispatches --state withheld --limit 1000"));
    let lines = ledger["dispatches"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["reason"] == "unsubscribed_category")
        .unwrap();
    let (customer, flow) = (
        line["customer"].as_str().unwrap(),
        line["flow"].as_str().unwrap(),
    );
    let told = desk.json(&format!("{STORE} explain {customer} {flow}"));
    assert_eq!(told["enrolled"], true);
    let step = told["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["step"] == line["step"])
        .unwrap();
    assert_eq!(
        (&step["state"], &step["reason"]),
        (&json!("withheld"), &json!("unsubscribed_category"))
    );
    let why = step["why"][0].as_str().unwrap();
    assert!(why.starts_with("unsubscribed from category "), "{why}");
    assert!(why.contains("by customer (link)"), "{why}");
}

#[test]
fn a_new_workspace_has_a_demo_of_its_own_that_can_begin_again() {
    let desk = started();
    let first = desk.text("demo --seconds 1");
    assert!(first.contains("welcome  active"), "{first}");
    let again = desk.text("demo --seconds 1 --again");
    assert!(again.contains("welcome  active"), "{again}");
}

#[test]
fn a_store_that_is_not_a_demos_is_left_alone() {
    let desk = started();
    desk.json("import customers.csv");
    let store = "--database sqlite://var/drumbeat.db";
    let (code, said) = desk.refused(&format!("{store} demo"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not a demo's"), "{said}");
    let (code, said) = desk.refused(&format!("{store} demo --again"));
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(desk.json("customer show C001")["id"], "C001");
}

#[test]
fn without_customers_a_demo_says_where_it_looked() {
    let desk = started();
    std::fs::remove_file(desk.folder.path().join("customers.csv")).unwrap();
    let (code, said) = desk.refused("demo");
    assert_eq!(code, Some(1));
    assert!(said.contains("there are no customers for a demo"), "{said}");
    desk.file("customers.csv", "id,first_name\nC001,Ana\n");
    assert!(desk.text("demo --seconds 1").contains("0 entered"));
}
