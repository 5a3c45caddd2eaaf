//! The daemon killed at random instants while it sends through mail servers that are not ours.
//!
//! Afterwards every message was received exactly once, or is listed as uncertain.
#![expect(
    clippy::print_stdout,
    reason = "a storm says its seed and what it came to"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the storm's length and seed are chosen from outside"
)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use drumbeat::domain::ids::{DispatchId, EnrollmentId, NameNo};
use drumbeat::store::Store;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::rig::postfix::Postfix;
use crate::rig::smtp_sink::SmtpSink;

const SLOTS: u32 = 64;
const STEPS: usize = 3;
const ACCEPTED: i64 = 1;
const UNCERTAIN: i64 = 8;

/// How hard the daemon is hit.
struct Storm {
    customers: usize,
    kills: usize,
    per_second: u32,
}

/// The long variant is asked for with `scripts/test --long`.
fn storm() -> Storm {
    if std::env::var_os("DRUMBEAT_TEST_LONG").is_some() {
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
    let workspace = workspace(sink.port, &storm);
    weather(workspace.path(), &storm).await;
    assert_every_message_once(workspace.path(), &storm, &sink.mails()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_at_postfix() {
    let postfix = Postfix::start().await;
    let storm = storm();
    let workspace = workspace(postfix.port, &storm);
    weather(workspace.path(), &storm).await;
    let mails = postfix.delivered().await;
    assert_every_message_once(workspace.path(), &storm, &mails).await;
}

fn workspace(port: u16, storm: &Storm) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "drumbeat.yaml",
        "workspace: storm\nlisten: \"off\"\npublic-url: https://example.com\n",
    );
    write(
        "email.yaml",
        &format!(
            "channel: email
gateway: {{ smtp: {{ host: 127.0.0.1, port: \"{port}\", security: none }} }}
from: \"Lakeside <hello@lakeside.example>\"
slots: {SLOTS}
connections: 8
pace: {} per second
retry: {{ first: 1s, factor: 2, max: 5s, give-up-after: 72h }}
",
            storm.per_second
        ),
    );
    write("flow.yaml", FLOW);
    let mut customers = "id,email,city\n".to_owned();
    for n in 0..storm.customers {
        writeln!(customers, "c{n},c{n}@ok.test,Lyon").unwrap();
    }
    write("customers.csv", &customers);
    folder
}

const FLOW: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
---
flow: storm
name: Storm
category: onboarding
group: retail
segment: { where: { all: [ { field: city, is: Lyon } ] } }
steps:
  - { id: one, email: { subject: "One", text: "Hello {{ customer.id }}. {{ unsubscribe_url }} {{ organization.postal_address }}" } }
  - { id: two, after: 1s, email: { subject: "Two", text: "Hello {{ customer.id }}. {{ unsubscribe_url }} {{ organization.postal_address }}" } }
  - { id: three, after: 1s, email: { subject: "Three", text: "Hello {{ customer.id }}. {{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

/// Starts the daemon, kills it at a random instant, as often as the storm says; then lets it finish.
async fn weather(workspace: &Path, storm: &Storm) {
    let seed = std::env::var("DRUMBEAT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("seed {seed}: DRUMBEAT_SEED={seed} runs the same storm");
    let imported = drumbeat(workspace, &["import", "customers.csv"])
        .status()
        .await
        .unwrap();
    assert!(imported.success());
    let mut chance = Chance(seed);
    for _ in 0..storm.kills {
        let mut daemon = run(workspace, &[]);
        let alive = Duration::from_millis(100 + chance.below(600));
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

/// A small generator (xorshift64*, Vigna 2016): the same seed, the same storm.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

async fn assert_every_message_once(workspace: &Path, storm: &Storm, mails: &[String]) {
    let received = received(mails);
    let ledger = ledger(workspace).await;
    assert_eq!(
        ledger.len(),
        storm.customers * STEPS,
        "each step of each enrollment has its line"
    );
    let mut uncertain = 0;
    for (id, state) in &ledger {
        let copies = received.get(id).copied().unwrap_or(0);
        match *state {
            ACCEPTED => assert_eq!(copies, 1, "{id} is accepted"),
            UNCERTAIN => {
                uncertain += 1;
                assert!(copies <= 1, "{id} is uncertain and arrived {copies} times");
            }
            other => panic!("{id} ended in state {other}"),
        }
    }
    let unknown = received
        .keys()
        .filter(|id| !ledger.contains_key(*id))
        .count();
    assert_eq!(unknown, 0, "messages that no line of the ledger knows");
    let most = SLOTS as usize * storm.kills;
    assert!(uncertain <= most, "{uncertain} uncertain, at most {most}");
    println!(
        "{} messages, {} kills: {} received once, {uncertain} uncertain (at most {most})",
        ledger.len(),
        storm.kills,
        received.len(),
    );
}

/// How many copies of each dispatch arrived, by Message-ID.
fn received(mails: &[String]) -> HashMap<DispatchId, usize> {
    let mut received = HashMap::new();
    for mail in mails {
        let id = mail.lines().find_map(|line| {
            let id = line.strip_prefix("Message-ID: <")?;
            id.split('@').next()?.parse().ok()
        });
        *received
            .entry(id.expect("every mail carries its dispatch id"))
            .or_insert(0) += 1;
    }
    received
}

async fn ledger(workspace: &Path) -> BTreeMap<DispatchId, i64> {
    let url = format!("sqlite://{}", workspace.join("var/drumbeat.db").display());
    let store = Store::open(&url, Path::new("")).await.unwrap();
    let tag = store.instance_tag().await.unwrap();
    store.close().await;
    let pool = SqlitePool::connect(&url).await.unwrap();
    let live: i64 = sqlx::query_scalar("SELECT count(*) FROM enrollments WHERE status <> 10")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(live, 0, "every enrollment is completed");
    let rows = sqlx::query("SELECT enrollment_id, step, state FROM dispatches")
        .fetch_all(&pool)
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let (enrollment, step) = (EnrollmentId(row.get(0)), NameNo(row.get(1)));
            (DispatchId::new(tag, enrollment, step), row.get(2))
        })
        .collect()
}
