//! Owns the sums of a customer's history: by channel what was sent, what came back, and what came of it.

use std::collections::BTreeMap;

use super::error::Error;
use super::messages::sent_kinds;
use crate::domain::channel::Channel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Kind;
use crate::domain::revision::Revision;
use crate::store::{HistoryFilter, HistoryLine, Store, Totals};

/// The sums, with each conversion on the channel that it came by: the one that it names, else that of
/// the last message of its campaign before it.
pub async fn totals(
    store: &Store,
    revision: &Revision,
    customer: CustomerId,
) -> Result<Totals, Error> {
    let mut totals = store.totals(customer).await?;
    if totals.conversions == 0 {
        return Ok(totals);
    }
    let sent = Channel::ALL.into_iter().flat_map(sent_kinds);
    let filter = HistoryFilter {
        kinds: sent.chain([Kind::Conversion.as_str().to_owned()]).collect(),
        reuses: revision.reuses(),
        ..HistoryFilter::default()
    };
    let lines = store.history(customer, &filter, usize::MAX).await?;
    for (channel, conversions) in converted(&lines) {
        totals.channels.entry(channel).or_default().conversions += conversions;
    }
    Ok(totals)
}

/// How many conversions came by each channel.
fn converted(lines: &[HistoryLine]) -> BTreeMap<Channel, u64> {
    let mut latest: BTreeMap<&str, Channel> = BTreeMap::new();
    let mut converted: BTreeMap<Channel, u64> = BTreeMap::new();
    for line in lines.iter().rev() {
        let names = || line.campaign.iter().chain(&line.flow);
        if line.kind == Kind::Conversion.as_str() {
            let last = || names().find_map(|name| latest.get(name.as_str()).copied());
            if let Some(channel) = line.channel.or_else(last) {
                *converted.entry(channel).or_default() += 1;
            }
        } else if let Some(channel) = line.channel {
            latest.extend(names().map(|name| (name.as_str(), channel)));
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::interaction::Direction;

    fn line(kind: &str, channel: Option<Channel>, campaign: &str) -> HistoryLine {
        HistoryLine {
            at: Timestamp::UNIX_EPOCH,
            kind: kind.to_owned(),
            direction: Direction::Inbound,
            channel,
            campaign: Some(campaign.to_owned()),
            flow: None,
            step: None,
            actor: None,
            detail: None,
        }
    }

    #[test]
    fn a_conversion_counts_for_the_last_message_of_its_campaign() {
        let lines = [
            line("conversion", None, "gold"),
            line("email-sent", Some(Channel::Email), "gold"),
            line("conversion", Some(Channel::Push), "gold"),
            line("sms-sent", Some(Channel::Sms), "gold"),
            line("conversion", None, "silver"),
            line("conversion", None, "gold"),
        ];
        let counted = converted(&lines);
        assert_eq!(counted, [(Channel::Email, 1), (Channel::Push, 1)].into());
    }
}
