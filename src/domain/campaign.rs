//! Owns campaigns: what flows may reuse, and what a customer may give up.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::communication::Communication;
use super::subscription::LinkScope;

/// A named set of communications with one place in the consent dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    pub id: String,
    pub name: String,
    pub category: Option<String>,
    pub group: Option<String>,
    /// Who qualifies, for "active campaigns"; flows that reuse a communication do not ask it.
    pub segment: Option<String>,
    pub active: Active,
    pub unsubscribe: LinkScope,
    pub dismissable: bool,
    /// Only those a flow may send; `on-screen` and its like stay in the files.
    pub communications: BTreeMap<String, Communication>,
}

/// The days on which a campaign's communications may be sent, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Active {
    pub from: Option<Date>,
    pub until: Option<Date>,
}

impl Active {
    pub fn on(self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}
