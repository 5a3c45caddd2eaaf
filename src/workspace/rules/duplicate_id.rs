//! Owns the rule `duplicate-id`: two things of one kind with the same id.
//!
//! **What it does.** Refuses a second flow, segment or campaign with the same id (a flow is a campaign
//! too), a second step with the same id in a flow, a second document for a channel, and a second policy
//! or settings document, and shows both places, across files.
//!
//! **Why.** People who are inside a flow are kept by these ids; two of one name could not be told apart.
//!
//! **Example.** A copied file whose first line was not changed.
//!
//! **Use instead.** Another id for one of them.

use std::collections::BTreeMap;

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

pub(crate) fn check(documents: &[(Kind, Node)], report: &mut impl FnMut(Finding)) {
    let mut seen = BTreeMap::new();
    for (kind, document) in documents {
        for (what, id, span) in declared(*kind, document) {
            if let Some(first) = seen.insert((what, id.clone()), span) {
                report(finding(what, &id, span, first));
                seen.insert((what, id), first);
            }
        }
        steps(document, report);
    }
}

fn declared(kind: Kind, document: &Node) -> Vec<(&'static str, String, Span)> {
    let Some((key, value)) = document.entries().first() else {
        return Vec::new();
    };
    let id = value.text().unwrap_or_default().to_owned();
    match kind {
        Kind::Flow | Kind::Campaign => vec![("flow or campaign", id, value.span)],
        Kind::Segment | Kind::SmartList => vec![("segment", id, value.span)],
        Kind::Channel => vec![("channel", id, value.span)],
        Kind::Policy => vec![("document", "policy".to_owned(), key.span)],
        Kind::Workspace => vec![("document", "workspace".to_owned(), key.span)],
        Kind::Customers => keys(value, "fields", "field")
            .chain(keys(value, "tags", "tag"))
            .collect(),
        Kind::Test => Vec::new(),
    }
}

fn keys(
    model: &Node,
    map: &str,
    what: &'static str,
) -> impl Iterator<Item = (&'static str, String, Span)> {
    let entries = model.get(map).map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(move |(key, _)| Some((what, key.text()?.to_owned(), key.span)))
}

fn steps(document: &Node, report: &mut impl FnMut(Finding)) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let steps = document.get("steps").map(Node::items).unwrap_or_default();
    for id in steps.iter().filter_map(|step| step.get("id")) {
        let Some(text) = id.text() else { continue };
        match seen.get(text) {
            Some(first) => report(finding("step", text, id.span, *first)),
            None => drop(seen.insert(text, id.span)),
        }
    }
}

fn finding(what: &str, id: &str, span: Span, first: Span) -> Finding {
    let message = match what {
        "document" => format!("there is another `{id}` document"),
        _ => format!("`{id}` is already the id of a {what}"),
    };
    Finding::error("duplicate-id", span, message)
        .help("give one of them another id, or remove it")
        .also(first, "the first is here")
}
