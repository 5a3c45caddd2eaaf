//! Owns figures: what a phase measured, by name, and the shape of many waits.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a phase measured, by name.
pub(crate) type Measures = BTreeMap<String, f64>;

pub(crate) fn add(measures: &mut Measures, name: &str, value: f64) {
    measures.insert(name.to_owned(), value);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^52"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// Adds `NAME_p50`, `NAME_p99` and `NAME_max`.
pub(crate) fn spread(measures: &mut Measures, name: &str, mut waits: Vec<f64>) {
    waits.sort_by(f64::total_cmp);
    let Some(last) = waits.last() else { return };
    add(measures, &format!("{name}_p50"), waits[waits.len() / 2]);
    add(
        measures,
        &format!("{name}_p99"),
        waits[waits.len() * 99 / 100],
    );
    add(measures, &format!("{name}_max"), *last);
}

pub(crate) fn milliseconds(wait: Duration) -> f64 {
    wait.as_secs_f64() * 1000.0
}
