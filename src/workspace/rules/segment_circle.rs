//! Owns the rule `segment-circle`: segments that name each other in a circle.
//!
//! **What it does.** Refuses a segment that, through the segments it names, comes back to itself.
//!
//! **Why.** It has no meaning: whether somebody is in it would depend on whether they are in it.
//!
//! **Example.**
//! ```yaml
//! segment: a
//! where: { segment: b }
//! ---
//! segment: b
//! where: { segment: a }
//! ```
//! **Use instead.** Move what they share into a third segment that names neither.

use std::collections::BTreeMap;

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

type Edges<'a> = BTreeMap<&'a str, (Span, Vec<&'a str>)>;

pub(crate) fn check(documents: &[(Kind, Node)], report: &mut impl FnMut(Finding)) {
    let edges: Edges<'_> = documents
        .iter()
        .filter(|(kind, _)| *kind == Kind::Segment)
        .filter_map(|(_, document)| {
            let id = document.entries().first().map(|(_, id)| id)?;
            Some((id.text()?, (id.span, named_by(document))))
        })
        .collect();
    for (start, (span, _)) in &edges {
        // A circle is told once, at the segment that comes first in the alphabet.
        if let Some(path) = way_back(&edges, start, start, &mut Vec::new())
            && path.iter().min() == Some(start)
        {
            report(finding(*span, start, &path));
        }
    }
}

fn named_by(document: &Node) -> Vec<&str> {
    let mut named = Vec::new();
    if let Some(condition) = document.get("where") {
        condition.walk(&mut |node| {
            named.extend(node.get("segment").and_then(Node::text));
        });
    }
    named
}

/// The segments from `from` back to `start`, if there is a way; `seen` keeps other circles out.
fn way_back<'a>(
    edges: &Edges<'a>,
    start: &str,
    from: &'a str,
    seen: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    let (_, named) = edges.get(from)?;
    for next in named {
        if *next == start {
            return Some(vec![from]);
        }
        if !seen.contains(next) {
            seen.push(next);
            if let Some(mut path) = way_back(edges, start, next, seen) {
                path.insert(0, from);
                return Some(path);
            }
        }
    }
    None
}

fn finding(span: Span, start: &str, path: &[&str]) -> Finding {
    let names: Vec<String> = path.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("this segment comes back to itself: {} → `{start}`", names.join(" → "));
    Finding::error("segment-circle", span, message)
        .help("move what they share into a segment that names none of them")
}
