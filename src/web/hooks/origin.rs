//! Owns where a link's message belonged: the campaign whose links it carried, as it is defined now.

use crate::domain::channel::Channel;
use crate::domain::link::Link;
use crate::domain::revision::{NameKind, Numbers, Revision};
use crate::domain::subscription::{LinkScope, Scope};

/// The campaign that governs a link: the reused one, else the flow itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) campaign: String,
    pub(super) category: Option<String>,
    pub(super) group: Option<String>,
    pub(super) dismissable: bool,
    unsubscribe: LinkScope,
    channel: Channel,
}

impl Origin {
    /// None for a number that this store never gave.
    pub(super) fn of(link: &Link, revision: &Revision, numbers: &Numbers) -> Option<Self> {
        match link.campaign {
            Some(number) => {
                let name = numbers.name(NameKind::Campaign, number)?;
                let campaign = revision.campaigns.get(name);
                let origin = campaign.map(|campaign| Self {
                    campaign: name.to_owned(),
                    category: campaign.category.clone(),
                    group: campaign.group.clone(),
                    dismissable: campaign.dismissable,
                    unsubscribe: campaign.unsubscribe,
                    channel: link.channel,
                });
                Some(origin.unwrap_or_else(|| Self::no_longer_defined(name, link.channel)))
            }
            None => {
                let name = numbers.name(NameKind::Flow, link.flow)?;
                let origin = revision.flows.get(name).map(|flow| Self {
                    campaign: name.to_owned(),
                    category: flow.category.clone(),
                    group: flow.group.clone(),
                    dismissable: flow.dismissable,
                    unsubscribe: flow.unsubscribe,
                    channel: link.channel,
                });
                Some(origin.unwrap_or_else(|| Self::no_longer_defined(name, link.channel)))
            }
        }
    }

    /// Links outlive files: what was promised then was at least the campaign itself.
    fn no_longer_defined(name: &str, channel: Channel) -> Self {
        Self {
            campaign: name.to_owned(),
            category: None,
            group: None,
            dismissable: true,
            unsubscribe: LinkScope::Campaign,
            channel,
        }
    }

    /// What an unsubscribe link gives up.
    pub(super) fn gives_up(&self) -> Scope {
        let (category, group) = (self.category.as_deref(), self.group.as_deref());
        self.unsubscribe.of(&self.campaign, category, group)
    }

    /// How histories say by which way a change came.
    pub(super) fn note(&self) -> String {
        let message = match self.channel {
            Channel::Email => "e-mail",
            Channel::Sms => "text message",
            Channel::Push => "app notification",
        };
        format!("link in {message} of campaign {}", self.campaign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CustomerId, DispatchId, NameNo};
    use crate::domain::link::LinkKind;

    fn link(campaign: Option<NameNo>) -> Link {
        Link {
            kind: LinkKind::Unsubscribe,
            customer: CustomerId(1),
            flow: NameNo(1),
            campaign,
            channel: Channel::Sms,
            dispatch: DispatchId::from_bytes([0; 16]),
        }
    }

    #[test]
    fn a_campaign_that_left_the_files_can_still_be_given_up() {
        let mut numbers = Numbers::default();
        numbers.insert(NameKind::Campaign, "gold-card", NameNo(9));
        let origin = Origin::of(&link(Some(NameNo(9))), &Revision::default(), &numbers).unwrap();
        let campaign_alone = Scope {
            campaign: Some("gold-card".to_owned()),
            ..Scope::default()
        };
        assert_eq!(origin.gives_up(), campaign_alone);
        assert_eq!(origin.note(), "link in text message of campaign gold-card");
    }

    #[test]
    fn a_number_that_was_never_given_has_no_origin() {
        let (revision, numbers) = (Revision::default(), Numbers::default());
        assert_eq!(Origin::of(&link(None), &revision, &numbers), None);
        assert_eq!(
            Origin::of(&link(Some(NameNo(9))), &revision, &numbers),
            None
        );
    }
}
