//! Owns what is printed: each figure beside what is wanted of it, and all of them as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::files::{BESIDE, DATES, INSTANTS, PLAIN};
use crate::measures::Measures;

/// One run with what it measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Done {
    pub(crate) scenario: String,
    pub(crate) variant: String,
    pub(crate) customers: u64,
    /// Changes or messages per second.
    pub(crate) rate: u64,
    /// The machine's load average before.
    pub(crate) load: f64,
    pub(crate) measures: Measures,
}

/// A figure: its words, its measure, and the most that it may be.
type Figure = (&'static str, &'static str, Option<f64>);

/// What is asked of growth, for one enrollment.
const COSTS: [Figure; 5] = [
    ("one by one, p50, ms", "single_ms_p50", Some(1.5)),
    ("one by one, p99, ms", "single_ms_p99", None),
    ("one by one, CPU ms", "single_cpu_ms", Some(1.5)),
    ("together, ms each", "together_ms", Some(1.5)),
    ("together, CPU ms each", "together_cpu_ms", None),
];
const LATENCY: [Figure; 15] = [
    ("changes made", "changes", None),
    ("made per second", "arrived_per_s", None),
    ("never seen as enrolled", "unseen", Some(0.0)),
    ("begun late, p99, ms", "late_ms_p99", None),
    ("arrival to commit, p50, ms", "change_ms_p50", None),
    ("arrival to commit, p99, ms", "change_ms_p99", None),
    ("commit to enrollment, p50, ms", "enrolled_ms_p50", None),
    (
        "commit to enrollment, p99, ms",
        "enrolled_ms_p99",
        Some(1000.0),
    ),
    ("commit to enrollment, max, ms", "enrolled_ms_max", None),
    (
        "arrival to enrollment, p99, ms",
        "arrival_to_enrolled_ms_p99",
        Some(1000.0),
    ),
    ("due to hand-over, p50, ms", "handed_over_ms_p50", None),
    (
        "due to hand-over, p99, ms",
        "handed_over_ms_p99",
        Some(1000.0),
    ),
    ("due to hand-over, max, ms", "handed_over_ms_max", None),
    ("CPU, percent of a core", "cpu_percent", None),
    ("memory, MB", "memory", None),
];
const OUTAGE: [Figure; 23] = [
    ("away: tried", "away_tried", None),
    ("away: tried in the first minute", "away_first_minute", None),
    (
        "away: tried in any later minute",
        "away_later_minute",
        Some(10.0),
    ),
    ("back: found after, s", "found_after_s", Some(310.0)),
    ("drained in, s", "drain_s", None),
    (
        "drained in, of messages / pace",
        "drain_over_wanted",
        Some(1.02),
    ),
    (
        "most in a second, of the pace",
        "second_over_pace",
        Some(1.05),
    ),
    (
        "most in a minute, of the pace",
        "minute_over_pace",
        Some(1.02),
    ),
    ("most in a tenth, of the pace", "tenth_over_pace", None),
    ("sent twice", "doubled", Some(0.0)),
    ("tried before, while away", "retried", None),
    ("out of place, p50", "displaced_p50", None),
    ("out of place, max", "displaced_max", None),
    ("out of place beyond two claims", "displaced_far", Some(0.0)),
    ("overtaken by most, s of due time", "overtaken_s", None),
    (
        "claimers apart, most, s of due time",
        "claimers_apart_s",
        None,
    ),
    ("CPU of the drain, percent", "drain_cpu_percent", None),
    ("memory at the start, MB", "memory_start", None),
    ("memory while away, peak, MB", "memory_away_peak", None),
    (
        "memory of the drain, a quarter gone, MB",
        "memory_drain_quarter",
        None,
    ),
    ("memory of the drain, peak, MB", "memory_drain_peak", None),
    (
        "memory, peak by that of a quarter",
        "memory_drain_growth",
        Some(1.25),
    ),
    ("memory at the end, MB", "memory_end", None),
];

const AHEAD: [Figure; 9] = [
    ("waiting for the step", "waiting", None),
    ("plan of a shorter delay, s", "plan_shorter_s", Some(5.0)),
    ("plan of a shorter delay, CPU s", "plan_shorter_cpu_s", None),
    ("plan of a larger segment, s", "plan_larger_s", Some(5.0)),
    ("plan of a larger segment, CPU s", "plan_larger_cpu_s", None),
    ("simulated customer-steps", "simulated_steps", None),
    ("simulated in, s", "simulated_s", None),
    (
        "simulated customer-steps per second",
        "simulated_steps_per_s",
        None,
    ),
    ("memory, peak, MB", "memory_peak", None),
];

pub(crate) fn table(all: &[Done]) -> String {
    let mut text = String::new();
    growth(all, &mut text);
    for done in all {
        let figures: &[Figure] = match done.scenario.as_str() {
            "latency" => &LATENCY,
            "outage" => &OUTAGE,
            "ahead" => &AHEAD,
            _ => continue,
        };
        one(done, figures, &mut text);
    }
    text
}

/// The sizes beside each other, and the largest by the smallest.
fn growth(all: &[Done], text: &mut String) {
    for variant in [PLAIN, BESIDE, INSTANTS, DATES] {
        let sizes: Vec<&Done> = all
            .iter()
            .filter(|done| done.scenario == "growth" && done.variant == variant)
            .collect();
        let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else {
            continue;
        };
        let heads: Vec<String> = sizes
            .iter()
            .map(|done| format!("{:>12}", done.customers))
            .collect();
        let heads = heads.concat();
        let head = format!("growth, {variant}");
        line(text, &format!("\n{head:<40}{heads}{:>8}", "ratio"));
        for (words, name, most) in COSTS {
            let Some(small) = first.measures.get(name) else {
                continue;
            };
            let each = sizes.iter().filter_map(|done| done.measures.get(name));
            let each: Vec<String> = each.map(|value| format!("{value:>12.3}")).collect();
            let each = each.concat();
            let large = last.measures.get(name).copied().unwrap_or_default();
            let ratio = large / small;
            let verdict = verdict(ratio, most);
            line(text, &format!("{words:<40}{each}{ratio:>8.2}  {verdict}"));
        }
    }
}

fn one(done: &Done, figures: &[Figure], text: &mut String) {
    let (scenario, variant, load) = (&done.scenario, &done.variant, done.load);
    let (customers, rate) = (done.customers, done.rate);
    line(
        text,
        &format!(
            "\n{scenario}, {variant}: {customers} customers, {rate} per second, load {load:.1}"
        ),
    );
    for (words, name, most) in figures {
        if let Some(value) = done.measures.get(*name) {
            let verdict = verdict(*value, *most);
            line(text, &format!("{words:<40}{value:>12.2}  {verdict}"));
        }
    }
    if let Some(arrived) = done.measures.get("arrived_per_s") {
        let held = *arrived >= crate::measures::number(done.rate) * 0.98;
        let held = if held { "held" } else { "NOT HELD" };
        line(text, &format!("the rate of arrivals was {held}"));
    }
}

fn verdict(value: f64, most: Option<f64>) -> String {
    match most {
        Some(most) if value <= most => format!("at most {most}: held"),
        Some(most) => format!("at most {most}: MISSED"),
        None => String::new(),
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a text cannot fail.
    let _written = writeln!(text, "{}", line.trim_end());
}
