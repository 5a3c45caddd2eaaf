//! Owns the words for rows that find nobody, or several customers.

use clap::ValueEnum;

use crate::domain::import_plan::{NoMatch, SeveralMatch};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IfNobody {
    /// Makes a customer.
    Create,
    /// Passes it over, and counts it.
    Skip,
    /// Puts it among the rejected rows.
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IfSeveral {
    /// Puts it among the rejected rows.
    Reject,
    /// Changes all of them.
    All,
}

impl From<IfNobody> for NoMatch {
    fn from(one: IfNobody) -> Self {
        match one {
            IfNobody::Create => Self::Create,
            IfNobody::Skip => Self::Skip,
            IfNobody::Reject => Self::Reject,
        }
    }
}

impl From<IfSeveral> for SeveralMatch {
    fn from(one: IfSeveral) -> Self {
        match one {
            IfSeveral::Reject => Self::Reject,
            IfSeveral::All => Self::All,
        }
    }
}
