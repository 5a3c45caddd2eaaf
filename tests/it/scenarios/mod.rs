//! Owns the tests of `drumbeat test`: the workspaces of this repository keep what they promise, and what fails is told.

mod first_flow;
mod simulating;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const FLOW: &str = "\
flow: hello
category: news
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: one, after: 1d, sms: { text: \"Hello {{ customer.first_name|default('you') }}\" } }
";

const REST: &str = "\
policy:
  organization: { name: Bank, postal-address: \"1 Shore Road\" }
  categories: { news: News }
---
channel: sms
gateway: { file: { folder: var/messages } }
from: BANK
";

const ANA: &str = "customers: [ { id: ana, phone: \"+33612345678\", city: Lyon } ]";

fn workspace(tests: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("drumbeat.yaml", "workspace: bank\nzone: UTC\n");
    let (policy, channel) = REST.split_once("---\n").unwrap();
    write("flows/policy.yaml", policy);
    write("channels/sms.yaml", channel);
    write("flows/hello.yaml", FLOW);
    write("flows/hello.test.yaml", tests);
    folder
}

fn drumbeat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_drumbeat"))
}

fn test(dir: &Path, more: &[&str]) -> Output {
    let mut command = drumbeat();
    command.arg("test").arg(dir).args(more);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn keeps_its_promises(dir: &str) {
    let output = test(&repository().join(dir), &["--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{json:#}");
    assert!(
        !json["tests"].as_array().unwrap().is_empty(),
        "{dir} has tests"
    );
}

#[test]
fn the_workspaces_of_this_repository_keep_what_they_promise() {
    keeps_its_promises(".");
    for example in ["bank", "credit-union", "retailer", "telecom-retention"] {
        keeps_its_promises(&format!("examples/{example}"));
    }
}

#[test]
fn edits_pauses_and_entries_hold_their_traps() {
    keeps_its_promises("tests/traps");
}

#[test]
fn what_differs_is_shown_beside_what_was_expected_and_where() {
    let tests = format!(
        "test: a day later\nstart: 2026-01-05T10:00\n{ANA}\nexpect:\n  - {{ at: +2d, customer: ana, sms: hello/one }}\n"
    );
    let folder = workspace(&tests);
    let output = test(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for part in [
        "FAIL a day later  (flows/hello.test.yaml:1)",
        "!  5",
        "2026-01-07 10:00 ana sms hello/one",
        "2026-01-06 10:00 ana one sms hello/one",
        "0 passed, 1 failed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_message_that_nobody_expects_fails_and_one_that_does_not_come_does() {
    let head = format!("start: 2026-01-05T10:00\n{ANA}\n");
    let tests = format!(
        "test: none\n{head}expect: []\n---\ntest: another\n{head}expect:\n  - {{ customer: ana, sms: hello/one }}\n  \
         - {{ customer: ana, text-contains: Hello you, at: +3d }}\n"
    );
    let folder = workspace(&tests);
    let output = test(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let right: Vec<&Value> = json["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["ok"])
        .collect();
    assert_eq!(right, [false, false]);
    assert_eq!(json["tests"][0]["timeline"][0]["text"], "Hello you");
}

#[test]
fn an_update_writes_what_came_and_then_it_passes() {
    let tests = format!(
        "# a remark\ntest: a day later\nstart: 2026-01-05T10:00\n{ANA}\nexpect:\n- {{ customer: ana,\n    withheld: late }}\n\n# more\nfor: 30d\n"
    );
    let folder = workspace(&tests);
    assert!(!test(folder.path(), &["--update", "--yes"]).status.success());
    let written = fs::read_to_string(folder.path().join("flows/hello.test.yaml")).unwrap();
    assert!(
        written.contains("at: 2026-01-06T10:00, customer: \"ana\", step: one, sms: hello/one"),
        "{written}"
    );
    assert!(
        written.starts_with("# a remark") && written.ends_with("\n\n# more\nfor: 30d\n"),
        "{written}"
    );
    let output = test(folder.path(), &[]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_build_server_reads_the_outcome() {
    let tests =
        format!("test: \"quotes \\\" & <angles>\"\nstart: 2026-01-05T10:00\n{ANA}\nexpect: []\n");
    let folder = workspace(&tests);
    let file = folder.path().join("report.xml");
    test(folder.path(), &["--junit", file.to_str().unwrap()]);
    let report = fs::read_to_string(file).unwrap();
    assert!(
        report.contains("<testsuite name=\"flows/hello.test.yaml\" tests=\"1\" failures=\"1\">"),
        "{report}"
    );
    assert!(
        report.contains("name=\"quotes &quot; &amp; &lt;angles&gt;\""),
        "{report}"
    );
}

#[test]
fn a_test_that_cannot_be_says_where_and_what_to_do() {
    let head = format!("start: 2026-01-05T10:00\n{ANA}\n");
    for (rest, expected) in [
        (
            "start: soon\nexpect: []\n".to_owned(),
            "`soon` is not an instant",
        ),
        (
            format!("{head}expect: [ {{ customer: ana, withheld: unsubscribed }} ]\n"),
            "cannot be `unsubscribed`",
        ),
        (
            format!("{head}events: [ {{ at: +1d, customer: ana }} ]\nexpect: []\n"),
            "an event has none of",
        ),
        (
            format!("{head}events: [ {{ at: +1d, did: login }} ]\nexpect: []\n"),
            "needs the key `customer`",
        ),
        (
            format!("{head}events: [ {{ at: +1d, pause: helo }} ]\nexpect: []\n"),
            "did you mean `hello`",
        ),
        (
            format!("{head}flows: [other]\nexpect: []\n"),
            "there is no flow `other`",
        ),
        (
            format!(
                "{head}events: [ {{ at: +1d, customer: ana, switch: {{ sms: false, email: false }} }} ]\nexpect: []\n"
            ),
            "says 2 changes",
        ),
        (
            format!("{head}events: [ {{ at: +1d, customer: ana, delete: false }} ]\nexpect: []\n"),
            "says 0 changes",
        ),
        (
            format!("{head}expect: [ {{ customer: ana, completed: false }} ]\n"),
            "what does not come is not expected",
        ),
        (
            head.replace("city: Lyon", "city: [Lyon]") + "expect: []\n",
            "cannot be read",
        ),
        (
            head.replace("city:", "citty:") + "expect: []\n",
            "no field `citty`",
        ),
    ] {
        let folder = workspace(&format!("test: x\n{rest}"));
        let output = test(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(1));
        let said = said(&output);
        assert!(
            said.contains(expected) && said.contains("hello.test.yaml:"),
            "{expected}: {said}"
        );
    }
}

#[test]
fn an_edit_that_breaks_the_files_is_told_and_nothing_is_left_behind() {
    let tests = format!(
        "test: x\nstart: 2026-01-05T10:00\n{ANA}\nevents: [ {{ at: +1h, edit: {{ file: flows/hello.yaml, replace: 1d, with: soon }} }} ]\nexpect: []\n"
    );
    let folder = workspace(&tests);
    let private = tempfile::tempdir().unwrap();
    let mut command = drumbeat();
    command
        .arg("test")
        .arg(folder.path())
        .env("TMPDIR", private.path());
    let output = command.output().unwrap();
    let said = said(&output);
    assert!(
        said.contains("after the edit of `flows/hello.yaml`") && said.contains("bad-duration"),
        "{said}"
    );
    assert_eq!(fs::read_dir(private.path()).unwrap().count(), 0);
    assert!(
        !folder.path().join("var").exists(),
        "no store of the workspace is touched"
    );
}
