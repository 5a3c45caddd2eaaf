//! Owns the edges of a condition: where time alone, without any change, moves customers in or out.

use jiff::Timestamp;

use super::bind::Bind;
use super::customer_columns::{Class, Column};
use super::segment_did::{dispatches_of, interactions_of};
use super::segment_frame::{Binds, Predicate, microseconds};
use super::segment_sql::moment_column;
use crate::domain::interaction::Kind;
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::domain::segment::{Condition, DateTest, Test};

/// One way in which time moves customers over the edge of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edge {
    /// When the clock reaches the instant in the column of `c`, and so many microseconds more.
    Instant { column: String, offset: i64 },
    /// When a day begins in the workspace's zone.
    Daily,
    /// When something they did is so many microseconds old.
    Did { kind: Kind, offset: i64 },
}

/// All edges of a condition and of the segments it names; none: time changes nothing.
pub fn edges(condition: &Condition, revision: &Revision) -> Vec<Edge> {
    let mut edges = Vec::new();
    collect(condition, revision, &mut edges, &mut Vec::new());
    edges
}

fn collect<'a>(
    condition: &'a Condition,
    revision: &'a Revision,
    edges: &mut Vec<Edge>,
    seen: &mut Vec<&'a str>,
) {
    let mut inner = Vec::new();
    condition.walk(&mut |part| {
        if let Condition::Segment(id) = part {
            inner.extend(revision.segments.get(id));
        }
        for edge in of_part(part, revision) {
            if !edges.contains(&edge) {
                edges.push(edge);
            }
        }
    });
    for segment in inner {
        if !seen.contains(&segment.id.as_str()) {
            seen.push(&segment.id);
            collect(&segment.condition, revision, edges, seen);
        }
    }
}

fn of_part(part: &Condition, revision: &Revision) -> Vec<Edge> {
    match part {
        Condition::Field {
            field,
            test: Test::Date(test),
        } => {
            let field = revision.data_model.field(field);
            match field.and_then(|field| Column::of(field).ok()) {
                Some(column) if column.class == Class::Instant => {
                    of_instant(&format!("c.{}", column.name), test)
                }
                Some(_) if is_relative(test) => vec![Edge::Daily],
                _ => Vec::new(),
            }
        }
        Condition::Moment { moment, test } => of_instant(moment_column(*moment), test),
        Condition::Rating(Rating::Discarded | Rating::Inactive) => Vec::new(),
        Condition::Rating(_) => vec![Edge::Daily],
        Condition::Did(did) => did
            .within_last
            .map(|span| Edge::Did {
                kind: did.kind,
                offset: microseconds(span),
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn is_relative(test: &DateTest) -> bool {
    matches!(
        test,
        DateTest::WithinLast(_)
            | DateTest::OlderThan(_)
            | DateTest::ExactlyAgo(_)
            | DateTest::WithinNext(_)
            | DateTest::Anniversary { .. }
    )
}

fn of_instant(column: &str, test: &DateTest) -> Vec<Edge> {
    let at = |offset| Edge::Instant {
        column: column.to_owned(),
        offset,
    };
    match test {
        DateTest::WithinLast(span) => vec![at(0), at(microseconds(*span))],
        DateTest::OlderThan(span) => vec![at(microseconds(*span))],
        DateTest::WithinNext(span) => vec![at(-microseconds(*span)), at(0)],
        DateTest::ExactlyAgo(_) | DateTest::Anniversary { .. } => vec![Edge::Daily],
        _ => Vec::new(),
    }
}

/// Those customers whom an edge can have met after `from` and up to `until`, as SQL over `c`;
/// none when there can be nobody.
pub(super) fn touched_sql(
    edges: &[Edge],
    revision: &Revision,
    (from, until): (Timestamp, Timestamp),
    first_placeholder: usize,
) -> Option<Predicate> {
    let mut binds = Binds::from(first_placeholder);
    let zone = revision.time_zone();
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let mut parts = Vec::new();
    for edge in edges {
        match edge {
            Edge::Daily if day(from) == day(until) => {}
            Edge::Daily => {
                return Some(Predicate {
                    sql: "(1 = 1)".to_owned(),
                    binds: Vec::new(),
                });
            }
            Edge::Instant { column, offset } => {
                parts.push(met(&mut binds, column, *offset, from, until));
            }
            Edge::Did { kind, offset } => {
                let (done, at) = match kind.sent_on() {
                    Some(channel) => (dispatches_of(&mut binds, channel), "d.at"),
                    None => (interactions_of(&mut binds, *kind), "i.at"),
                };
                let met = met(&mut binds, at, *offset, from, until);
                parts.push(format!("EXISTS (SELECT 1 {done} AND {met})"));
            }
        }
    }
    (!parts.is_empty()).then(|| Predicate {
        sql: format!("({})", parts.join(" OR ")),
        binds: binds.values,
    })
}

fn met(binds: &mut Binds, column: &str, offset: i64, from: Timestamp, until: Timestamp) -> String {
    let from = binds.add(Bind::Int(from.as_microsecond() - offset));
    let until = binds.add(Bind::Int(until.as_microsecond() - offset));
    format!("({column} > {from} AND {column} <= {until})")
}
