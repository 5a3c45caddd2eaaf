//! What an operator gives up and takes back for a customer, by command, with what is shown of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::commands::{Desk, desk};

const DIMENSIONS: [&str; 4] = ["campaign", "category", "group", "channel"];

fn customers() -> Desk {
    let desk = desk();
    desk.json("import people.csv");
    desk
}

/// The scope of each record with its state, and who brought it there.
fn records(desk: &Desk) -> Vec<(Value, String)> {
    let ana = desk.json("customer show ana");
    let records = ana["subscriptions"].as_array().unwrap().iter();
    records
        .map(|record| {
            let given = |key: &&str| !record[*key].is_null();
            let scope = DIMENSIONS.into_iter().filter(given);
            let scope = scope.map(|key| (key, record[key].clone())).collect();
            let word = |key: &str| record[key].as_str().unwrap().to_owned();
            let told = [word("state"), word("actor"), word("source")].join(" ");
            (scope, told)
        })
        .collect()
}

/// Runs the command at a terminal, where a person types the answer.
fn at_a_terminal(desk: &Desk, words: &str, answer: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_drumbeat");
    let mut child = Command::new("script")
        .args(["-qec", &format!("{program} {words}"), "/dev/null"])
        .current_dir(desk.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("`script` starts: install the Debian package `bsdutils`");
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(answer.as_bytes()).unwrap();
    drop(keys);
    let output = child.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), screen)
}

#[test]
fn a_person_is_asked_before_a_resubscription_and_may_say_no() {
    let desk = customers();
    desk.json("unsubscribe ana --category credit-cards");
    let words = "resubscribe ana --category credit-cards";
    let before = records(&desk);
    for answer in ["n\n", "\n"] {
        let (code, screen) = at_a_terminal(&desk, words, answer);
        let question = "resubscribe ana to category credit-cards? [y/N]";
        assert!(screen.contains(question), "{screen}");
        assert_eq!(code, Some(1), "{screen}");
        assert_eq!(records(&desk), before);
    }
    let (code, screen) = at_a_terminal(&desk, words, "y\n");
    assert_eq!(code, Some(0), "{screen}");
    assert!(records(&desk)[0].1.starts_with("resubscribed "));
}

#[test]
fn every_turn_of_a_switch_is_shown_at_once_and_kept_with_its_author() {
    let desk = customers();
    let names = ["outbound", "email", "sms", "push"];
    for name in names {
        for state in ["off", "on"] {
            desk.json(&format!("switch ana {name} {state} --by omar"));
            let switches = &desk.json("customer show ana")["switches"];
            for other in names {
                let on = other != name || state == "on";
                assert_eq!(switches[other], json!(on), "{name} {state}: {other}");
            }
        }
    }
    let ana = desk.json("customer show ana");
    let lines = ana["interactions"].as_array().unwrap().iter().rev();
    let told: Vec<String> = lines
        .map(|line| {
            let words = [&line["kind"], &line["detail"]["switch"], &line["actor"]];
            words.map(|word| word.as_str().unwrap()).join(" ")
        })
        .collect();
    let expected = names
        .into_iter()
        .flat_map(|name| ["off", "on"].map(|state| format!("switched-{state} {name} omar")));
    assert_eq!(told, expected.collect::<Vec<_>>());
}
