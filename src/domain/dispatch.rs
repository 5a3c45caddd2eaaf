//! Owns the dispatch: one communication to one customer for one step, its states, and what a gateway's answer makes of it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::enrollment::ExitReason;
use super::gateway::{OnUncertain, RetryPolicy};
use super::retry;

/// Where a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// Declares the reasons once: variant, written name, number in the store (never reused).
macro_rules! reasons {
    ($($variant:ident $name:literal $number:literal;)*) => {
        /// Why a message was not sent, one each, always recorded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($variant,)* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }
        }
    };
}

reasons! {
    UnsubscribedCampaign "unsubscribed_campaign" 1;
    UnsubscribedCategory "unsubscribed_category" 2;
    UnsubscribedGroup "unsubscribed_group" 3;
    UnsubscribedChannel "unsubscribed_channel" 4;
    UnsubscribedEverything "unsubscribed_everything" 5;
    Dismissed "dismissed" 6;
    ChannelOff "channel_off" 7;
    OutboundOff "outbound_off" 8;
    NoConsent "no_consent" 9;
    Suspended "suspended" 10;
    Discarded "discarded" 11;
    Anonymous "anonymous" 12;
    AddressMissing "address_missing" 13;
    AddressInvalid "address_invalid" 14;
    AddressSuppressed "address_suppressed" 15;
    FrequencyCapped "frequency_capped" 16;
    WindowExpired "window_expired" 17;
    Late "late" 18;
    Holdout "holdout" 19;
    NoLongerInSegment "no_longer_in_segment" 20;
    SendConditionFalse "send_condition_false" 21;
    GoalReached "goal_reached" 22;
    TemplateError "template_error" 23;
    TemplateAbort "template_abort" 24;
    Duplicate "duplicate" 25;
    FlowStopped "flow_stopped" 26;
    StepRemoved "step_removed" 27;
    CustomerDeleted "customer_deleted" 28;
    AwaitingApproval "awaiting_approval" 29;
    ExitCondition "exit_condition" 30;
    CampaignInactive "campaign_inactive" 31;
}

impl Reason {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.number() == number)
    }
}

impl From<ExitReason> for Reason {
    /// Why a message is withheld when its enrollment has ended.
    fn from(exit: ExitReason) -> Self {
        match exit {
            ExitReason::LeftSegment => Self::NoLongerInSegment,
            ExitReason::ExitCondition | ExitReason::Skipped => Self::ExitCondition,
            ExitReason::Goal => Self::GoalReached,
            ExitReason::Dismissed => Self::Dismissed,
            ExitReason::CustomerDeleted => Self::CustomerDeleted,
            ExitReason::Suspended => Self::Suspended,
            ExitReason::Discarded => Self::Discarded,
            ExitReason::FlowStopped | ExitReason::RemovedByPerson => Self::FlowStopped,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    /// The content or a policy: the address stays good.
    Message,
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
            ..Settlement::last(DispatchState::Refused, detail)
        },
        Outcome::Uncertain { detail } if facts.on_uncertain == OnUncertain::Hold => {
            Settlement::last(DispatchState::Uncertain, detail)
        }
        Outcome::Uncertain { detail } => defer(facts, detail, None, now, chance),
        Outcome::Deferred {
            detail,
            retry_after,
            cause: _,
        } => defer(facts, detail, retry_after, now, chance),
    }
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
