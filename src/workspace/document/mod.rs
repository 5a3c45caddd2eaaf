//! Owns what is written: one type per kind of document, from which its JSON Schema is made too.

pub(crate) mod campaign;
pub(crate) mod channel;
pub(crate) mod customers;
pub(crate) mod flow;
pub(crate) mod leaf;
pub(crate) mod policy;
pub(crate) mod segment;
pub(crate) mod settings;
pub(crate) mod test;
pub(crate) mod texts;
pub(crate) mod timing;
pub(crate) mod variants;
pub(crate) mod word;

/// What a document defines; its first key says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Flow,
    Segment,
    SmartList,
    Campaign,
    Customers,
    Policy,
    Channel,
    Workspace,
    Test,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Flow,
        Self::Segment,
        Self::SmartList,
        Self::Campaign,
        Self::Customers,
        Self::Policy,
        Self::Channel,
        Self::Workspace,
        Self::Test,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Segment => "segment",
            Self::SmartList => "smart-list",
            Self::Campaign => "campaign",
            Self::Customers => "customers",
            Self::Policy => "policy",
            Self::Channel => "channel",
            Self::Workspace => "workspace",
            Self::Test => "test",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether secrets may be referred to.
    pub(crate) fn is_of_it(self) -> bool {
        matches!(self, Self::Channel | Self::Workspace)
    }
}
