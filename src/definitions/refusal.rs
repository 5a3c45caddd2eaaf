//! Owns why a change of a definition is not made.

use serde::Serialize;

use super::survey::Survey;
use crate::domain::approval::Reach;
use crate::domain::definition::DefinitionKind;
use crate::store;
use crate::workspace::{self, Diagnostic, Sources};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is no {kind} `{name}`")]
    Unknown { kind: DefinitionKind, name: String },
    #[error("there is a {kind} `{name}` already: change it, or choose another name")]
    Exists { kind: DefinitionKind, name: String },
    #[error("the {kind} `{name}` is defined in `{file}`: change it there")]
    InFile {
        kind: DefinitionKind,
        name: String,
        file: String,
    },
    #[error("every workspace has the field `{0}`: it cannot be removed")]
    BuiltIn(String),
    #[error("the {kind} `{name}` has changed since it was read: read it again, then change it")]
    Moved { kind: DefinitionKind, name: String },
    /// With all of it as `check` shows it.
    #[error("{}", told(.mistakes))]
    Wrong {
        mistakes: Vec<Mistake>,
        shown: String,
    },
    #[error(
        "{lost} of the {customers} customers with a value of `{field}` would lose it: see which with a dry run, \
         then say that these values may be dropped",
        lost = .0.lost, customers = .0.customers, field = .0.field
    )]
    Loses(Box<Survey>),
    #[error(
        "{} the tag `{tag}`: say that it is to be taken from them",
        if *.count == 1 { "1 customer carries".to_owned() } else { format!("{count} customers carry") }
    )]
    Carried { tag: String, count: u64 },
    #[error(
        "{} customers would newly enter flows, and above {} somebody must agree (`policy.approval`): make the \
         change in a file, where it waits for `drumbeat approve`",
        .0.customers(), .0.above
    )]
    Reaches(Reach),
    #[error("no revision is in force yet: start the daemon, or run any command in the workspace")]
    NoRevision,
    #[error("others change definitions all the time: try again")]
    Contended,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the check was broken off: {0}")]
    BrokenOff(#[from] tokio::task::JoinError),
}

/// One thing that is wrong with a change, or would be wrong after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where in the body of the change: a JSON pointer (RFC 6901); none: elsewhere.
    pub pointer: Option<String>,
    /// The page of the rule.
    pub code: String,
    /// The file, or what was made in the store.
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
    pub help: Option<String>,
}

impl Mistake {
    pub(super) fn of(
        sources: &Sources,
        changed: (DefinitionKind, &str),
        diagnostic: &Diagnostic,
    ) -> Self {
        let place = workspace::pointer(sources, diagnostic);
        let pointer = place.filter(|(kind, name, _)| (*kind, name.as_str()) == changed);
        Self {
            pointer: pointer.map(|(_, _, pointer)| pointer),
            code: diagnostic.code.to_owned(),
            file: diagnostic.file.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }

    pub(super) fn at(pointer: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: Some(pointer.to_owned()),
            code: code.to_owned(),
            file: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            help: None,
        }
    }

    /// What is wrong and what to do about it; with the place when that is elsewhere.
    pub fn sentence(&self) -> String {
        let help = self.help.iter().map(|help| format!(" ({help})"));
        let help: String = help.collect();
        match &self.pointer {
            Some(_) => format!("{}{help}", self.message),
            None => format!(
                "{}:{}:{}: {}{help}",
                self.file, self.line, self.column, self.message
            ),
        }
    }
}

fn told(mistakes: &[Mistake]) -> String {
    let told: Vec<String> = mistakes.iter().map(Mistake::sentence).collect();
    told.join("\n")
}
