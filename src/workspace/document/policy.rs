//! Owns the written form of the policy.

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::{CapLimit, Day, Duration, Hours, Percent};
use super::word::Word;
use crate::domain::channel::Channel;
use crate::domain::policy::Purpose;
use crate::domain::subscription::ConsentRule;
use crate::workspace::spanned::{At, Named, Opt, TextOr};

/// The policy: what holds for every flow and cannot be overridden by one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PolicyDoc {
    pub(crate) policy: At<RulesDoc>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RulesDoc {
    /// Who sends.
    pub(crate) organization: Option<OrganizationDoc>,
    /// Categories of flows and campaigns, by id.
    #[serde(default)]
    pub(crate) categories: Named<At<TextOr<CategoryDoc>>>,
    /// Groups of flows and campaigns, by id, with their names.
    #[serde(default)]
    pub(crate) groups: Named<At<String>>,
    /// What each channel asks for before marketing is sent; `opt-out` unless set.
    pub(crate) consent: Option<ConsentDoc>,
    /// Times in the customer's zone in which a message is held.
    pub(crate) quiet_hours: Option<QuietHoursDoc>,
    /// Limits of messages to one customer.
    #[serde(default)]
    pub(crate) frequency_caps: Vec<CapDoc>,
    /// Languages of texts; the first is the default.
    #[serde(default)]
    pub(crate) languages: Vec<At<String>>,
    /// The field that holds a customer's language; `language` unless set.
    pub(crate) language_field: Opt<String>,
    /// The field that holds a customer's time zone; `timezone` unless set.
    pub(crate) zone_field: Opt<String>,
    /// Days that are not `business` days.
    #[serde(default)]
    pub(crate) holidays: Vec<At<Day>>,
    /// A share of all customers, such as `2%`, to whom no flow sends anything but service.
    pub(crate) control_group: Opt<Percent>,
    /// When somebody must agree before a revision is put in force.
    pub(crate) approval: Option<ApprovalDoc>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ApprovalDoc {
    /// As many customers may newly enter flows without it.
    pub(crate) above: At<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct OrganizationDoc {
    pub(crate) name: At<String>,
    /// Every marketing e-mail must carry it.
    pub(crate) postal_address: Opt<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CategoryDoc {
    pub(crate) name: Opt<String>,
    /// `marketing` unless set.
    pub(crate) purpose: Opt<Word<Purpose>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ConsentDoc {
    pub(crate) email: Opt<Word<ConsentRule>>,
    pub(crate) sms: Opt<Word<ConsentRule>>,
    pub(crate) push: Opt<Word<ConsentRule>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct QuietHoursDoc {
    pub(crate) email: Opt<Hours>,
    pub(crate) sms: Opt<Hours>,
    pub(crate) push: Opt<Hours>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CapDoc {
    /// `4 per 7d`.
    pub(crate) limit: At<CapLimit>,
    /// All channels unless set.
    pub(crate) channels: Opt<Vec<Word<Channel>>>,
    /// Holds a message this long before it is withheld.
    pub(crate) retry_for: Opt<Duration>,
}
