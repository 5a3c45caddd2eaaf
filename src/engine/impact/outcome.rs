//! Owns what is said of flows and segments that a revision changes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::channel::Channel;

/// A flow that differs, or whose segment does.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct FlowImpact {
    pub flow: String,
    /// Who is in it now, or waits to be let in.
    pub live: u64,
    /// Who would enter it, soon or as its limit allows.
    pub enters: u64,
    /// Who may enter it, where who does cannot be counted.
    pub may_enter: u64,
    /// Its file would be gone: those in it stay where they are, paused.
    pub stranded: u64,
    /// Who would leave before the last step, by reason.
    pub exits: BTreeMap<&'static str, u64>,
    /// Who waits at a step that would be gone.
    pub moves: Vec<Moved>,
    pub sooner: u64,
    pub later: u64,
    /// When those who are timed anew were due, and when they would be.
    pub spread: Vec<Spread>,
    pub at_once: AtOnce,
    /// Who is past a step that they have not had, by step.
    pub never: BTreeMap<String, u64>,
    /// Who was sent this already, under the name of a step that would be gone; by step.
    pub twice: BTreeMap<String, u64>,
    /// What could not be counted, and why.
    pub notes: Vec<String>,
}

/// A segment that differs, of those that flows use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentImpact {
    pub segment: String,
    pub enter: u64,
    pub leave: u64,
}

/// People who wait at a step that would be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub from: String,
    /// None: to the end.
    pub to: Option<String>,
    pub people: u64,
}

/// How many are due so many days from now; days that are over count as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub day: i64,
    pub before: u64,
    pub after: u64,
}

/// What becomes of those who would be due at once and were not due yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AtOnce {
    pub people: u64,
    pub sent: BTreeMap<Channel, u64>,
    pub withheld: BTreeMap<&'static str, u64>,
    /// Quiet hours, a window or a cap holds them for now.
    pub held: u64,
    /// They leave a waiting place.
    pub go_on: u64,
}

/// Adds to one of several counts.
pub(super) fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    if count > 0 {
        *counts.entry(key).or_default() += count;
    }
}
