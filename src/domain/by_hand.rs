//! Owns what a person may send to one customer at once: each communication of a campaign as a flow of a
//! single step, which nobody enters but by hand.

use super::campaign::Campaign;
use super::communication::Content;
use super::duration::Delay;
use super::flow::{Action, Entry, Exit, Flow, FlowStatus, OnEdit, OnResume, OnSkip, Reuse, Step};
use super::revision::Revision;

/// The only step of each of them.
pub const STEP: &str = "message";
/// No id of a flow holds it.
const BETWEEN: char = '/';

/// The id of the flow by which a communication is sent by hand: as flows write a reused one.
pub fn flow_id(campaign: &str, communication: &str) -> String {
    format!("{campaign}{BETWEEN}{communication}")
}

/// The campaign and communication of such a flow; none for the id of any other.
pub fn reuse(flow: &str) -> Option<Reuse> {
    let (campaign, communication) = flow.split_once(BETWEEN)?;
    Some(Reuse {
        campaign: campaign.to_owned(),
        communication: communication.to_owned(),
    })
}

/// The ids of all of them.
pub fn ids(revision: &Revision) -> impl Iterator<Item = String> {
    revision.campaigns.values().flat_map(ids_of)
}

/// The ids of those of one campaign.
pub fn ids_of(campaign: &Campaign) -> impl Iterator<Item = String> {
    let communications = campaign.communications.keys();
    communications.map(|communication| flow_id(&campaign.id, communication))
}

/// One for each communication of each campaign.
pub fn flows(revision: &Revision) -> impl Iterator<Item = Flow> {
    let campaigns = revision.campaigns.values();
    campaigns.flat_map(|campaign| {
        let communications = campaign.communications.iter();
        communications.map(|(name, content)| flow(campaign, name, content))
    })
}

fn flow(campaign: &Campaign, communication: &str, content: &Content) -> Flow {
    let id = flow_id(&campaign.id, communication);
    Flow {
        name: id.clone(),
        id,
        category: campaign.category.clone(),
        group: campaign.group.clone(),
        status: FlowStatus::Active,
        segment: String::new(),
        entry: Entry::default(),
        exit: Exit::default(),
        window: None,
        on_edit: OnEdit::default(),
        on_resume: OnResume::default(),
        max_lateness: Delay::hours(72),
        unsubscribe: campaign.unsubscribe,
        dismissable: campaign.dismissable,
        steps: vec![Step {
            id: STEP.to_owned(),
            after: Delay::default(),
            at: None,
            condition: None,
            window: None,
            on_skip: OnSkip::Advance,
            action: Some(Action {
                reuses: Some(Reuse {
                    campaign: campaign.id.clone(),
                    communication: communication.to_owned(),
                }),
                content: content.clone(),
            }),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_of_a_communication_tells_what_it_sends() {
        let sends = reuse(&flow_id("gold-card", "offer")).unwrap();
        assert_eq!(
            (&*sends.campaign, &*sends.communication),
            ("gold-card", "offer")
        );
        assert_eq!(reuse("new-member-onboarding"), None);
    }
}
