//! Owns the tests of `drumbeat simulate`: what it foretells is what comes, and it touches nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{drumbeat, repository, said};
use crate::rig::database::Database;

fn simulate(more: &[&str]) -> Output {
    let mut command = drumbeat();
    command.arg("--workspace").arg(repository()).arg("simulate");
    command.args(more).output().unwrap()
}

fn json(more: &[&str]) -> Value {
    let output = simulate(&[more, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn members() -> String {
    repository()
        .join("examples/customers.csv")
        .display()
        .to_string()
}

fn sum(list: &Value, key: &str) -> u64 {
    let each = list.as_array().unwrap().iter();
    each.map(|one| one[key].as_u64().unwrap()).sum()
}

#[test]
fn days_and_steps_add_up_and_a_second_run_says_the_same() {
    let members = members();
    let asked = [
        "--customers",
        &members,
        "--from",
        "2026-11-01",
        "--for",
        "30d",
    ];
    let foretold = json(&asked);
    let messages = foretold["messages"].as_u64().unwrap();
    assert!(messages > 100, "{messages}");
    assert_eq!(sum(&foretold["days"], "messages"), messages);
    assert_eq!(sum(&foretold["steps"], "sent"), messages);
    assert_eq!(json(&asked), foretold);
}

#[test]
fn one_customer_is_told_word_by_word_and_one_flow_runs_alone() {
    let members = members();
    let foretold = json(&[
        "new-member-onboarding",
        "--customers",
        &members,
        "--from",
        "2026-11-01",
        "--for",
        "30d",
    ]);
    let flows: Vec<&Value> = foretold["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["flow"])
        .collect();
    assert!(!flows.is_empty() && flows.iter().all(|flow| *flow == "new-member-onboarding"));
    let output = simulate(&[
        "--customers",
        &members,
        "--from",
        "2026-11-01",
        "--for",
        "30d",
        "--customer",
        "L04286",
    ]);
    let said = said(&output);
    assert!(
        said.contains("would enter") && said.contains("busiest hour on email"),
        "{said}"
    );
    assert!(said.contains("L04286"), "{said}");
}

#[test]
fn a_flow_that_is_not_there_and_a_store_that_is_not_there_are_told() {
    let output = simulate(&["new-member-onbording", "--customers", &members()]);
    assert!(said(&output).contains("did you mean"), "{}", said(&output));
    let folder = tempfile::tempdir().unwrap();
    for part in ["drumbeat.yaml", "flows", "channels"] {
        copy(&repository().join(part), &folder.path().join(part));
    }
    let mut command = drumbeat();
    command
        .arg("--workspace")
        .arg(folder.path())
        .arg("simulate");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("--customers"), "{}", said(&output));
    assert!(!folder.path().join("var").exists());
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

#[test]
fn the_store_is_only_read_and_what_is_broken_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["drumbeat.yaml", "flows", "channels"] {
        copy(&repository().join(part), &folder.path().join(part));
    }
    let at = |verb: &[&str]| {
        let mut command = drumbeat();
        command.arg("--workspace").arg(folder.path()).args(verb);
        command
    };
    let imported = at(&["import", &members()]).output().unwrap();
    assert!(imported.status.success(), "{}", said(&imported));
    let status = || {
        let told = at(&["status", "--format", "json"]).output().unwrap().stdout;
        let told: Value = serde_json::from_slice(&told).unwrap();
        (told["revision"].clone(), told["flows"].clone())
    };
    let before = status();
    let output = at(&["simulate", "--for", "10d"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(status(), before);

    let private = tempfile::tempdir().unwrap();
    let mut long = at(&["simulate", "--for", "4000d"]);
    long.env("TMPDIR", private.path());
    let mut running = long
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let is_empty = || fs::read_dir(private.path()).unwrap().next().is_none();
    while is_empty() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let stopped = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(1));
    assert!(is_empty());
}

#[test]
fn a_page_shows_each_day_and_each_step() {
    let members = members();
    let output = simulate(&[
        "gold-card-offer",
        "--customers",
        &members,
        "--from",
        "2026-11-02",
        "--for",
        "20d",
        "--format",
        "html",
    ]);
    assert!(output.status.success(), "{}", said(&output));
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    // Each of the 21 days has its place in the calendar, from a Monday on.
    assert_eq!(page.matches("class=\"day\"").count(), 21);
    assert!(page.contains("x=\"34\" y=\"0\""), "{page}");
    for step in ["offer", "reminder", "last-call"] {
        assert!(page.contains(&format!("<p>{step} ")), "{step}");
    }
    assert!(page.contains("withheld: "), "{page}");
}

/// A role that may read everything and write nothing; gone when dropped.
struct Reader<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> Reader<'a> {
    async fn of(database: &'a Database) -> Self {
        let (_, own) = database.url().rsplit_once('/').unwrap();
        let name = format!("reader_of_{own}");
        let sql = format!("CREATE ROLE {name} LOGIN; GRANT pg_read_all_data TO {name}");
        database.psql(&sql).await;
        Self { database, name }
    }

    fn url(&self) -> String {
        self.database
            .url()
            .replace("://drumbeat@", &format!("://{}@", self.name))
    }

    async fn goes(self) {
        self.database
            .psql(&format!("DROP ROLE {}", self.name))
            .await;
    }
}

#[tokio::test]
async fn who_may_only_read_a_server_simulates_and_plans_over_it_as_over_a_file() {
    let database = Database::fresh().await;
    let folder = tempfile::tempdir().unwrap();
    for part in ["drumbeat.yaml", "flows", "channels"] {
        copy(&repository().join(part), &folder.path().join(part));
    }
    let at = |url: &str, verb: &[&str]| {
        let mut command = drumbeat();
        command.arg("--workspace").arg(folder.path()).args(verb);
        let output = command.args(["--database", url]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let file = "sqlite://var/file.db";
    for url in [file, database.url()] {
        at(url, &["import", &members()]);
    }
    let reader = Reader::of(&database).await;
    let asked = [
        "simulate",
        "--from",
        "2026-12-01",
        "--for",
        "20d",
        "--customer",
        "L04286",
        "--format",
        "json",
    ];
    let foretold = at(&reader.url(), &asked);
    let messages: Value = serde_json::from_str(&foretold).unwrap();
    assert!(messages["messages"].as_u64().unwrap() > 100, "{foretold}");
    assert_eq!(foretold, at(file, &asked));

    let plan = ["plan", "--allow", "all"];
    assert_eq!(at(&reader.url(), &plan), at(file, &plan));
    reader.goes().await;
}
