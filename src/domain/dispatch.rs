//! Owns the dispatch: one communication to one customer for one step, its states, and what a gateway's answer makes of it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gateway::{OnUncertain, RetryPolicy};
pub use super::reason::Reason;
use super::retry;

/// Where a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DispatchState {
    /// A slot has it; nobody knows more yet.
    Claimed,
    /// The gateway took it.
    Accepted,
    /// A receipt says it arrived.
    Delivered,
    /// To be tried again.
    Deferred,
    /// The gate or the template said no.
    Withheld,
    /// The gateway said no for good.
    Refused,
    /// Taken, and came back.
    Bounced,
    /// Tried until there was no time left.
    Expired,
    /// Handed over, and no answer is known.
    Uncertain,
}

impl DispatchState {
    pub const ALL: [Self; 9] = [
        Self::Claimed,
        Self::Accepted,
        Self::Delivered,
        Self::Deferred,
        Self::Withheld,
        Self::Refused,
        Self::Bounced,
        Self::Expired,
        Self::Uncertain,
    ];

    /// Whether no other try follows.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Claimed | Self::Deferred)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Withheld => "withheld",
            Self::Refused => "refused",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Uncertain => "uncertain",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Claimed => 0,
            Self::Accepted => 1,
            Self::Delivered => 2,
            Self::Deferred => 3,
            Self::Withheld => 4,
            Self::Refused => 5,
            Self::Bounced => 6,
            Self::Expired => 7,
            Self::Uncertain => 8,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }
}

/// What a channel says of one attempt. `detail` is the gateway's own words, shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Accepted {
        /// The gateway's own id, when it gives one.
        gateway_id: Option<String>,
        detail: String,
    },
    /// Certainly not taken, and worth another try.
    Deferred {
        detail: String,
        retry_after: Option<Duration>,
        cause: DeferCause,
    },
    /// Certainly not taken, and never will be.
    Refused { detail: String, fault: Fault },
    /// The last byte may have been handed over, and no definite answer came.
    Uncertain { detail: String },
}

/// Whose doing a deferral is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeferCause {
    /// This message or its recipient: counts as a try.
    Message,
    /// The gateway asks us to slow down: does not use up the message's tries.
    Throttled,
    /// The gateway cannot be reached or does not let us in: feeds the breaker, does not use up tries.
    Gateway,
}

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The address is dead: it is suppressed.
    Address,
    /// The device is gone, and is removed: its address is none of a person's.
    Device,
    /// The content: the address stays good.
    Message,
    /// A policy of the recipient's side against the sender, not this message: the address stays good, and
    /// the channel is paused.
    Policy,
}

/// What settling makes of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub state: DispatchState,
    pub detail: String,
    pub gateway_id: Option<String>,
    /// For `Deferred`: when it is tried again.
    pub retry_at: Option<Timestamp>,
    /// Whether the step is finished, so that the customer moves on.
    pub advances: bool,
    /// Whether the address is to be suppressed.
    pub suppresses_address: bool,
    /// Whether the channel is to be paused.
    pub pauses_channel: bool,
}

impl Settlement {
    fn last(state: DispatchState, detail: String) -> Self {
        Self {
            state,
            detail,
            gateway_id: None,
            retry_at: None,
            advances: true,
            suppresses_address: false,
            pauses_channel: false,
        }
    }
}

/// What is known of a claim when its outcome arrives.
#[derive(Debug, Clone, Copy)]
pub struct ClaimFacts {
    /// Counted from 1.
    pub attempt: u32,
    pub first_tried_at: Timestamp,
    pub policy: RetryPolicy,
    pub on_uncertain: OnUncertain,
}

/// Turns a gateway's answer into the dispatch's next state. `chance` in 0..1 spreads retries.
pub fn settle(facts: &ClaimFacts, outcome: Outcome, now: Timestamp, chance: f64) -> Settlement {
    match outcome {
        Outcome::Accepted { gateway_id, detail } => Settlement {
            gateway_id,
            ..Settlement::last(DispatchState::Accepted, detail)
        },
        Outcome::Refused { detail, fault } => Settlement {
            suppresses_address: fault == Fault::Address,
            pauses_channel: fault == Fault::Policy,
            ..Settlement::last(DispatchState::Refused, detail)
        },
        Outcome::Uncertain { detail } if facts.on_uncertain == OnUncertain::Hold => {
            Settlement::last(DispatchState::Uncertain, detail)
        }
        Outcome::Uncertain { detail } => resend(facts, detail, now, chance),
        Outcome::Deferred {
            detail,
            retry_after,
            cause,
        } => defer(&patient(facts, cause), detail, retry_after, now, chance),
    }
}

/// A gateway that is away or busy says nothing about the message: the wait stays short.
fn patient(facts: &ClaimFacts, cause: DeferCause) -> ClaimFacts {
    let attempt = match cause {
        DeferCause::Message => facts.attempt,
        DeferCause::Throttled | DeferCause::Gateway => facts.attempt.min(2),
    };
    ClaimFacts { attempt, ..*facts }
}

/// Without time for another try it stays unknown whether the gateway took it.
fn resend(facts: &ClaimFacts, detail: String, now: Timestamp, chance: f64) -> Settlement {
    let mut settlement = defer(facts, detail, None, now, chance);
    if settlement.state == DispatchState::Expired {
        settlement.state = DispatchState::Uncertain;
    }
    settlement
}

fn defer(
    facts: &ClaimFacts,
    detail: String,
    retry_after: Option<Duration>,
    now: Timestamp,
    chance: f64,
) -> Settlement {
    let retry_at = retry::next(&facts.policy, facts.attempt, retry_after, now, chance);
    if retry::gives_up(&facts.policy, facts.first_tried_at, retry_at) {
        return Settlement::last(DispatchState::Expired, detail);
    }
    Settlement {
        retry_at: Some(retry_at),
        advances: false,
        ..Settlement::last(DispatchState::Deferred, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::HashSet;

    const FIRST: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn settled(outcome: Outcome, hours: i64, on_uncertain: OnUncertain) -> Settlement {
        let facts = ClaimFacts {
            attempt: 2,
            first_tried_at: FIRST,
            policy: RetryPolicy::default(),
            on_uncertain,
        };
        settle(&facts, outcome, after(hours * 3600), 1.0)
    }

    fn after(seconds: i64) -> Timestamp {
        FIRST + jiff::SignedDuration::from_secs(seconds)
    }

    fn deferred(retry_after: Option<u64>, cause: DeferCause) -> Outcome {
        Outcome::Deferred {
            detail: "451 busy".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
            cause,
        }
    }

    fn uncertain() -> Outcome {
        Outcome::Uncertain {
            detail: "no answer".to_owned(),
        }
    }

    fn refused(fault: Fault) -> Outcome {
        Outcome::Refused {
            detail: "550 no".to_owned(),
            fault,
        }
    }

    #[test]
    fn an_accepted_message_moves_the_customer_on_and_keeps_the_gateways_id() {
        let outcome = Outcome::Accepted {
            gateway_id: Some("q1".to_owned()),
            detail: "250 ok".to_owned(),
        };
        let expected = Settlement {
            state: DispatchState::Accepted,
            detail: "250 ok".to_owned(),
            gateway_id: Some("q1".to_owned()),
            retry_at: None,
            advances: true,
            suppresses_address: false,
            pauses_channel: false,
        };
        assert_eq!(settled(outcome, 0, OnUncertain::Hold), expected);
    }

    #[rstest]
    #[case(refused(Fault::Message), 0, OnUncertain::Hold, DispatchState::Refused)]
    #[case(refused(Fault::Address), 0, OnUncertain::Hold, DispatchState::Refused)]
    #[case(refused(Fault::Policy), 0, OnUncertain::Hold, DispatchState::Refused)]
    #[case(uncertain(), 0, OnUncertain::Hold, DispatchState::Uncertain)]
    #[case(uncertain(), 73, OnUncertain::Resend, DispatchState::Uncertain)]
    #[case(
        deferred(None, DeferCause::Message),
        72,
        OnUncertain::Hold,
        DispatchState::Expired
    )]
    fn a_last_word_moves_the_customer_on(
        #[case] outcome: Outcome,
        #[case] hours: i64,
        #[case] on_uncertain: OnUncertain,
        #[case] state: DispatchState,
    ) {
        let settlement = settled(outcome, hours, on_uncertain);
        assert_eq!(settlement.state, state);
        assert_eq!((settlement.advances, settlement.retry_at), (true, None));
    }

    #[rstest]
    #[case(deferred(None, DeferCause::Message), 60)]
    #[case(deferred(None, DeferCause::Gateway), 60)]
    #[case(deferred(Some(600), DeferCause::Throttled), 610)]
    #[case(uncertain(), 60)]
    fn what_may_yet_be_taken_waits_for_another_try(#[case] outcome: Outcome, #[case] wait: i64) {
        let settlement = settled(outcome, 0, OnUncertain::Resend);
        assert_eq!(settlement.state, DispatchState::Deferred);
        assert_eq!(settlement.retry_at, Some(after(wait)));
        assert!(!settlement.advances && !settlement.suppresses_address);
    }

    #[test]
    fn only_a_dead_address_is_suppressed() {
        assert!(settled(refused(Fault::Address), 0, OnUncertain::Hold).suppresses_address);
        assert!(!settled(refused(Fault::Message), 0, OnUncertain::Hold).suppresses_address);
        assert!(!settled(refused(Fault::Policy), 0, OnUncertain::Hold).suppresses_address);
        assert!(!settled(uncertain(), 0, OnUncertain::Hold).suppresses_address);
    }

    #[test]
    fn only_a_policy_pauses_the_channel() {
        for (fault, pauses) in [
            (Fault::Policy, true),
            (Fault::Address, false),
            (Fault::Message, false),
        ] {
            let settlement = settled(refused(fault), 0, OnUncertain::Hold);
            assert_eq!(settlement.pauses_channel, pauses, "{fault:?}");
        }
    }

    #[test]
    fn reasons_and_states_have_numbers_of_their_own_and_read_back() {
        let numbers: HashSet<i64> = Reason::ALL.iter().map(|reason| reason.number()).collect();
        assert_eq!(numbers.len(), Reason::ALL.len());
        for reason in Reason::ALL.iter().copied() {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
        }
        for state in DispatchState::ALL {
            assert_eq!(DispatchState::parse(state.as_str()), Some(state));
            assert_eq!(DispatchState::from_number(state.number()), Some(state));
        }
    }
}
