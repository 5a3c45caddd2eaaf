//! Owns what was sent to a customer, each message with the last thing that became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::profiles::id_of;
use crate::domain::channel::Channel;
use crate::domain::interaction::Kind;
use crate::domain::revision::Revision;
use crate::store::{HistoryFilter, HistoryLine, Store};

/// What customers do with a message.
const REACTIONS: [Kind; 5] = [
    Kind::EmailOpened,
    Kind::EmailClicked,
    Kind::SmsClicked,
    Kind::PushOpened,
    Kind::PushDismissed,
];

/// A message that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageFacts {
    pub at: Timestamp,
    pub channel: Channel,
    /// The campaign whose communication it is, where it was reused.
    pub campaign: Option<String>,
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    #[schema(example = "welcome")]
    pub step: String,
    /// The last thing that became of it: `sent`, `delivered`, `bounced`, `opened`, `clicked` or `dismissed`.
    #[schema(example = "opened")]
    pub last_activity: String,
    pub last_activity_at: Timestamp,
}

/// A message in the order in which they are listed, the newest first.
pub type MessagePlace = (i64, String, String);

impl MessageFacts {
    pub fn place(&self) -> MessagePlace {
        let newest_first = -self.at.as_microsecond();
        (newest_first, self.flow.clone(), self.step.clone())
    }
}

/// The messages that gateways took for a customer, perhaps of one channel; the newest first.
pub async fn messages(
    store: &Store,
    revision: &Revision,
    customer: &str,
    channel: Option<Channel>,
) -> Result<Vec<MessageFacts>, Error> {
    let id = id_of(store, customer).await?;
    let sent = Channel::ALL.into_iter().flat_map(sent_kinds);
    let reactions = REACTIONS.iter().map(|kind| kind.as_str().to_owned());
    let filter = HistoryFilter {
        kinds: sent.chain(reactions).collect(),
        channel: None,
        reuses: revision.reuses(),
        ..HistoryFilter::default()
    };
    let lines = store.history(id, &filter, usize::MAX).await?;
    let mut messages = of(&lines);
    messages.retain(|message| channel.is_none_or(|channel| message.channel == channel));
    Ok(messages)
}

/// The kinds of lines of messages that were handed over.
pub(super) fn sent_kinds(channel: Channel) -> [String; 3] {
    ["sent", "delivered", "bounced"].map(|state| format!("{channel}-{state}"))
}

/// Reactions belong to the last message of their flow and step before them.
fn of(lines: &[HistoryLine]) -> Vec<MessageFacts> {
    let mut messages: Vec<MessageFacts> = Vec::new();
    let mut latest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in lines.iter().rev() {
        let (Some(flow), Some(step)) = (line.flow.as_deref(), line.step.as_deref()) else {
            continue;
        };
        let word = line.kind.rsplit('-').next().unwrap_or(&line.kind);
        if Kind::parse(&line.kind).is_some_and(|kind| REACTIONS.contains(&kind)) {
            if let Some(message) = latest.get(&(flow, step)).map(|place| &mut messages[*place]) {
                word.clone_into(&mut message.last_activity);
                message.last_activity_at = line.at;
            }
        } else if let Some(channel) = line.channel {
            latest.insert((flow, step), messages.len());
            messages.push(MessageFacts {
                at: line.at,
                channel,
                campaign: line.campaign.clone(),
                flow: flow.to_owned(),
                step: step.to_owned(),
                last_activity: word.to_owned(),
                last_activity_at: line.at,
            });
        }
    }
    messages.sort_by_cached_key(MessageFacts::place);
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interaction::Direction;

    fn line(kind: &str, at: i64, step: &str) -> HistoryLine {
        HistoryLine {
            at: Timestamp::from_second(at).unwrap(),
            kind: kind.to_owned(),
            direction: Direction::Inbound,
            channel: Some(Channel::Email),
            campaign: None,
            flow: Some("f".to_owned()),
            step: Some(step.to_owned()),
            actor: None,
            detail: None,
        }
    }

    #[test]
    fn a_reaction_belongs_to_the_last_message_before_it() {
        let lines = [
            line("email-opened", 9, "b"),
            line("email-bounced", 8, "a"),
            line("email-clicked", 5, "a"),
            line("email-opened", 4, "a"),
            line("email-sent", 3, "a"),
            line("email-opened", 2, "a"),
        ];
        let told: Vec<(i64, String, i64)> = of(&lines)
            .into_iter()
            .map(|m| {
                (
                    m.at.as_second(),
                    m.last_activity,
                    m.last_activity_at.as_second(),
                )
            })
            .collect();
        let expected = [(8, "bounced", 8), (3, "clicked", 5)];
        assert_eq!(
            told,
            expected.map(|(at, what, last)| (at, what.to_owned(), last))
        );
    }
}
