//! Owns what bars us from writing to a customer, and how it is united: never for the better.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::customer::{Consents, Status, Switch, Switches};
use super::subscription::{Consent, Dismissal, Subscription, SubscriptionState};

/// Why somebody who was deleted and came back is suspended.
pub const DELETED_BEFORE: &str = "deleted before";

/// Everything that stands against messages to one customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bars {
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Those that are off count.
    pub switches: Switches,
    /// Those that are refused count.
    pub consents: Consents,
    /// Records that stand.
    pub given_up: Vec<Subscription>,
    pub dismissed: Vec<Dismissal>,
}

impl Bars {
    /// Both together: of each the stricter. Neither of the two is ever better than what comes out.
    #[must_use]
    pub fn united(mut self, other: &Self) -> Self {
        if other.status.number() > self.status.number() {
            self.status = other.status;
            self.reason.clone_from(&other.reason);
        }
        for channel in Channel::ALL {
            if other.consents.channel(channel) == Consent::Unsubscribed {
                self.consents = self.consents.with(channel, Consent::Unsubscribed);
            }
            let on = self.switches.channel(channel) && other.switches.channel(channel);
            self.switches = self.switches.with(Switch::Channel(channel), on);
        }
        self.switches.outbound &= other.switches.outbound;
        for record in &other.given_up {
            let stands = |mine: &Subscription| mine.scope == record.scope;
            if record.state == SubscriptionState::Unsubscribed && !self.given_up.iter().any(stands)
            {
                self.given_up.push(record.clone());
            }
        }
        for dismissal in &other.dismissed {
            let is_same = |mine: &Dismissal| mine.campaign == dismissal.campaign;
            if !self.dismissed.iter().any(is_same) {
                self.dismissed.push(dismissal.clone());
            }
        }
        self
    }

    /// What bars somebody who was deleted under these and comes back: they wait for a person, unless
    /// they were discarded and so still are.
    #[must_use]
    pub fn when_back(mut self) -> Self {
        if self.status != Status::Discarded {
            self.status = Status::Suspended;
            self.reason = Some(DELETED_BEFORE.to_owned());
        }
        self
    }

    /// Without the words that people wrote beside them, and without permissions that were given.
    #[must_use]
    pub fn alone(mut self) -> Self {
        for record in &mut self.given_up {
            record.by.note = None;
        }
        for dismissal in &mut self.dismissed {
            dismissal.by.note = None;
        }
        for channel in Channel::ALL {
            if self.consents.channel(channel) != Consent::Unsubscribed {
                self.consents = self.consents.with(channel, Consent::default());
            }
        }
        if self.status != Status::Discarded {
            self.reason = None;
        }
        self.given_up
            .retain(|record| record.state == SubscriptionState::Unsubscribed);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Actor, By, Source};
    use crate::domain::subscription::{Belonging, Scope};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn by() -> By {
        By::new(Actor::customer(), Source::Link).noting("d-1")
    }

    fn given_up(category: &str) -> Subscription {
        Subscription {
            scope: Scope {
                category: Some(category.to_owned()),
                ..Scope::default()
            },
            state: SubscriptionState::Unsubscribed,
            by: by(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn dismissed(campaign: &str) -> Dismissal {
        Dismissal {
            campaign: campaign.to_owned(),
            by: by(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn any_bars() -> impl Strategy<Value = Bars> {
        let truth = any::<bool>();
        let switches = (truth, any::<bool>(), any::<bool>(), any::<bool>());
        let consents = proptest::array::uniform3(0_i64..3);
        let names = |names: &'static [&'static str]| proptest::sample::subsequence(names, 0..=2);
        (
            0_i64..3,
            switches,
            consents,
            names(&["cards", "loans"]),
            names(&["gold", "red"]),
        )
            .prop_map(|(status, switches, consents, categories, campaigns)| {
                let [email, sms, push] = consents.map(Consent::from_number);
                let status = Status::from_number(status);
                Bars {
                    status,
                    reason: (status != Status::Active).then(|| "why".to_owned()),
                    switches: Switches {
                        outbound: switches.0,
                        email: switches.1,
                        sms: switches.2,
                        push: switches.3,
                    },
                    consents: Consents { email, sms, push },
                    given_up: categories.into_iter().map(given_up).collect(),
                    dismissed: campaigns.into_iter().map(dismissed).collect(),
                }
            })
    }

    /// Whether everything that `one` forbids, `other` forbids as well.
    fn is_as_strict(one: &Bars, other: &Bars) -> bool {
        let message = |category: &str, channel| Belonging {
            campaign: "x".to_owned(),
            category: Some(category.to_owned()),
            group: None,
            channel,
        };
        let blocks = |bars: &Bars, category: &str, channel| {
            let message = message(category, channel);
            bars.given_up.iter().any(|record| record.blocks(&message))
        };
        let refused =
            |bars: &Bars, channel| bars.consents.channel(channel) == Consent::Unsubscribed;
        let each = Channel::ALL.into_iter().all(|channel| {
            let categories = ["cards", "loans"].iter();
            let mut categories =
                categories.map(|c| (blocks(one, c, channel), blocks(other, c, channel)));
            categories.all(|(mine, its)| !mine || its)
                && (one.switches.channel(channel) || !other.switches.channel(channel))
                && (!refused(one, channel) || refused(other, channel))
        });
        let campaigns = |bars: &Bars, name: &str| bars.dismissed.iter().any(|d| d.campaign == name);
        each && one.status.number() <= other.status.number()
            && (one.switches.outbound || !other.switches.outbound)
            && ["gold", "red"]
                .iter()
                .all(|name| !campaigns(one, name) || campaigns(other, name))
    }

    proptest! {
        #[test]
        fn what_is_united_is_never_better_than_either(one in any_bars(), other in any_bars()) {
            let both = one.clone().united(&other);
            prop_assert!(is_as_strict(&one, &both));
            prop_assert!(is_as_strict(&other, &both));
            prop_assert_eq!(both.clone().united(&other), both);
        }

        #[test]
        fn who_comes_back_is_never_better_off(bars in any_bars()) {
            let back = bars.clone().alone().when_back();
            prop_assert!(is_as_strict(&bars, &back));
            prop_assert!(back.status != Status::Active);
            prop_assert_eq!(back.status == Status::Discarded, bars.status == Status::Discarded);
        }
    }

    #[test]
    fn what_is_kept_of_the_deleted_holds_no_words_and_reads_back() {
        let bars = Bars {
            given_up: vec![given_up("cards")],
            dismissed: vec![dismissed("gold")],
            ..Bars::default()
        };
        let text = serde_json::to_string(&bars.alone()).unwrap();
        assert!(!text.contains("d-1"), "{text}");
        let again: Bars = serde_json::from_str(&text).unwrap();
        assert_eq!(again.given_up[0].scope.category.as_deref(), Some("cards"));
    }
}
