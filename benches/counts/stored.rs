//! Owns the stored counts: what each operation took when somebody last accepted it, and the comparison.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::operations::{OPERATIONS, Operation};

/// Instructions by operation, for one of what it is about.
pub(crate) type Counts = BTreeMap<String, u64>;

/// From the root of the repository, where Cargo starts benchmarks.
const FILE: &str = "benches/counts/stored.json";
/// More than this many percent beyond the stored count fails.
const TOLERATED: f64 = 10.0;
const ACCEPT: &str = "if that is meant: `scripts/counts --accept`, and commit it with the reason";

/// What a comparison comes to.
pub(crate) struct Compared {
    pub(crate) table: String,
    /// The table, and what is to be done.
    pub(crate) text: String,
    pub(crate) holds: bool,
}

pub(crate) fn read() -> Result<Counts> {
    let text = std::fs::read_to_string(FILE).with_context(|| format!("cannot read `{FILE}`"))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read `{FILE}`"))
}

pub(crate) fn write(counts: &Counts) -> Result<()> {
    let text = serde_json::to_string_pretty(counts)? + "\n";
    std::fs::write(FILE, text).with_context(|| format!("cannot write `{FILE}`"))
}

pub(crate) fn compare(stored: &Counts, now: &Counts) -> Compared {
    let head = format!(
        "{:<24}{:>12}{:>12}{:>10}",
        "instructions", "stored", "now", "change"
    );
    let (mut lines, mut remarks, mut holds) = (vec![head], Vec::new(), true);
    for Operation { name, each, .. } in &OPERATIONS {
        let counted = now.get(*name).copied().unwrap_or_default();
        let known = stored.get(*name).copied().unwrap_or_default();
        let change = percent(known, counted);
        let label = format!("{name}, each {each}");
        lines.push(format!(
            "{label:<24}{known:>12}{counted:>12}{change:>+8.1} %"
        ));
        if change > TOLERATED {
            remarks.push(format!(
                "{name}: more than {TOLERATED} % above what is stored"
            ));
            holds = false;
        } else if change < -TOLERATED {
            remarks.push(format!(
                "{name}: more than {TOLERATED} % below: store that, so that it stays so"
            ));
        }
    }
    let table = lines.join("\n") + "\n";
    if !remarks.is_empty() {
        remarks.push(ACCEPT.to_owned());
    }
    let remarks: String = remarks.into_iter().map(|line| line + "\n").collect();
    Compared {
        text: format!("{table}{remarks}"),
        table,
        holds,
    }
}

/// By how much a count has grown; endlessly, where nothing is stored.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn percent(stored: u64, now: u64) -> f64 {
    (now as f64 / stored as f64 - 1.0) * 100.0
}
