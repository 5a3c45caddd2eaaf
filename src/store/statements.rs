//! Owns the list of every constant statement, so that each is tried on every database.

use super::{
    audit, backup, changes, claims, customer_edits, customer_lists, customer_upsert, customers,
    dialect, dirty, dismissals, dispatches, enrollments, flow_edits, flows, gateways, history,
    identity, interactions, jobs, memberships, meta, moves, names, parking, pruning,
    qualifications, rechecks, requests, revisions, sequences, settlements, subscriptions,
    suppressions, switches, totals,
};

/// The files that hold statements, by name, each with its own.
pub fn statements() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("audit", audit::STATEMENTS),
        ("backup", backup::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("claims", claims::STATEMENTS),
        ("customer_edits", customer_edits::STATEMENTS),
        ("customer_edits", customer_edits::ERASING),
        ("customer_lists", customer_lists::STATEMENTS),
        ("customer_upsert", customer_upsert::STATEMENTS),
        ("customers", customers::STATEMENTS),
        ("dialect", dialect::STATEMENTS),
        ("dirty", dirty::STATEMENTS),
        ("dismissals", dismissals::STATEMENTS),
        ("dispatches", dispatches::STATEMENTS),
        ("enrollments", enrollments::STATEMENTS),
        ("flow_edits", flow_edits::STATEMENTS),
        ("flows", flows::STATEMENTS),
        ("gateways", gateways::STATEMENTS),
        ("history", history::STATEMENTS),
        ("identity", identity::STATEMENTS),
        ("interactions", interactions::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("memberships", memberships::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("moves", moves::STATEMENTS),
        ("names", names::STATEMENTS),
        ("parking", parking::STATEMENTS),
        ("pruning", pruning::STATEMENTS),
        ("qualifications", qualifications::STATEMENTS),
        ("rechecks", rechecks::STATEMENTS),
        ("requests", requests::STATEMENTS),
        ("revisions", revisions::STATEMENTS),
        ("sequences", sequences::STATEMENTS),
        ("settlements", settlements::STATEMENTS),
        ("subscriptions", subscriptions::STATEMENTS),
        ("suppressions", suppressions::STATEMENTS),
        ("switches", switches::STATEMENTS),
        ("totals", totals::STATEMENTS),
    ]
}
