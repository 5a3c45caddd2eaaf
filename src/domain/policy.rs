//! Owns the policy of a workspace: consent rules, quiet hours, caps, holidays, languages, the sender's identity.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::approval::ApprovalRule;
use super::channel::Channel;
use super::duration::Delay;
use super::subscription::ConsentRule;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub organization: Organization,
    pub categories: BTreeMap<String, Category>,
    /// Groups of campaigns: id and name.
    pub groups: BTreeMap<String, String>,
    pub consent: BTreeMap<Channel, ConsentRule>,
    pub quiet_hours: BTreeMap<Channel, QuietHours>,
    pub caps: Vec<FrequencyCap>,
    /// The first is the default.
    pub languages: Vec<String>,
    pub language_field: String,
    pub zone_field: String,
    pub holidays: BTreeSet<Date>,
    /// Of all customers, in ten-thousandths: no flow sends them anything but service.
    #[serde(default)]
    pub control_group: u32,
    #[serde(default)]
    pub approval: Option<ApprovalRule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            organization: Organization::default(),
            categories: BTreeMap::new(),
            groups: BTreeMap::new(),
            consent: BTreeMap::new(),
            quiet_hours: BTreeMap::new(),
            caps: Vec::new(),
            languages: Vec::new(),
            language_field: "language".to_owned(),
            zone_field: "timezone".to_owned(),
            holidays: BTreeSet::new(),
            control_group: 0,
            approval: None,
        }
    }
}

impl Policy {
    pub fn consent_rule(&self, channel: Channel) -> ConsentRule {
        self.consent.get(&channel).copied().unwrap_or_default()
    }

    pub fn is_service(&self, category: Option<&str>) -> bool {
        category
            .and_then(|category| self.categories.get(category))
            .is_some_and(|category| category.purpose == Purpose::Service)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Organization {
    pub name: String,
    pub postal_address: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub name: String,
    pub purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    #[default]
    Marketing,
    /// No marketing consent, unsubscription or cap is asked; switches, suspension, address and quiet hours still are.
    Service,
}

/// A daily span in the customer's zone, `from` included, `until` not; it may run over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    pub from: Time,
    pub until: Time,
}

/// At most `limit` messages of these channels to one customer in any `per`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyCap {
    pub limit: u32,
    pub per: Delay,
    pub channels: Vec<Channel>,
    /// Holds a message this long past its planned time before it is withheld.
    pub retry_for: Option<Delay>,
}
