//! Owns the reasons why a message is not sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::enrollment::ExitReason;

/// Declares the reasons once: variant, written name, number in the store (never reused).
macro_rules! reasons {
    ($($variant:ident $name:literal $number:literal;)*) => {
        /// Why a message was not sent, one each, always recorded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($variant,)* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }
        }
    };
}

reasons! {
    UnsubscribedCampaign "unsubscribed_campaign" 1;
    UnsubscribedCategory "unsubscribed_category" 2;
    UnsubscribedGroup "unsubscribed_group" 3;
    UnsubscribedChannel "unsubscribed_channel" 4;
    UnsubscribedEverything "unsubscribed_everything" 5;
    Dismissed "dismissed" 6;
    ChannelOff "channel_off" 7;
    OutboundOff "outbound_off" 8;
    NoConsent "no_consent" 9;
    Suspended "suspended" 10;
    Discarded "discarded" 11;
    Anonymous "anonymous" 12;
    AddressMissing "address_missing" 13;
    AddressInvalid "address_invalid" 14;
    AddressSuppressed "address_suppressed" 15;
    FrequencyCapped "frequency_capped" 16;
    WindowExpired "window_expired" 17;
    Late "late" 18;
    Holdout "holdout" 19;
    NoLongerInSegment "no_longer_in_segment" 20;
    SendConditionFalse "send_condition_false" 21;
    GoalReached "goal_reached" 22;
    TemplateError "template_error" 23;
    TemplateAbort "template_abort" 24;
    Duplicate "duplicate" 25;
    FlowStopped "flow_stopped" 26;
    StepRemoved "step_removed" 27;
    CustomerDeleted "customer_deleted" 28;
    AwaitingApproval "awaiting_approval" 29;
    ExitCondition "exit_condition" 30;
    CampaignInactive "campaign_inactive" 31;
    DateMissing "date_missing" 32;
}

impl Reason {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
    }

    /// Whether the gate asks for it before it is drawn who is held out: it says nothing about what the
    /// draw does.
    pub fn precedes_the_draw(self) -> bool {
        matches!(
            self,
            Self::FlowStopped
                | Self::StepRemoved
                | Self::CustomerDeleted
                | Self::Suspended
                | Self::Discarded
                | Self::Anonymous
                | Self::OutboundOff
                | Self::ChannelOff
                | Self::UnsubscribedCampaign
                | Self::UnsubscribedCategory
                | Self::UnsubscribedGroup
                | Self::UnsubscribedChannel
                | Self::UnsubscribedEverything
                | Self::Dismissed
                | Self::NoConsent
        )
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.number() == number)
    }
}

impl From<ExitReason> for Reason {
    /// Why a message is withheld when its enrollment has ended.
    fn from(exit: ExitReason) -> Self {
        match exit {
            ExitReason::LeftSegment => Self::NoLongerInSegment,
            ExitReason::ExitCondition | ExitReason::Skipped | ExitReason::WaitExpired => {
                Self::ExitCondition
            }
            ExitReason::Goal => Self::GoalReached,
            ExitReason::Dismissed => Self::Dismissed,
            ExitReason::CustomerDeleted => Self::CustomerDeleted,
            ExitReason::Suspended => Self::Suspended,
            ExitReason::Discarded => Self::Discarded,
            ExitReason::FlowStopped | ExitReason::RemovedByPerson => Self::FlowStopped,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
