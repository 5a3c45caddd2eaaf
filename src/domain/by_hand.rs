//! Owns what is sent to one customer at once: each communication of a campaign, because a person says so, and each
//! answer to a reply; as flows of a single step, which nobody enters by qualifying.

use std::collections::BTreeMap;

use super::campaign::{Active, Campaign};
use super::channel::Channel;
use super::communication::{Communication, Content, SmsContent};
use super::duration::Delay;
use super::flow::{
    Action, Entry, Exit, Flow, FlowStatus, OnEdit, OnResume, OnSkip, OnStop, Reuse, Step,
};
use super::gateway::ChannelConfig;
use super::reply_word::ReplyWord;
use super::revision::Revision;
use super::subscription::LinkScope;
use super::timing::When;

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

/// The id of the flow by which a channel answers a reply.
pub fn answer_id(channel: Channel, word: ReplyWord) -> String {
    flow_id(&answering(channel), word.as_str())
}

/// No identifier of a campaign holds the colon.
fn answering(channel: Channel) -> String {
    format!("reply:{channel}")
}

/// Whether a flow answers a reply: what was asked for is sent to those, too, who want nothing else.
pub fn is_answer(flow: &str) -> bool {
    flow.starts_with("reply:")
}

/// One for each communication of each campaign, and for each answer of each channel.
pub fn flows(revision: &Revision) -> impl Iterator<Item = Flow> {
    let campaigns = revision.campaigns.values();
    let of_campaigns = campaigns.flat_map(|campaign| {
        let communications = campaign.communications.iter();
        communications.map(|(name, content)| flow(campaign, name, content))
    });
    of_campaigns.chain(revision.channels.values().flat_map(answers))
}

fn answers(config: &ChannelConfig) -> impl Iterator<Item = Flow> {
    let channel = config.channel;
    let answers = config.replies.answers.iter();
    answers.map(move |(word, text)| {
        let campaign = Campaign {
            id: answering(channel),
            name: "Replies".to_owned(),
            category: None,
            group: None,
            segment: None,
            active: Active::default(),
            unsubscribe: LinkScope::default(),
            dismissable: false,
            communications: BTreeMap::new(),
        };
        let content = Content::Sms(SmsContent { text: text.clone() });
        let mut flow = flow(&campaign, word.as_str(), &content.into());
        for action in flow
            .steps
            .iter_mut()
            .flat_map(|step| step.actions.iter_mut())
        {
            action.reuses = None;
        }
        flow
    })
}

fn flow(campaign: &Campaign, communication: &str, content: &Communication) -> Flow {
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
        goal: None,
        window: None,
        on_edit: OnEdit::default(),
        on_resume: OnResume::default(),
        stop: OnStop::default(),
        max_lateness: Delay::hours(72),
        unsubscribe: campaign.unsubscribe,
        dismissable: campaign.dismissable,
        moved_to: BTreeMap::new(),
        steps: vec![Step {
            id: STEP.to_owned(),
            when: When::default(),
            at: None,
            condition: None,
            window: None,
            on_skip: OnSkip::Advance,
            actions: vec![Action {
                reuses: Some(Reuse {
                    campaign: campaign.id.clone(),
                    communication: communication.to_owned(),
                }),
                content: content.clone(),
            }],
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
