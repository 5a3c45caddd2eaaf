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

use std::collections::{BTreeMap, VecDeque};

use crate::workspace::diagnostic::Finding;
use crate::workspace::document::Kind;
use crate::workspace::node::{Node, Span};

type Edges<'a> = BTreeMap<&'a str, (Span, Vec<&'a str>)>;

pub(crate) fn check(documents: &[(Kind, Node)], report: &mut impl FnMut(Finding)) {
    let edges: Edges<'_> = documents
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::Segment | Kind::SmartList))
        .filter_map(|(_, document)| {
            let id = document.entries().first().map(|(_, id)| id)?;
            Some((id.text()?, (id.span, named_by(document))))
        })
        .collect();
    for (start, (span, _)) in &edges {
        // A circle is told once, at the segment that comes first in the alphabet.
        let path = way_back(&edges, start);
        if path.iter().min() == Some(start) {
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

/// The segments on the shortest way from `start` back to itself, `start` first; none without a way.
fn way_back<'a>(edges: &Edges<'a>, start: &'a str) -> Vec<&'a str> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(here) = next.pop_front() {
        let (_, named) = &edges[here];
        for there in named.iter().filter(|there| edges.contains_key(*there)) {
            if *there == start {
                let steps = std::iter::successors(Some(here), |step| came_from.get(step).copied());
                let mut path: Vec<&str> = steps.collect();
                path.reverse();
                return path;
            }
            if !came_from.contains_key(there) {
                came_from.insert(there, here);
                next.push_back(there);
            }
        }
    }
    Vec::new()
}

fn finding(span: Span, start: &str, path: &[&str]) -> Finding {
    let names: Vec<String> = path.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("this segment comes back to itself: {} → `{start}`", names.join(" → "));
    Finding::error("segment-circle", span, message)
        .help("move what they share into a segment that names none of them")
}
