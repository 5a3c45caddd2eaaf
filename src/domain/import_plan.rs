//! Owns how a file is to be imported: as what, read how, matched by what, and what everybody in it gets.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::subscription::Consent;

/// Declares words once: variant, written name.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// What the rows of a file are.
    ImportKind {
        #[default]
        Customers "customers";
        Unsubscriptions "unsubscriptions";
        Interactions "interactions";
        Transactions "transactions";
    }
}

words! {
    /// What becomes of a row that matches nobody.
    NoMatch {
        /// Makes a customer.
        #[default]
        Create "create";
        /// Passes it over, and counts it.
        Skip "skip";
        /// Puts it among the rejected rows.
        Reject "reject";
    }
}

words! {
    /// What becomes of a row that matches several customers.
    SeveralMatch {
        /// Puts it among the rejected rows.
        #[default]
        Reject "reject";
        /// Changes all of them.
        All "all";
    }
}

/// How a file is to be imported. What is not said is detected, or by its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportPlan {
    pub kind: ImportKind,
    /// `,`, `;`, `tab` or `|`.
    pub delimiter: Option<String>,
    /// A name of the WHATWG Encoding Standard.
    pub encoding: Option<String>,
    /// Lines before the row that names the columns.
    pub skip_lines: u64,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// Column and field.
    pub map: Vec<(String, String)>,
    /// The field by which rows find their customers; the unique id unless given.
    pub key: Option<String>,
    pub no_match: NoMatch,
    pub several_match: SeveralMatch,
    pub tags: Vec<String>,
    pub consents: Vec<(Channel, Consent)>,
    /// A list that everybody is put on.
    pub list: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_a_plan_needs_none() {
        for kind in ImportKind::ALL {
            assert_eq!(ImportKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        let plan: ImportPlan = serde_json::from_str("{}").unwrap();
        assert_eq!(plan, ImportPlan::default());
        assert_eq!(
            (plan.no_match, plan.several_match),
            (NoMatch::Create, SeveralMatch::Reject)
        );
    }
}
