//! Owns the choice of a channel where a step names several: the first that may be used.

use super::catalog::{ActionPlan, StepPlan};
use crate::domain::dispatch::Reason;
use crate::domain::gate::Verdict;

/// The first action whose channel is not barred for the customer; the first of all when every one is,
/// or when nothing can be asked.
pub(super) fn choose<'a>(
    step: &'a StepPlan,
    verdict: impl Fn(&'a ActionPlan) -> Option<Verdict>,
) -> Option<&'a ActionPlan> {
    let mut actions = step.actions.iter();
    let open = actions.find(|action| verdict(action).is_some_and(|verdict| !bars(verdict)));
    open.or_else(|| step.actions.first())
}

/// Whether it is the channel alone that stands in the way: its switch, a subscription, consent, or the
/// address. What holds a message, such as quiet hours, never chooses another.
fn bars(verdict: Verdict) -> bool {
    let Verdict::Withhold(reason) = verdict else {
        return false;
    };
    matches!(
        reason,
        Reason::ChannelOff
            | Reason::UnsubscribedCampaign
            | Reason::UnsubscribedCategory
            | Reason::UnsubscribedGroup
            | Reason::UnsubscribedChannel
            | Reason::NoConsent
            | Reason::AddressMissing
            | Reason::AddressInvalid
            | Reason::AddressSuppressed
    )
}
