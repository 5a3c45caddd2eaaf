//! Owns the tests of `drumbeat check` and `drumbeat schema` as programs.

use std::process::{Command, Output};

use super::folder::Folder;

/// Where no server of names listens.
const NOBODY: &str = "127.0.0.1:1";

fn drumbeat(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_drumbeat");
    Command::new(program).args(arguments).output().unwrap()
}

#[test]
fn check_exits_0_clean_1_with_errors_and_2_on_misuse() {
    let good = Folder::good();
    let path = good.path().to_str().unwrap();
    let clean = drumbeat(&["check", path]);
    assert_eq!(clean.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&clean.stdout), "no errors\n");
    assert_eq!(
        drumbeat(&["--workspace", path, "check"]).status.code(),
        Some(0)
    );

    let bad = Folder::good().with("flows/bad.yaml", "flow: bad\n");
    let path = bad.path().to_str().unwrap();
    for format in ["text", "json", "github"] {
        let errors = drumbeat(&["check", path, "--format", format]);
        assert_eq!(errors.status.code(), Some(1), "{format}");
        assert!(!errors.stdout.is_empty(), "{format}");
    }
    assert_eq!(
        drumbeat(&["check", "--format", "xml"]).status.code(),
        Some(2)
    );
    assert_eq!(
        drumbeat(&["check", "/nowhere/at/all"]).status.code(),
        Some(1)
    );
}

#[test]
fn check_says_what_keeps_emails_from_being_read_when_it_is_asked() {
    let template = "flows/templates/offer.html";
    let folder = Folder::good().changed(template, "Dear", "<img src=\"a.png\"> Dear");
    let path = folder.path().to_str().unwrap();
    let asked = drumbeat(&[
        "check",
        path,
        "--deliverability",
        "--dns",
        NOBODY,
        "--format",
        "json",
    ]);
    assert_eq!(asked.status.code(), Some(0), "warnings are no errors");
    let json: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    let remarks = json["deliverability"].as_array().unwrap();
    let pictures = remarks.iter().find(|remark| {
        let message = remark["message"].as_str().unwrap();
        message.starts_with("has pictures without `alt` (1)")
    });
    let pictures = pictures.unwrap();
    assert_eq!(pictures["severity"], "warning");
    assert!(pictures["about"].as_str().unwrap().starts_with("welcome/"));
    assert!(!pictures["help"].as_str().unwrap().is_empty());

    let folder = folder.changed("drumbeat.yaml", "https://", "http://");
    let path = folder.path().to_str().unwrap();
    let told = drumbeat(&["check", path, "--deliverability", "--dns", NOBODY]);
    assert_eq!(told.status.code(), Some(1));
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(text.starts_with("error: drumbeat.yaml: "), "{text}");
    assert!(text.contains("  help: set `public-url`"), "{text}");
    let unasked = drumbeat(&["check", path]);
    assert_eq!(unasked.status.code(), Some(0));
}

#[test]
fn check_as_json_has_the_keys_that_programs_rely_on() {
    let folder = Folder::good().with("flows/bad.yaml", "flow: bad\nsegmant: x\nsteps: []\n");
    let output = drumbeat(&["check", folder.path().to_str().unwrap(), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["ok"], false);
    let first = json["diagnostics"][0].as_object().unwrap();
    let keys: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "severity", "code", "file", "line", "column", "message", "help"
        ]
    );
    assert_eq!(first["file"], "flows/bad.yaml");
    assert_eq!(first["line"], 2);
    assert_eq!(first["help"], "did you mean `segment`?");
}

#[test]
fn schema_prints_json_schema_and_refuses_unknown_kinds() {
    let output = drumbeat(&["schema", "flow"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["title"], "FlowDoc");
    assert_eq!(drumbeat(&["schema", "letter"]).status.code(), Some(2));
}
