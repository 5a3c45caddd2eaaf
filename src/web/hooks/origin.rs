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
    ///
    /// Links outlive files: of what is no longer defined at least the campaign itself can be given up.
    pub(super) fn of(link: &Link, revision: &Revision, numbers: &Numbers) -> Option<Self> {
        let (name, defined) = if let Some(number) = link.campaign {
            let name = numbers.name(NameKind::Campaign, number)?;
            let campaign = revision.campaigns.get(name);
            let place = campaign.map(|c| (&c.category, &c.group, c.dismissable, c.unsubscribe));
            (name, place)
        } else {
            let name = numbers.name(NameKind::Flow, link.flow)?;
            let flow = revision.flows.get(name);
            let place = flow.map(|f| (&f.category, &f.group, f.dismissable, f.unsubscribe));
            (name, place)
        };
        let gone = (&None, &None, true, LinkScope::Campaign);
        let (category, group, dismissable, unsubscribe) = defined.unwrap_or(gone);
        Some(Self {
            campaign: name.to_owned(),
            category: category.clone(),
            group: group.clone(),
            dismissable,
            unsubscribe,
            channel: link.channel,
        })
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
