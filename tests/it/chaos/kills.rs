//! The one daemon of a store, killed at random instants.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::accounts::{self, Ledger};
use super::{SLOTS, STEPS};
use crate::rig::home::Home;
use crate::rig::postfix::Postfix;
use crate::rig::smtp_sink::SmtpSink;

/// How hard the daemon is hit.
struct Storm {
    customers: usize,
    kills: usize,
    per_second: u32,
}

fn storm() -> Storm {
    if super::is_long() {
        Storm {
            customers: 5_000,
            kills: 100,
            per_second: 350,
        }
    } else {
        Storm {
            customers: 400,
            kills: 12,
            per_second: 200,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_at_a_sink() {
    let sink = SmtpSink::start_keeping(&[]).await;
    let storm = storm();
    let (workspace, home) = workspace(sink.port, &storm).await;
    weather(workspace.path(), &storm).await;
    assert_every_message_once((workspace.path(), &home), &storm, &sink.mails()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_at_postfix() {
    let postfix = Postfix::start().await;
    let storm = storm();
    let (workspace, home) = workspace(postfix.port, &storm).await;
    weather(workspace.path(), &storm).await;
    let mails = postfix.delivered().await;
    assert_every_message_once((workspace.path(), &home), &storm, &mails).await;
}

async fn workspace(port: u16, storm: &Storm) -> (TempDir, Home) {
    let folder = TempDir::new().unwrap();
    let home = Home::of_the_run(folder.path()).await;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "drumbeat.yaml",
        &format!(
            "workspace: storm\nlisten: \"off\"\npublic-url: https://example.com\ndatabase: {}\n",
            home.url
        ),
    );
    write(
        "email.yaml",
        &super::channel(("127.0.0.1", port), 8, storm.per_second),
    );
    write("flow.yaml", &super::flow(1));
    let mut customers = "id,email,city\n".to_owned();
    for n in 0..storm.customers {
        writeln!(customers, "c{n},c{n}@ok.test,Lyon").unwrap();
    }
    write("customers.csv", &customers);
    (folder, home)
}

/// Starts the daemon, kills it at a random instant, as often as the storm says; then lets it finish.
async fn weather(workspace: &Path, storm: &Storm) {
    let mut chance = super::chance();
    let imported = drumbeat(workspace, &["import", "customers.csv"])
        .status()
        .await
        .unwrap();
    assert!(imported.success());
    for _ in 0..storm.kills {
        let mut daemon = run(workspace, &[]);
        let alive = chance.between(100, 700);
        let ended = tokio::time::timeout(alive, daemon.wait()).await;
        assert!(ended.is_err(), "the daemon ended by itself: {ended:?}");
        daemon.kill().await.unwrap();
    }
    let mut daemon = run(workspace, &["--until-idle"]);
    let ended = tokio::time::timeout(Duration::from_mins(10), daemon.wait()).await;
    assert!(
        ended
            .expect("the daemon finishes in time")
            .unwrap()
            .success()
    );
}

fn run(workspace: &Path, more: &[&str]) -> Child {
    let mut arguments = vec!["run", "--listen", "off"];
    arguments.extend(more);
    drumbeat(workspace, &arguments)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn drumbeat(workspace: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drumbeat"));
    command
        .args(arguments)
        .current_dir(workspace)
        .env("DRUMBEAT_LOG", "warn")
        .stdout(Stdio::null())
        .stdin(Stdio::null());
    command
}

async fn assert_every_message_once(
    (workspace, home): (&Path, &Home),
    storm: &Storm,
    mails: &[String],
) {
    let (received, ledger) = (accounts::received(mails), ledger(workspace, home).await);
    assert_eq!(
        ledger.len(),
        storm.customers * STEPS,
        "each step of each enrollment has its line"
    );
    super::finds_nothing_wrong(drumbeat(workspace, &["db", "check"])).await;
    let most = SLOTS * storm.kills;
    let sums = accounts::balance(&ledger, &received, most);
    accounts::nothing_is_early(&ledger, &received, 1);
    println!(
        "{} messages, {} kills: {} received once, {} uncertain (at most {most})",
        sums.messages, storm.kills, sums.received, sums.uncertain,
    );
}

async fn ledger(workspace: &Path, home: &Home) -> Ledger {
    let store = home.open(workspace).await;
    let tag = store.instance_tag().await.unwrap();
    store.close().await;
    let live = "SELECT count(*) FROM enrollments WHERE status <> 10";
    assert_eq!(home.number(live).await, 0, "every enrollment is completed");
    let rows = "SELECT enrollment_id, CAST(step AS BIGINT), CAST(state AS BIGINT), first_at \
         FROM dispatches";
    let rows = home.rows(rows).await.into_iter();
    let numbers = |[enrollment, step, state, first_at]: [i64; 4]| {
        (enrollment, i32::try_from(step).unwrap(), state, first_at)
    };
    accounts::ledger(tag, rows.map(numbers))
}
