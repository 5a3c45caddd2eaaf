//! Owns when refusals that may mean one recipient, or all of our mail, are taken to mean all of it.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::dispatch::{Fault, Outcome};

/// So many in a row: few enough that a block costs little, and more than the neighbours of one server
/// that a queue sorted by domain may bring together.
const ENOUGH: u32 = 10;

/// How many mails in a row were turned away so that it may have been for the sender.
#[derive(Debug, Default)]
pub(super) struct Doubts(AtomicU32);

impl Doubts {
    /// The outcome, or, when nothing has been accepted since the first of too many, a policy against us.
    pub(super) fn weigh(&self, outcome: Outcome, is_doubtful: bool) -> Outcome {
        match outcome {
            Outcome::Accepted { .. } => {
                self.0.store(0, Ordering::Relaxed);
                outcome
            }
            Outcome::Refused { detail, .. } if is_doubtful && self.add() >= ENOUGH => {
                Outcome::Refused {
                    detail,
                    fault: Fault::Policy,
                }
            }
            other => other,
        }
    }

    fn add(&self) -> u32 {
        let more = |count: u32| Some(count.saturating_add(1));
        let before = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        before.unwrap_or_default().saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Outcome {
        Outcome::Refused {
            detail: "no".to_owned(),
            fault: Fault::Message,
        }
    }

    fn is_policy(outcome: &Outcome) -> bool {
        matches!(
            outcome,
            Outcome::Refused {
                fault: Fault::Policy,
                ..
            }
        )
    }

    #[test]
    fn the_tenth_in_a_row_is_against_us_and_one_that_is_taken_begins_anew() {
        let doubts = Doubts::default();
        let accepted = Outcome::Accepted {
            gateway_id: None,
            detail: String::new(),
        };
        for _ in 0..2 {
            for _ in 0..9 {
                assert!(!is_policy(&doubts.weigh(refused(), true)));
                assert!(!is_policy(&doubts.weigh(refused(), false)));
            }
            doubts.weigh(accepted.clone(), false);
        }
        let found: Vec<bool> = (0..11)
            .map(|_| is_policy(&doubts.weigh(refused(), true)))
            .collect();
        assert_eq!(found.iter().position(|found| *found), Some(9));
        assert!(found[10]);
    }
}
