//! Daemons hit at random while they send through mail servers that are not ours.
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

mod accounts;
mod chance;
mod kills;
mod nodes;
mod plan;

use std::hash::{BuildHasher as _, RandomState};
use std::process::Stdio;

pub(crate) use chance::Chance;
use tokio::process::Command;

/// How many messages a daemon may have in flight.
const SLOTS: usize = 64;
const STEPS: usize = 3;

/// The long variant is asked for with `scripts/test --long`.
pub(crate) fn is_long() -> bool {
    std::env::var_os("DRUMBEAT_TEST_LONG").is_some()
}

/// Another storm each time, or the one that is asked for.
pub(crate) fn chance() -> Chance {
    let seed = std::env::var("DRUMBEAT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("seed {seed}: DRUMBEAT_SEED={seed} runs the same storm");
    Chance::new(seed)
}

/// `db check` goes through the whole store.
async fn finds_nothing_wrong(mut check: Command) {
    let checked = check.stdout(Stdio::piped()).output().await.unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
}

/// A channel to a mail server, with so many connections at this pace.
fn channel((host, port): (&str, u16), connections: usize, per_second: u32) -> String {
    format!(
        "channel: email
gateway: {{ smtp: {{ host: {host}, port: \"{port}\", security: none }} }}
from: \"Lakeside <hello@lakeside.example>\"
slots: {SLOTS}
connections: {connections}
pace: {per_second} per second
retry: {{ first: 1s, factor: 2, max: 5s, give-up-after: 72h }}
"
    )
}

/// Three messages, so many seconds after each other.
fn flow(seconds: i64) -> String {
    let step = |id: &str, after: &str| {
        format!(
            "  - {{ id: {id}, {after}email: {{ subject: \"{id}\", text: \"Hello {{{{ customer.id }}}}. \
             {{{{ unsubscribe_url }}}} {{{{ organization.postal_address }}}}\" }} }}\n"
        )
    };
    let after = format!("after: {seconds}s, ");
    [
        FLOW,
        &step("one", ""),
        &step("two", &after),
        &step("three", &after),
    ]
    .concat()
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
"#;
