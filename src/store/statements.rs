//! Owns the list of every constant statement, so that each is tried on every database.

use std::borrow::Cow;

use super::dialect::Dialect;
use super::{
    audit, changes, check, claims, crossings, customer_edits, customer_extras, customer_lists,
    customers, dirty, dismissals, dispatches, due, enrollments, flow_edits, flows, gateways,
    history, identity, interactions, jobs, ledger, memberships, meta, moves, names, nodes,
    outcomes, parking, pruning, qualifications, rechecks, requests, revisions, runs, sequences,
    settlements, standing, status, subscriptions, suppressions, switches, totals,
};

/// The files that hold statements, by name, each with its own as this database takes them.
pub fn statements(dialect: Dialect) -> Vec<(&'static str, Vec<Cow<'static, str>>)> {
    let own = |(file, texts): (&'static str, &[&'static str])| {
        let texts = texts.iter().map(|text| dialect.text(Cow::Borrowed(*text)));
        (file, texts.collect())
    };
    let server = match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres | Dialect::Citus => Some(("nodes", nodes::KEEPING)),
    };
    all().into_iter().chain(server).map(own).collect()
}

fn all() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("audit", audit::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("check", check::STATEMENTS),
        ("claims", claims::STATEMENTS),
        ("crossings", crossings::STATEMENTS),
        ("customer_edits", customer_edits::STATEMENTS),
        ("customer_edits", customer_edits::ERASING),
        ("customer_extras", customer_extras::STATEMENTS),
        ("customer_lists", customer_lists::STATEMENTS),
        ("customers", customers::STATEMENTS),
        ("dirty", dirty::STATEMENTS),
        ("dismissals", dismissals::STATEMENTS),
        ("dispatches", dispatches::STATEMENTS),
        ("due", due::STATEMENTS),
        ("enrollments", enrollments::STATEMENTS),
        ("flow_edits", flow_edits::STATEMENTS),
        ("flows", flows::STATEMENTS),
        ("gateways", gateways::STATEMENTS),
        ("history", history::STATEMENTS),
        ("identity", identity::STATEMENTS),
        ("interactions", interactions::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("ledger", ledger::STATEMENTS),
        ("memberships", memberships::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("moves", moves::STATEMENTS),
        ("names", names::STATEMENTS),
        ("nodes", nodes::STATEMENTS),
        ("outcomes", outcomes::STATEMENTS),
        ("parking", parking::STATEMENTS),
        ("pruning", pruning::STATEMENTS),
        ("qualifications", qualifications::STATEMENTS),
        ("rechecks", rechecks::STATEMENTS),
        ("requests", requests::STATEMENTS),
        ("revisions", revisions::STATEMENTS),
        ("runs", runs::STATEMENTS),
        ("sequences", sequences::STATEMENTS),
        ("settlements", settlements::STATEMENTS),
        ("standing", standing::STATEMENTS),
        ("status", status::STATEMENTS),
        ("subscriptions", subscriptions::STATEMENTS),
        ("suppressions", suppressions::STATEMENTS),
        ("switches", switches::STATEMENTS),
        ("totals", totals::STATEMENTS),
    ]
}
