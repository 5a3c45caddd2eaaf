//! Owns the list of every constant statement, so that each is tried on every database.

use super::{
    changes, customer_lists, customer_upsert, customers, dialect, dirty, flow_edits, interactions,
    meta, names, revisions, sequences,
};

/// The files that hold statements, by name, each with its own.
pub fn statements() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("changes", changes::STATEMENTS),
        ("customer_lists", customer_lists::STATEMENTS),
        ("customer_upsert", customer_upsert::STATEMENTS),
        ("customers", customers::STATEMENTS),
        ("dialect", dialect::STATEMENTS),
        ("dirty", dirty::STATEMENTS),
        ("flow_edits", flow_edits::STATEMENTS),
        ("interactions", interactions::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("names", names::STATEMENTS),
        ("revisions", revisions::STATEMENTS),
        ("sequences", sequences::STATEMENTS),
    ]
}
