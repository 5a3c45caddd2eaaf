//! Owns the list of every constant statement, so that each is tried on every database.

use std::borrow::Cow;

use super::apart::Reach;
use super::dialect::Dialect;
use super::{
    aliases, audit, awaiting, bars, by_hand, changes, check, claims, closing, connecting,
    conversions, crossings, customer_edits, customer_extras, customer_lists, customer_pages,
    customers, dead_addresses, definitions, devices, dirty, dismissals, dispatches, due, endings,
    enrollments, environments, erasure, fates, field_erasure, field_traces, flow_counts,
    flow_edits, flows, gateways, goals, hearing, history, idempotency, identity, import_back,
    import_before, import_files, import_pages, import_revert, imports, interactions, job_holds,
    jobs, last_runs, ledger, list_conversions, list_members, lists, memberships, merging, meta,
    moves, names, nodes, notes, notices, noting, nps, occurrences, outcomes, parking, pruning,
    qualifications, ratings, reach, receipts, rechecks, reports, requests, revisions, runs,
    search_index, search_marks, sequences, settlements, standing, status, statuses, subscriptions,
    suppressions, switches, tag_carriers, tagging, tasks, tokens, tombstones, totals, traces,
    uncertain, unsubscribing, visitors, webhooks, withholding,
};

/// The files that hold statements, by name, each with its own as this database takes them.
pub fn statements(dialect: Dialect) -> Vec<(&'static str, Vec<Cow<'static, str>>)> {
    let own = |(file, texts): (&'static str, &[&'static str])| {
        let texts = texts.iter().map(|text| dialect.text(Cow::Borrowed(*text)));
        (file, texts.collect())
    };
    let alone = match dialect {
        Dialect::Sqlite => IN_FILE,
        Dialect::Postgres | Dialect::Citus => ON_SERVER,
    };
    all()
        .into_iter()
        .chain(alone.iter().copied())
        .map(own)
        .collect()
}

/// Where each constant statement goes on Citus, by the file that holds it.
pub fn reaches() -> Vec<(&'static str, &'static str, Reach)> {
    let files = all().into_iter().chain(ON_SERVER.iter().copied());
    let of = |text: &&'static str| Dialect::Citus.expanded(Cow::Borrowed(*text)).reach;
    files
        .flat_map(|(file, texts)| texts.iter().map(move |text| (file, *text, of(text))))
        .collect()
}

/// What only one kind of database has.
const IN_FILE: &[(&str, &[&str])] = &[("search_index", search_index::IN_FILE)];
const ON_SERVER: &[(&str, &[&str])] = &[
    ("nodes", nodes::KEEPING),
    ("search_index", search_index::ON_SERVER),
];

#[expect(clippy::too_many_lines, reason = "a line for each file")]
fn all() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("aliases", aliases::STATEMENTS),
        ("audit", audit::STATEMENTS),
        ("awaiting", awaiting::STATEMENTS),
        ("bars", bars::STATEMENTS),
        ("by_hand", by_hand::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("check", check::STATEMENTS),
        ("claims", claims::STATEMENTS),
        ("closing", closing::STATEMENTS),
        ("connecting", connecting::STATEMENTS),
        ("conversions", conversions::STATEMENTS),
        ("crossings", crossings::STATEMENTS),
        ("customer_edits", customer_edits::STATEMENTS),
        ("customer_extras", customer_extras::STATEMENTS),
        ("customer_lists", customer_lists::STATEMENTS),
        ("customer_pages", customer_pages::STATEMENTS),
        ("customers", customers::STATEMENTS),
        ("dead_addresses", dead_addresses::STATEMENTS),
        ("definitions", definitions::STATEMENTS),
        ("devices", devices::STATEMENTS),
        ("dirty", dirty::STATEMENTS),
        ("dismissals", dismissals::STATEMENTS),
        ("dispatches", dispatches::STATEMENTS),
        ("due", due::STATEMENTS),
        ("endings", endings::STATEMENTS),
        ("enrollments", enrollments::STATEMENTS),
        ("environments", environments::STATEMENTS),
        ("erasure", erasure::STATEMENTS),
        ("erasure", erasure::ERASING),
        ("fates", fates::STATEMENTS),
        ("field_erasure", field_erasure::STATEMENTS),
        ("field_traces", field_traces::STATEMENTS),
        ("flow_counts", flow_counts::STATEMENTS),
        ("flow_edits", flow_edits::STATEMENTS),
        ("flows", flows::STATEMENTS),
        ("gateways", gateways::STATEMENTS),
        ("goals", goals::STATEMENTS),
        ("hearing", hearing::STATEMENTS),
        ("history", history::STATEMENTS),
        ("idempotency", idempotency::STATEMENTS),
        ("identity", identity::STATEMENTS),
        ("import_back", import_back::STATEMENTS),
        ("import_before", import_before::STATEMENTS),
        ("import_files", import_files::STATEMENTS),
        ("import_pages", import_pages::STATEMENTS),
        ("import_revert", import_revert::STATEMENTS),
        ("imports", imports::STATEMENTS),
        ("interactions", interactions::STATEMENTS),
        ("job_holds", job_holds::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("last_runs", last_runs::STATEMENTS),
        ("ledger", ledger::STATEMENTS),
        ("list_members", list_members::STATEMENTS),
        ("lists", lists::STATEMENTS),
        ("list_conversions", list_conversions::STATEMENTS),
        ("memberships", memberships::STATEMENTS),
        ("merging", merging::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("moves", moves::STATEMENTS),
        ("names", names::STATEMENTS),
        ("nodes", nodes::STATEMENTS),
        ("notes", notes::STATEMENTS),
        ("notices", notices::STATEMENTS),
        ("noting", noting::STATEMENTS),
        ("nps", nps::STATEMENTS),
        ("occurrences", occurrences::STATEMENTS),
        ("outcomes", outcomes::STATEMENTS),
        ("parking", parking::STATEMENTS),
        ("pruning", pruning::STATEMENTS),
        ("qualifications", qualifications::STATEMENTS),
        ("ratings", ratings::STATEMENTS),
        ("receipts", receipts::STATEMENTS),
        ("reach", reach::STATEMENTS),
        ("rechecks", rechecks::STATEMENTS),
        ("reports", reports::STATEMENTS),
        ("requests", requests::STATEMENTS),
        ("revisions", revisions::STATEMENTS),
        ("runs", runs::STATEMENTS),
        ("search_index", search_index::STATEMENTS),
        ("search_marks", search_marks::STATEMENTS),
        ("sequences", sequences::STATEMENTS),
        ("settlements", settlements::STATEMENTS),
        ("standing", standing::STATEMENTS),
        ("status", status::STATEMENTS),
        ("statuses", statuses::STATEMENTS),
        ("subscriptions", subscriptions::STATEMENTS),
        ("suppressions", suppressions::STATEMENTS),
        ("switches", switches::STATEMENTS),
        ("tagging", tagging::STATEMENTS),
        ("tag_carriers", tag_carriers::STATEMENTS),
        ("tasks", tasks::STATEMENTS),
        ("tokens", tokens::STATEMENTS),
        ("tombstones", tombstones::STATEMENTS),
        ("totals", totals::STATEMENTS),
        ("traces", traces::STATEMENTS),
        ("uncertain", uncertain::STATEMENTS),
        ("unsubscribing", unsubscribing::STATEMENTS),
        ("visitors", visitors::STATEMENTS),
        ("webhooks", webhooks::STATEMENTS),
        ("withholding", withholding::STATEMENTS),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::apart::Why::{self, People, Upkeep, Waiting};
    use super::*;

    /// Nobody else asks all shards at once, and each of these only reads.
    const EVERYWHERE: &[(&str, Why)] = &[
        ("aliases", People),
        ("check", Upkeep),
        ("check", Upkeep),
        ("customer_pages", People),
        ("customers", People),
        ("devices", People),
        ("dirty", Waiting),
        ("due", Waiting),
        ("due", People),
        ("field_erasure", Upkeep),
        ("field_traces", Upkeep),
        ("flow_counts", People),
        ("flow_counts", People),
        ("flow_counts", People),
        ("flow_counts", People),
        ("flow_counts", People),
        ("flow_counts", People),
        ("import_revert", People),
        ("ledger", People),
        ("lists", People),
        ("lists", People),
        ("nodes", Waiting),
        ("notices", Waiting),
        ("qualifications", Waiting),
        ("ratings", People),
        ("reach", People),
        ("requests", Waiting),
        ("requests", Waiting),
        ("search_marks", Waiting),
        ("status", People),
        ("status", People),
        ("tag_carriers", People),
        ("tag_carriers", People),
        ("tag_carriers", Upkeep),
        ("uncertain", People),
        ("webhooks", People),
    ];

    #[test]
    fn on_citus_every_statement_goes_to_one_shard_or_says_why_not() {
        let mut everywhere = Vec::new();
        for (file, text, reach) in reaches() {
            assert_ne!(reach, Reach::Unsaid, "{file}: {text}");
            let text = Dialect::Citus.text(text.into());
            let is_about_nobody = super::super::confine::tables(&text).named == 0;
            assert_eq!(
                reach == Reach::Coordinator,
                is_about_nobody,
                "{file}: {text}"
            );
            if let Reach::Everywhere(why) = reach {
                assert!(text.starts_with("SELECT "), "{file}: {text}");
                assert!(!text.contains(" FOR "), "{file}: {text}");
                everywhere.push((file, why));
            }
        }
        assert_eq!(everywhere, EVERYWHERE);
    }

    #[test]
    fn what_goes_to_one_shard_at_a_time_is_kept_to_its_buckets() {
        let apart = |(_, text, reach): &(&str, &'static str, Reach)| {
            let is_apart = reach.source().is_some();
            is_apart.then(|| Dialect::Citus.text((*text).into()))
        };
        let apart: Vec<_> = reaches().iter().filter_map(apart).collect();
        assert!(apart.len() > 60, "{}", apart.len());
        for text in apart {
            let tables = super::super::confine::tables(&text);
            let kept = text.matches("bucket = ANY(CAST($").count();
            assert_eq!(kept, tables.read, "{text}");
        }
    }
}
