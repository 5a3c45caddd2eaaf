//! What the page about files of customers shows is what happens.

use std::path::Path;
use std::process::Command;

use super::commands::Desk;

const SETTINGS: &str = "workspace: lakeside\nzone: Europe/Paris\n";
const POLICY: &str = "policy:\n  organization: { name: Lakeside, postal-address: 12 Shore Road }\n";

/// What a page has people do, in its order.
enum Act {
    File(String, String),
    /// A command and what it prints.
    Run(String, String),
}

fn acts(page: &str) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut lines = page.lines();
    let mut file = None;
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("File `") {
            file = Some(name.trim_end_matches("`:").to_owned());
        }
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(name) = file.take() {
            acts.push(Act::File(name, block.join("\n") + "\n"));
        } else if language == "console" {
            for line in block {
                match (line.strip_prefix("$ "), acts.last_mut()) {
                    (Some(command), _) => acts.push(Act::Run(command.to_owned(), String::new())),
                    (None, Some(Act::Run(_, printed))) => printed.extend([line, "\n"]),
                    (None, _) => panic!("`{line}` is printed by no command"),
                }
            }
        }
    }
    acts
}

/// What a command prints; the rows of CSV in their order.
fn printed(desk: &Desk, command: &str) -> String {
    if let Some(words) = command.strip_prefix("drumbeat ") {
        return desk.text(words);
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    let ran = Command::new(words[0])
        .args(&words[1..])
        .current_dir(desk.folder.path())
        .output();
    String::from_utf8(ran.unwrap().stdout).unwrap()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.first().is_some_and(|line| line.starts_with("id,")) {
        lines[1..].sort_unstable();
    }
    lines
}

#[test]
fn the_examples_of_the_page_about_customers_are_what_happens() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/customers.md");
    let acts = acts(&std::fs::read_to_string(page).unwrap());
    let desk = Desk {
        folder: tempfile::tempdir().unwrap(),
    };
    desk.file("drumbeat.yaml", SETTINGS);
    desk.file("policy.yaml", POLICY);
    let mut runs = 0;
    for act in acts {
        match act {
            Act::File(name, content) => desk.file(&name, &content),
            Act::Run(command, expected) => {
                let printed = printed(&desk, &command);
                assert_eq!(sorted(&printed), sorted(&expected), "{command}");
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 9);
}
