//! Owns the names that people give on a command or in a request: whether the workspace knows them,
//! and what they may have meant.

use crate::domain::by_hand;
use crate::domain::field::DataModel;
use crate::domain::flow::{Flow, Reuse};
use crate::domain::near::near;
use crate::domain::revision::Revision;
use crate::domain::segment::Segment;
use crate::domain::subscription::Scope;

/// A name that the workspace does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{name}`{}", self.advice())]
pub struct UnknownName {
    pub what: &'static str,
    pub name: String,
    /// The name that was perhaps meant.
    pub near: Option<String>,
    known: Vec<String>,
}

impl UnknownName {
    pub fn new<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        Self {
            what,
            name: name.to_owned(),
            near: near(name, known.iter().map(String::as_str)).map(str::to_owned),
            known,
        }
    }

    fn advice(&self) -> String {
        match (&self.near, self.known.as_slice()) {
            (Some(near), _) => format!(": did you mean `{near}`?"),
            (None, []) => format!(": the workspace has no {}", self.what),
            (None, known) if known.len() <= 12 => format!(": known are `{}`", known.join("`, `")),
            (None, _) => String::new(),
        }
    }
}

/// Whether every name in a scope is known. A flow is a campaign too.
pub fn check_scope(revision: &Revision, scope: &Scope) -> Result<(), UnknownName> {
    if let Some(campaign) = &scope.campaign {
        check_campaign(revision, campaign)?;
    }
    if let Some(category) = &scope.category {
        let known = revision.policy.categories.keys();
        check("category", category, known.map(String::as_str))?;
    }
    if let Some(group) = &scope.group {
        check(
            "group",
            group,
            revision.policy.groups.keys().map(String::as_str),
        )?;
    }
    Ok(())
}

pub fn check_campaign(revision: &Revision, campaign: &str) -> Result<(), UnknownName> {
    let campaigns = revision.campaigns.keys().chain(revision.flows.keys());
    check("campaign", campaign, campaigns.map(String::as_str))
}

/// A flow by its id.
pub fn flow<'a>(revision: &'a Revision, id: &str) -> Result<&'a Flow, UnknownName> {
    revision.flows.get(id).ok_or_else(|| {
        let known = revision.flows.keys().map(String::as_str);
        UnknownName::new("flow", id, known)
    })
}

/// A segment by its id; `flow:ID` for the one that a flow carries itself.
pub fn segment<'a>(revision: &'a Revision, id: &str) -> Result<&'a Segment, UnknownName> {
    revision.segments.get(id).ok_or_else(|| {
        let known = revision.segments.keys().map(String::as_str);
        UnknownName::new("segment", id, known)
    })
}

/// A communication of a campaign, written as flows write it: `gold-card/offer`.
pub fn communication(revision: &Revision, written: &str) -> Result<Reuse, UnknownName> {
    let known: Vec<String> = by_hand::ids(revision).collect();
    let is_known = known.iter().any(|candidate| candidate == written);
    by_hand::reuse(written)
        .filter(|_| is_known)
        .ok_or_else(|| UnknownName::new("communication", written, known.iter().map(String::as_str)))
}

pub fn check_flow(revision: &Revision, flow: &str) -> Result<(), UnknownName> {
    check("flow", flow, revision.flows.keys().map(String::as_str))
}

pub fn check_tag(model: &DataModel, tag: &str) -> Result<(), UnknownName> {
    check("tag", tag, model.tags.keys().map(String::as_str))
}

fn check<'a>(
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), UnknownName> {
    if known.clone().any(|candidate| candidate == name) {
        Ok(())
    } else {
        Err(UnknownName::new(what, name, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_offers_the_nearest_or_lists_the_known() {
        let near = UnknownName::new("campaign", "gold-crad", ["gold-card", "onboarding"]);
        assert_eq!(
            near.to_string(),
            "unknown campaign `gold-crad`: did you mean `gold-card`?"
        );
        let far = UnknownName::new("tag", "xyz", ["vip", "staff"]);
        assert_eq!(
            far.to_string(),
            "unknown tag `xyz`: known are `vip`, `staff`"
        );
        let none = UnknownName::new("group", "xyz", []);
        assert_eq!(
            none.to_string(),
            "unknown group `xyz`: the workspace has no group"
        );
    }
}
