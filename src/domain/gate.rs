//! Owns the one gate that every message passes: facts in, one verdict out, in a fixed order.

use jiff::{SignedDuration, Timestamp};

use super::channel::Channel;
use super::customer::{Status, Switches};
use super::dispatch::Reason;
use super::enrollment::{ExitReason, HeldBecause};
use super::subscription::{Belonging, Consent, ConsentRule, Subscription, UnsubscribedFrom};
use super::timing::Meant;

/// Everything the gate asks about one message to one customer, read in one batch.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one question of the gate"
)]
pub struct Facts<'a> {
    pub now: Timestamp,
    /// When the step was first allowed to happen: its planned time, moved to where windows open.
    pub allowed_from: Timestamp,
    pub max_lateness: SignedDuration,
    /// A retry of a message that was on time is not late.
    pub is_retry: bool,
    /// Withheld as `late` if planned before this: a pause that ended with `skip-late`.
    pub skip_planned_before: Option<Timestamp>,
    pub flow: FlowGate,
    pub channel: Channel,
    /// None: the customer was deleted.
    pub status: Option<Status>,
    pub identified: bool,
    pub switches: Switches,
    /// The flow's place and, for a reused communication, its campaign's.
    pub belongs: &'a [Belonging],
    pub subscriptions: &'a [Subscription],
    pub dismissed: bool,
    /// A service message: no marketing consent, unsubscription or cap is asked.
    pub is_service: bool,
    pub consent: Consent,
    pub consent_rule: ConsentRule,
    /// Why the run ends, if it does: its goal, its exit condition, or its segment.
    pub ends: Option<ExitReason>,
    pub send_condition_met: bool,
    /// Why the date that the step is timed by cannot be met: the customer has none, or it is over.
    pub dateless: Option<Reason>,
    /// In the flow's holdout or in the control group.
    pub held_out: bool,
    /// Whether the reused communication's campaign is within its `active` days.
    pub campaign_active: bool,
    pub address: Address,
    pub cap: CapState,
    /// When quiet hours and windows next allow a message; `now` or earlier: they allow it. None: never.
    pub opens_at: Option<Timestamp>,
    /// Which of them closes it, for the record.
    pub closed_by: HeldBecause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowGate {
    Running,
    Paused,
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    Good,
    Missing,
    Invalid,
    Suppressed,
}

/// Whether a frequency cap stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapState {
    Free,
    Reached,
    /// Reached, and the policy holds the message: look again then.
    RetryAt(Timestamp),
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Send,
    Hold {
        until: Timestamp,
        because: HeldBecause,
    },
    /// Not sent; the customer advances (or exits, with `on-skip: exit`).
    Withhold(Reason),
    /// Not sent, and the enrollment ends.
    Exit(Reason, ExitReason),
}

/// Why a step whose date cannot be met sends nothing.
pub fn dateless(meant: Meant) -> Option<Reason> {
    match meant {
        Meant::At(_) => None,
        Meant::Dateless => Some(Reason::DateMissing),
        Meant::Over => Some(Reason::Late),
    }
}

/// A paused flow's message is looked at again after this.
const PAUSE_RECHECK: SignedDuration = SignedDuration::from_mins(1);

/// Asks, in order: customer, switches, unsubscriptions, dismissal, consent, holdout, exit and segment,
/// send condition and date, address, cap, quiet hours and window, lateness.
pub fn decide(facts: &Facts<'_>) -> Verdict {
    flow(facts)
        .or_else(|| customer(facts))
        .or_else(|| switches(facts))
        .or_else(|| unsubscribed(facts))
        .or_else(|| permission(facts))
        .or_else(|| conditions(facts))
        .or_else(|| address(facts))
        .or_else(|| cap(facts))
        .or_else(|| opening(facts))
        .or_else(|| lateness(facts))
        .unwrap_or(Verdict::Send)
}

fn flow(facts: &Facts<'_>) -> Option<Verdict> {
    match facts.flow {
        FlowGate::Running => None,
        FlowGate::Paused => Some(Verdict::Hold {
            until: facts.now + PAUSE_RECHECK,
            because: HeldBecause::Paused,
        }),
        FlowGate::Stopped => Some(Verdict::Exit(Reason::FlowStopped, ExitReason::FlowStopped)),
    }
}

fn customer(facts: &Facts<'_>) -> Option<Verdict> {
    match facts.status {
        None => Some(Verdict::Exit(
            Reason::CustomerDeleted,
            ExitReason::CustomerDeleted,
        )),
        Some(Status::Suspended) => Some(Verdict::Exit(Reason::Suspended, ExitReason::Suspended)),
        Some(Status::Discarded) => Some(Verdict::Exit(Reason::Discarded, ExitReason::Discarded)),
        Some(Status::Active) if !facts.identified => Some(Verdict::Withhold(Reason::Anonymous)),
        Some(Status::Active) => None,
    }
}

fn switches(facts: &Facts<'_>) -> Option<Verdict> {
    if !facts.switches.outbound {
        Some(Verdict::Withhold(Reason::OutboundOff))
    } else if !facts.switches.channel(facts.channel) {
        Some(Verdict::Withhold(Reason::ChannelOff))
    } else {
        None
    }
}

fn unsubscribed(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.is_service {
        return None;
    }
    let blocks = |record: &&Subscription| facts.belongs.iter().any(|place| record.blocks(place));
    let records = facts.subscriptions.iter().filter(blocks);
    let narrowest = records.map(|record| record.scope.reason()).min()?;
    Some(Verdict::Withhold(match narrowest {
        UnsubscribedFrom::Campaign => Reason::UnsubscribedCampaign,
        UnsubscribedFrom::Category => Reason::UnsubscribedCategory,
        UnsubscribedFrom::Group => Reason::UnsubscribedGroup,
        UnsubscribedFrom::Channel => Reason::UnsubscribedChannel,
        UnsubscribedFrom::Everything => Reason::UnsubscribedEverything,
    }))
}

fn permission(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.dismissed {
        return Some(Verdict::Exit(Reason::Dismissed, ExitReason::Dismissed));
    }
    let allowed = facts.is_service || facts.consent.allows(facts.consent_rule);
    if !allowed {
        return Some(Verdict::Withhold(Reason::NoConsent));
    }
    facts.held_out.then_some(Verdict::Withhold(Reason::Holdout))
}

fn conditions(facts: &Facts<'_>) -> Option<Verdict> {
    if let Some(ends) = facts.ends {
        Some(Verdict::Exit(ends.into(), ends))
    } else if !facts.campaign_active {
        Some(Verdict::Withhold(Reason::CampaignInactive))
    } else if !facts.send_condition_met {
        Some(Verdict::Withhold(Reason::SendConditionFalse))
    } else {
        facts.dateless.map(Verdict::Withhold)
    }
}

fn address(facts: &Facts<'_>) -> Option<Verdict> {
    match facts.address {
        Address::Good => None,
        Address::Missing => Some(Verdict::Withhold(Reason::AddressMissing)),
        Address::Invalid => Some(Verdict::Withhold(Reason::AddressInvalid)),
        Address::Suppressed => Some(Verdict::Withhold(Reason::AddressSuppressed)),
    }
}

fn cap(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.is_service || facts.is_retry {
        return None;
    }
    match facts.cap {
        CapState::Free => None,
        CapState::Reached => Some(Verdict::Withhold(Reason::FrequencyCapped)),
        CapState::RetryAt(until) => Some(Verdict::Hold {
            until,
            because: HeldBecause::Cap,
        }),
    }
}

fn opening(facts: &Facts<'_>) -> Option<Verdict> {
    match facts.opens_at {
        None => Some(Verdict::Withhold(Reason::WindowExpired)),
        Some(until) if until > facts.now => Some(Verdict::Hold {
            until,
            because: facts.closed_by,
        }),
        Some(_) => None,
    }
}

fn lateness(facts: &Facts<'_>) -> Option<Verdict> {
    let skipped = facts
        .skip_planned_before
        .is_some_and(|limit| facts.allowed_from < limit);
    let late = facts.now.duration_since(facts.allowed_from) > facts.max_lateness;
    (!facts.is_retry && (late || skipped)).then_some(Verdict::Withhold(Reason::Late))
}
