//! Owns the rule `file-wins`: something is defined in a file and in the store (a warning).
//!
//! **What it does.** Warns when a field, tag, segment or smart list that people made in the store has a
//! namesake in a file. The file's is used.
//!
//! **Why.** Two definitions of one name are one too many, and a file is reviewed.
//!
//! **Example.** A tag `vip` made by the API, and later declared under `tags:` of a `customers:` document.
//!
//! **Use instead.** Remove one of them: `drumbeat tag remove vip` leaves the file's.

use crate::domain::definition::DefinitionKind;
use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

/// Where the files define what has this kind and name, if they do.
pub(crate) fn namesake(
    documents: &[(Kind, Node)],
    kind: DefinitionKind,
    name: &str,
) -> Option<Span> {
    let key = |document: &Node, map: &str| {
        let (_, model) = document.entries().first()?;
        let (key, _) = model.get(map)?.entry(name)?;
        Some(key.span)
    };
    let id = |document: &Node| {
        let (_, id) = document.entries().first()?;
        (id.text() == Some(name)).then_some(id.span)
    };
    documents.iter().find_map(|(of, document)| match (kind, of) {
        (DefinitionKind::Field, Kind::Customers) => key(document, "fields"),
        (DefinitionKind::Tag, Kind::Customers) => key(document, "tags"),
        (DefinitionKind::Segment | DefinitionKind::SmartList, Kind::Segment | Kind::SmartList) => {
            id(document)
        }
        _ => None,
    })
}

pub(crate) fn finding(span: Span, kind: DefinitionKind, name: &str, of_file: Span) -> Finding {
    let message = format!("the {kind} `{name}` is defined in a file, too, and the file's is used");
    Finding::warning("file-wins", span, message)
        .help("remove one of the two")
        .also(of_file, "the file's is here")
}
