//! Owns approval: a revision that would newly let in many customers waits until somebody agrees.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::Actor;
use super::ids::RevisionNo;

/// How many customers a revision may newly let into flows before somebody must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ApprovalRule {
    pub above: u64,
}

impl ApprovalRule {
    /// The stricter of what was in force and what would be: no change can take its own leave.
    pub fn between(was: Option<Self>, is: Option<Self>) -> Option<Self> {
        was.into_iter().chain(is).min()
    }

    /// Who would newly enter, by flow, if there are more of them than may.
    pub fn exceeded(self, enters: BTreeMap<String, u64>) -> Option<Reach> {
        let above = self.above;
        let reach = Reach { enters, above };
        (reach.customers() > above).then_some(reach)
    }
}

/// Whom a revision would newly let in, when they are more than may without being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// By flow.
    pub enters: BTreeMap<String, u64>,
    pub above: u64,
}

impl Reach {
    /// Who would enter two flows counts twice.
    pub fn customers(&self) -> u64 {
        self.enters.values().sum()
    }
}

/// A revision that is not in force until somebody agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaiting {
    /// The number that it will have.
    pub revision: RevisionNo,
    /// Of its files.
    pub hash: String,
    /// How many changes of definitions in the store it was checked with.
    pub definitions: i64,
    pub commit: Option<String>,
    pub since: Timestamp,
    pub reach: Reach,
    pub approved: Option<Approved>,
}

impl Awaiting {
    pub fn is_of(&self, hash: &str, definitions: i64) -> bool {
        self.hash == hash && self.definitions == definitions
    }
}

/// Who agreed, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub by: Actor,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_rule_counts() {
        for (was, is, expected) in [
            (None, None, None),
            (Some(10), None, Some(10)),
            (None, Some(20), Some(20)),
            (Some(10), Some(20), Some(10)),
            (Some(20), Some(10), Some(10)),
        ] {
            let rule = |above: Option<u64>| above.map(|above| ApprovalRule { above });
            assert_eq!(ApprovalRule::between(rule(was), rule(is)), rule(expected));
        }
    }

    #[test]
    fn as_many_as_the_rule_names_may_enter() {
        let rule = ApprovalRule { above: 10 };
        let enters = |a, b| BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        assert_eq!(rule.exceeded(enters(4, 6)), None);
        let reach = rule.exceeded(enters(5, 6)).unwrap();
        assert_eq!((reach.customers(), reach.above), (11, 10));
    }
}
