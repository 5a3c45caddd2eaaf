//! Owns interactions: the lines of a customer's history that are not dispatches.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::ids::CustomerId;

/// Declares the kinds once: variant, written name, number in the store (never reused), direction.
macro_rules! kinds {
    ($($variant:ident $name:literal $number:literal $direction:ident;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($variant,)* }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            pub fn direction(self) -> Direction {
                match self { $(Self::$variant => Direction::$direction,)* }
            }
        }
    };
}

kinds! {
    EmailSent "email-sent" 1 Outbound;
    SmsSent "sms-sent" 2 Outbound;
    PushSent "push-sent" 3 Outbound;
    EmailOpened "email-opened" 10 Inbound;
    EmailClicked "email-clicked" 11 Inbound;
    SmsClicked "sms-clicked" 12 Inbound;
    PushOpened "push-opened" 13 Inbound;
    PushDismissed "push-dismissed" 14 Inbound;
    Login "login" 20 Inbound;
    Logout "logout" 21 Inbound;
    PageVisited "page-visited" 22 Inbound;
    BannerClicked "banner-clicked" 23 Inbound;
    PopupViewed "popup-viewed" 24 Inbound;
    Conversion "conversion" 25 Inbound;
    Transaction "transaction" 26 Inbound;
    NpsAnswered "nps-answered" 27 Inbound;
    ItemTouched "item-touched" 28 Inbound;
    ShopVisited "shop-visited" 29 Inbound;
    BeaconContacted "beacon-contacted" 30 Inbound;
    CookiesChosen "cookies-chosen" 31 Inbound;
    Replied "replied" 32 Inbound;
    Dismissal "dismissal" 40 Change;
    Unsubscribed "unsubscribed" 41 Change;
    Resubscribed "resubscribed" 42 Change;
    SwitchedOn "switched-on" 43 Change;
    SwitchedOff "switched-off" 44 Change;
    ConsentChanged "consent-changed" 45 Change;
    DismissalWithdrawn "dismissal-withdrawn" 46 Change;
    Imported "imported" 50 Change;
    FieldChanged "field-changed" 51 Change;
    Tagged "tagged" 52 Change;
    Untagged "untagged" 53 Change;
    StatusChanged "status-changed" 54 Change;
    Merged "merged" 55 Change;
    Noted "noted" 56 Change;
    TaskChanged "task-changed" 57 Change;
    SendAsked "send-asked" 58 Change;
    EnteredSegment "entered-segment" 60 Change;
    LeftSegment "left-segment" 61 Change;
    EnteredFlow "entered-flow" 62 Change;
    CompletedFlow "completed-flow" 63 Change;
    ExitedFlow "exited-flow" 64 Change;
    ReachedGoal "reached-goal" 65 Change;
    Delivered "delivered" 70 Change;
    Bounced "bounced" 71 Change;
    Complained "complained" 72 Change;
    GivenUp "given-up" 73 Change;
    Confirmed "confirmed" 74 Change;
    DeviceRegistered "device-registered" 80 Change;
    DeviceRemoved "device-removed" 81 Change;
}

/// Whether we spoke, they spoke, or something about them changed.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Outbound,
    Inbound,
    Change,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Change => "change",
        }
    }
}

impl Kind {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.number() == number)
    }

    /// Whether flows and segments may ask `did:` about it.
    pub fn can_be_asked(self) -> bool {
        self.number() < 40 || self == Self::Dismissal
    }

    /// Whether a file may tell of it: what customers do elsewhere, but not our own messages and
    /// changes, and not transactions, which have an amount.
    pub fn can_be_imported(self) -> bool {
        self.is_engagement() && !matches!(self, Self::Transaction | Self::Replied)
    }

    /// Whether somebody else may tell of it: what customers do, and what they give up, but not what they
    /// write back, which gateways tell.
    pub fn can_be_told(self) -> bool {
        (self.is_engagement() && self != Self::Replied) || self == Self::Dismissal
    }

    /// The channel of a message we sent, for the kinds that are dispatches in the store.
    pub fn sent_on(self) -> Option<Channel> {
        match self {
            Self::EmailSent => Some(Channel::Email),
            Self::SmsSent => Some(Channel::Sms),
            Self::PushSent => Some(Channel::Push),
            _ => None,
        }
    }

    /// Whether it counts as an activity of the customer.
    pub fn is_activity(self) -> bool {
        self.direction() != Direction::Change
    }

    /// Whether it counts as engagement: something the customer did, never our own sends.
    pub fn is_engagement(self) -> bool {
        self.direction() == Direction::Inbound
    }
}

/// One line to record. Names are ids of the workspace; `detail` is a small JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    pub customer: CustomerId,
    pub at: Timestamp,
    pub kind: Kind,
    pub channel: Option<Channel>,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub actor: Option<String>,
    pub detail: Option<serde_json::Value>,
}

impl Interaction {
    pub fn new(customer: CustomerId, at: Timestamp, kind: Kind) -> Self {
        Self {
            customer,
            at,
            kind,
            channel: None,
            campaign: None,
            flow: None,
            step: None,
            actor: None,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn kinds_have_numbers_of_their_own_and_read_back() {
        let numbers: HashSet<i64> = Kind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(numbers.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert_eq!(Kind::from_number(kind.number()), Some(*kind));
        }
    }
}
