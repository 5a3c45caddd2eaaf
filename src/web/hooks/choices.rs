//! Owns the choices of the preferences page: what may be given up or taken back, and how it stands.

use std::collections::HashSet;

use super::origin::Origin;
use crate::domain::customer::Switches;
use crate::domain::revision::Revision;
use crate::domain::subscription::{Scope, Subscription, SubscriptionState};

/// How one choice stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Receiving,
    /// A record of exactly this scope stands.
    Stopped,
    /// The organization switched the channel off, and only it can switch it on.
    SwitchedOff,
    /// A broader record stops it.
    StoppedBy(Scope),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) scope: Scope,
    pub(super) standing: Standing,
}

/// From narrow to wide: what the link's message belonged to and what else was given up before, each
/// channel, everything.
pub(super) fn choices(
    origin: &Origin,
    revision: &Revision,
    records: &[Subscription],
    switches: Switches,
) -> Vec<Choice> {
    let stops = |record: &&Subscription| record.state == SubscriptionState::Unsubscribed;
    let stopped: Vec<&Scope> = records.iter().filter(stops).map(|r| &r.scope).collect();
    let mut scopes = of_this_message(origin);
    scopes.extend(revision.channels.keys().map(|channel| Scope {
        channel: Some(*channel),
        ..Scope::default()
    }));
    scopes.extend(stopped.iter().copied().cloned());
    scopes.push(Scope::EVERYTHING);
    scopes.sort_by_key(width);
    let mut seen = HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    let choice = |scope| Choice {
        standing: standing(&scope, &stopped, switches, revision),
        scope,
    };
    scopes.into_iter().map(choice).collect()
}

fn of_this_message(origin: &Origin) -> Vec<Scope> {
    let campaign = Scope {
        campaign: Some(origin.campaign.clone()),
        ..Scope::default()
    };
    let category = origin.category.clone().map(|category| Scope {
        category: Some(category),
        ..Scope::default()
    });
    let group = origin.group.clone().map(|group| Scope {
        group: Some(group),
        ..Scope::default()
    });
    let scopes = [Some(campaign), category, group, Some(origin.gives_up())];
    scopes.into_iter().flatten().collect()
}

/// Named things first, whole channels then, everything last.
fn width(scope: &Scope) -> u8 {
    let named = scope.campaign.is_some() || scope.category.is_some() || scope.group.is_some();
    match (named, scope.channel) {
        (true, _) => 0,
        (false, Some(_)) => 1,
        (false, None) => 2,
    }
}

fn standing(
    scope: &Scope,
    stopped: &[&Scope],
    switches: Switches,
    revision: &Revision,
) -> Standing {
    let located = located(scope, revision);
    let broader = || stopped.iter().find(|record| located.is_within(record));
    if stopped.contains(&scope) {
        Standing::Stopped
    } else if is_switched_off(scope, switches) {
        Standing::SwitchedOff
    } else {
        broader().map_or(Standing::Receiving, |record| {
            Standing::StoppedBy((*record).clone())
        })
    }
}

/// A campaign lies within its category and its group, so a record of either stops it.
fn located(scope: &Scope, revision: &Revision) -> Scope {
    let Some(id) = &scope.campaign else {
        return scope.clone();
    };
    let campaign = revision.campaigns.get(id);
    let campaign = campaign.map(|campaign| (&campaign.category, &campaign.group));
    let flow = || {
        revision
            .flows
            .get(id)
            .map(|flow| (&flow.category, &flow.group))
    };
    let (category, group) = campaign.or_else(flow).unwrap_or((&None, &None));
    Scope {
        category: scope.category.clone().or_else(|| category.clone()),
        group: scope.group.clone().or_else(|| group.clone()),
        ..scope.clone()
    }
}

fn is_switched_off(scope: &Scope, switches: Switches) -> bool {
    let channel = scope.channel.filter(|_| width(scope) == 1);
    let channel_off = channel.is_some_and(|channel| !switches.channel(channel));
    channel_off || (!switches.outbound && width(scope) > 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::audit::{Actor, By, Source};
    use crate::domain::campaign::{Active, Campaign};
    use crate::domain::channel::Channel;
    use crate::domain::ids::{CustomerId, DispatchId, NameNo};
    use crate::domain::link::{Link, LinkKind};
    use crate::domain::revision::{NameKind, Numbers};
    use crate::domain::subscription::LinkScope;

    fn revision() -> Revision {
        let gold = Campaign {
            id: "gold".to_owned(),
            name: "Gold".to_owned(),
            category: Some("cards".to_owned()),
            group: None,
            segment: None,
            active: Active::default(),
            unsubscribe: LinkScope::Category,
            dismissable: false,
            communications: BTreeMap::new(),
        };
        let mut revision = Revision::default();
        revision.campaigns.insert("gold".to_owned(), gold);
        revision
    }

    fn origin() -> Origin {
        let mut numbers = Numbers::default();
        numbers.insert(NameKind::Campaign, "gold", NameNo(1));
        let link = Link {
            kind: LinkKind::Preferences,
            customer: CustomerId(1),
            flow: NameNo(1),
            campaign: Some(NameNo(1)),
            channel: Channel::Email,
            dispatch: DispatchId::from_bytes([0; 16]),
        };
        Origin::of(&link, &revision(), &numbers).unwrap()
    }

    fn given_up(scope: Scope) -> Subscription {
        Subscription {
            scope,
            state: SubscriptionState::Unsubscribed,
            by: By::new(Actor::customer(), Source::Link),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn scope(campaign: Option<&str>, category: Option<&str>, channel: Option<Channel>) -> Scope {
        Scope {
            campaign: campaign.map(str::to_owned),
            category: category.map(str::to_owned),
            group: None,
            channel,
        }
    }

    #[test]
    fn choices_go_from_narrow_to_wide_and_each_comes_once() {
        let records = [
            given_up(Scope::EVERYTHING),
            given_up(scope(None, None, Some(Channel::Sms))),
            given_up(scope(Some("silver"), None, None)),
        ];
        let choices = choices(&origin(), &revision(), &records, Switches::default());
        let everything = || Standing::StoppedBy(Scope::EVERYTHING);
        let found: Vec<_> = choices.into_iter().map(|c| (c.scope, c.standing)).collect();
        assert_eq!(
            found,
            [
                (scope(Some("gold"), None, None), everything()),
                (scope(None, Some("cards"), None), everything()),
                (scope(Some("silver"), None, None), Standing::Stopped),
                (scope(None, None, Some(Channel::Sms)), Standing::Stopped),
                (Scope::EVERYTHING, Standing::Stopped),
            ]
        );
    }

    #[test]
    fn a_switched_off_channel_is_not_the_customers_choice() {
        let by_email = scope(None, None, Some(Channel::Email));
        let by_email_about_gold = scope(Some("gold"), None, Some(Channel::Email));
        let no_email = Switches {
            email: false,
            ..Switches::default()
        };
        let standing = |scope, stopped: &[&Scope]| standing(scope, stopped, no_email, &revision());
        assert_eq!(standing(&by_email, &[]), Standing::SwitchedOff);
        assert_eq!(standing(&by_email_about_gold, &[]), Standing::Receiving);
        assert_eq!(standing(&by_email, &[&by_email]), Standing::Stopped);
    }

    #[test]
    fn a_campaign_in_a_category_that_was_given_up_is_stopped() {
        let cards = scope(None, Some("cards"), None);
        let records = [given_up(cards.clone())];
        let choices = choices(&origin(), &revision(), &records, Switches::default());
        assert_eq!(choices[0].scope, scope(Some("gold"), None, None));
        assert_eq!(choices[0].standing, Standing::StoppedBy(cards));
    }
}
