//! Owns consent: records of giving up messages by any combination of campaign, category, group and
//! channel, their undoing, and the permission of a channel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::By;
use super::channel::Channel;

/// What a record covers: each dimension present narrows it, none present means everything.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    PartialEq,
    Eq,
    Hash,
    Default,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
pub struct Scope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// Where a message belongs: what scopes are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// The flow's or the campaign's id.
    pub campaign: String,
    pub category: Option<String>,
    pub group: Option<String>,
    pub channel: Channel,
}

impl Scope {
    pub const EVERYTHING: Self = Self {
        campaign: None,
        category: None,
        group: None,
        channel: None,
    };

    /// Whether every dimension that is present matches the message.
    pub fn covers(&self, message: &Belonging) -> bool {
        let same = |mine: &Option<String>, its: Option<&String>| {
            mine.as_ref().is_none_or(|mine| Some(mine) == its)
        };
        same(&self.campaign, Some(&message.campaign))
            && same(&self.category, message.category.as_ref())
            && same(&self.group, message.group.as_ref())
            && self
                .channel
                .is_none_or(|channel| channel == message.channel)
    }

    /// Whether this scope is equal to `other` or lies within it.
    pub fn is_within(&self, other: &Self) -> bool {
        let within = |mine: &Option<String>, its: &Option<String>| its.is_none() || mine == its;
        within(&self.campaign, &other.campaign)
            && within(&self.category, &other.category)
            && within(&self.group, &other.group)
            && (other.channel.is_none() || self.channel == other.channel)
    }

    /// The narrowest dimension, which names the withheld reason.
    pub fn reason(&self) -> UnsubscribedFrom {
        if self.campaign.is_some() {
            UnsubscribedFrom::Campaign
        } else if self.category.is_some() {
            UnsubscribedFrom::Category
        } else if self.group.is_some() {
            UnsubscribedFrom::Group
        } else if self.channel.is_some() {
            UnsubscribedFrom::Channel
        } else {
            UnsubscribedFrom::Everything
        }
    }
}

/// The dimension that a withheld message names, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnsubscribedFrom {
    Campaign,
    Category,
    Group,
    Channel,
    Everything,
}

/// What an unsubscribe link in a campaign's messages gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkScope {
    #[default]
    Campaign,
    Category,
    Group,
    CategoryAndGroup,
    Everything,
}

impl LinkScope {
    /// The scope that a link gives up in a message that belongs there. A missing category or group
    /// falls back to the campaign.
    pub fn of(self, campaign: &str, category: Option<&str>, group: Option<&str>) -> Scope {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let scope = match self {
            Self::Everything => return Scope::EVERYTHING,
            Self::Campaign => Scope::default(),
            Self::Category => Scope {
                category: own(category),
                ..Scope::default()
            },
            Self::Group => Scope {
                group: own(group),
                ..Scope::default()
            },
            Self::CategoryAndGroup => Scope {
                category: own(category),
                group: own(group),
                ..Scope::default()
            },
        };
        if scope == Scope::EVERYTHING {
            Scope {
                campaign: Some(campaign.to_owned()),
                ..Scope::default()
            }
        } else {
            scope
        }
    }
}

/// Whether a record stands. A resubscribed record stays visible.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriptionState {
    Unsubscribed,
    Resubscribed,
}

impl SubscriptionState {
    pub fn number(self) -> i64 {
        match self {
            Self::Unsubscribed => 0,
            Self::Resubscribed => 1,
        }
    }

    pub fn from_number(number: i64) -> Self {
        if number == 1 {
            Self::Resubscribed
        } else {
            Self::Unsubscribed
        }
    }
}

/// One record of a customer: who changed it last, by which way, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub scope: Scope,
    pub state: SubscriptionState,
    pub by: By,
    pub at: Timestamp,
}

impl Subscription {
    pub fn blocks(&self, message: &Belonging) -> bool {
        self.state == SubscriptionState::Unsubscribed && self.scope.covers(message)
    }
}

/// What resubscribing by `wanted` does to the records: flip those equal to or within it; name the
/// broader ones that still stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resubscription {
    pub flips: Vec<Scope>,
    pub still_blocked_by: Vec<Scope>,
}

pub fn resubscribe(records: &[Subscription], wanted: &Scope) -> Resubscription {
    let mut answer = Resubscription::default();
    for record in records
        .iter()
        .filter(|r| r.state == SubscriptionState::Unsubscribed)
    {
        if record.scope.is_within(wanted) {
            answer.flips.push(record.scope.clone());
        } else if wanted.is_within(&record.scope) {
            answer.still_blocked_by.push(record.scope.clone());
        }
    }
    answer
}

/// What a channel asks for before marketing may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentRule {
    /// Only to those who opted in.
    OptIn,
    /// To everybody who has not said no.
    #[default]
    OptOut,
}

/// A customer's permission for one channel.
#[derive(
    utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    OptedIn,
    /// Neither given nor refused.
    #[default]
    Subscribed,
    Unsubscribed,
}

impl Consent {
    pub const ALL: [Self; 3] = [Self::OptedIn, Self::Subscribed, Self::Unsubscribed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedIn => "opted-in",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|consent| consent.as_str() == text)
    }

    pub fn number(self) -> i64 {
        match self {
            Self::Subscribed => 0,
            Self::OptedIn => 1,
            Self::Unsubscribed => 2,
        }
    }

    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::OptedIn,
            2 => Self::Unsubscribed,
            _ => Self::Subscribed,
        }
    }

    pub fn allows(self, rule: ConsentRule) -> bool {
        match rule {
            ConsentRule::OptIn => self == Self::OptedIn,
            ConsentRule::OptOut => self != Self::Unsubscribed,
        }
    }
}

/// "Not interested" in one campaign (a flow is one): stops it, and is not an opt-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    pub campaign: String,
    pub by: By,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Actor, Source};
    use rstest::rstest;

    fn message() -> Belonging {
        Belonging {
            campaign: "gold".into(),
            category: Some("cards".into()),
            group: Some("retail".into()),
            channel: Channel::Sms,
        }
    }

    fn record(scope: Scope) -> Subscription {
        Subscription {
            scope,
            state: SubscriptionState::Unsubscribed,
            by: By::new(Actor::customer(), Source::Link),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_record_blocks_only_when_every_dimension_matches() {
        let cards = Scope {
            category: Some("cards".into()),
            ..Scope::default()
        };
        let cards_by_email = Scope {
            channel: Some(Channel::Email),
            ..cards.clone()
        };
        assert!(record(Scope::EVERYTHING).blocks(&message()));
        assert!(record(cards).blocks(&message()));
        assert!(!record(cards_by_email).blocks(&message()));
    }

    #[test]
    fn resubscribing_flips_equal_and_narrower_records_and_names_broader_ones() {
        let cards = Scope {
            category: Some("cards".into()),
            ..Scope::default()
        };
        let cards_by_sms = Scope {
            channel: Some(Channel::Sms),
            ..cards.clone()
        };
        let records = [
            record(Scope::EVERYTHING),
            record(cards.clone()),
            record(cards_by_sms.clone()),
        ];
        let answer = resubscribe(&records, &cards);
        assert_eq!(answer.flips, [cards, cards_by_sms]);
        assert_eq!(answer.still_blocked_by, [Scope::EVERYTHING]);
    }

    #[rstest]
    #[case(LinkScope::Campaign, Some("cards"), Some("retail"), "gold - -")]
    #[case(LinkScope::Category, Some("cards"), Some("retail"), "- cards -")]
    #[case(LinkScope::Group, Some("cards"), Some("retail"), "- - retail")]
    #[case(
        LinkScope::CategoryAndGroup,
        Some("cards"),
        Some("retail"),
        "- cards retail"
    )]
    #[case(LinkScope::CategoryAndGroup, None, Some("retail"), "- - retail")]
    #[case(LinkScope::Category, None, Some("retail"), "gold - -")]
    #[case(LinkScope::CategoryAndGroup, None, None, "gold - -")]
    #[case(LinkScope::Everything, Some("cards"), Some("retail"), "- - -")]
    fn a_link_gives_up_what_its_campaign_says(
        #[case] link: LinkScope,
        #[case] category: Option<&str>,
        #[case] group: Option<&str>,
        #[case] expected: &str,
    ) {
        let scope = link.of("gold", category, group);
        let shown = [scope.campaign, scope.category, scope.group];
        let shown = shown.map(|name| name.unwrap_or_else(|| "-".to_owned()));
        assert_eq!(shown.join(" "), expected);
        assert_eq!(scope.channel, None);
    }

    #[test]
    fn a_resubscribed_record_blocks_nothing() {
        let mut record = record(Scope::EVERYTHING);
        record.state = SubscriptionState::Resubscribed;
        assert!(!record.blocks(&message()));
    }

    #[rstest]
    #[case(Consent::OptedIn, true, true)]
    #[case(Consent::Subscribed, false, true)]
    #[case(Consent::Unsubscribed, false, false)]
    fn a_permission_is_asked_by_the_channels_rule(
        #[case] consent: Consent,
        #[case] opt_in: bool,
        #[case] opt_out: bool,
    ) {
        assert_eq!(consent.allows(ConsentRule::OptIn), opt_in);
        assert_eq!(consent.allows(ConsentRule::OptOut), opt_out);
    }
}
