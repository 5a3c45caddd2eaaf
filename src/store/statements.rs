//! Owns the list of every constant statement, so that each is tried on every database.

use super::{
    audit, backup, changes, customer_edits, customer_lists, customer_upsert, customers, dialect,
    dirty, dismissals, flow_edits, history, identity, interactions, jobs, meta, names, revisions,
    sequences, subscriptions, suppressions, switches, totals,
};

/// The files that hold statements, by name, each with its own.
pub fn statements() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("audit", audit::STATEMENTS),
        ("backup", backup::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("customer_edits", customer_edits::STATEMENTS),
        ("customer_edits", customer_edits::ERASING),
        ("customer_lists", customer_lists::STATEMENTS),
        ("customer_upsert", customer_upsert::STATEMENTS),
        ("customers", customers::STATEMENTS),
        ("dialect", dialect::STATEMENTS),
        ("dirty", dirty::STATEMENTS),
        ("dismissals", dismissals::STATEMENTS),
        ("flow_edits", flow_edits::STATEMENTS),
        ("history", history::STATEMENTS),
        ("identity", identity::STATEMENTS),
        ("interactions", interactions::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("names", names::STATEMENTS),
        ("revisions", revisions::STATEMENTS),
        ("sequences", sequences::STATEMENTS),
        ("subscriptions", subscriptions::STATEMENTS),
        ("suppressions", suppressions::STATEMENTS),
        ("switches", switches::STATEMENTS),
        ("totals", totals::STATEMENTS),
    ]
}
