//! Owns the list of the store's tables: which ones are the store, and which belong to one database.

/// A table that is part of the store, whichever database it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The columns of its primary key, in their order.
    pub key: &'static [&'static str],
    /// Whether a row may hold a whole document.
    pub is_heavy: bool,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table {
        name,
        key,
        is_heavy: false,
    }
}

const fn heavy(name: &'static str, key: &'static [&'static str]) -> Table {
    Table {
        name,
        key,
        is_heavy: true,
    }
}

/// Every table that a copy of the store has to have.
pub const TABLES: &[Table] = &[
    table("meta", &["key"]),
    table("sequences", &["name"]),
    table("names", &["number"]),
    heavy("revisions", &["revision"]),
    heavy("revision_sources", &["revision", "path"]),
    heavy("definitions", &["kind", "name"]),
    table("flow_states", &["flow"]),
    table("removed_steps", &["step"]),
    table("channel_states", &["channel"]),
    table("segment_states", &["segment"]),
    table("link_keys", &["key_no"]),
    table("tombstone_keys", &["key_no"]),
    table("last_runs", &["job"]),
    table("audit", &["entry"]),
    heavy("jobs", &["job"]),
    table("job_errors", &["job", "seq"]),
    heavy("job_parts", &["job", "part"]),
    table("lists", &["list"]),
    table("reports", &["report"]),
    heavy("report_parts", &["report", "part"]),
    heavy("imports", &["import"]),
    heavy("import_parts", &["import", "part"]),
    heavy("import_rejects", &["import", "seq"]),
    table("import_ranges", &["import", "first"]),
    table("tokens", &["token"]),
    heavy("request_answers", &["token", "key"]),
    table("webhooks", &["webhook"]),
    table("customers", &["bucket", "customer_id"]),
    table("activity", &["bucket", "customer_id"]),
    table(
        "customer_values",
        &["bucket", "customer_id", "field", "position"],
    ),
    table("customer_tags", &["bucket", "customer_id", "tag"]),
    table("list_members", &["bucket", "list", "customer_id"]),
    table("import_changes", &["bucket", "import", "customer_id"]),
    table("subscriptions", &["bucket", "customer_id", "record"]),
    table("dismissals", &["bucket", "customer_id", "campaign"]),
    table("tombstones", &["bucket", "tombstone"]),
    table("tombstone_digests", &["bucket", "digest", "tombstone"]),
    table("returned", &["bucket", "customer_id", "tombstone"]),
    table("aliases", &["bucket", "external_id"]),
    table("merged", &["bucket", "customer_id", "external_id"]),
    table("notes", &["bucket", "customer_id", "note"]),
    table("devices", &["bucket", "customer_id", "device"]),
    table("tasks", &["bucket", "customer_id", "task"]),
    table("suppressions", &["bucket", "channel", "address"]),
    table("memberships", &["bucket", "segment", "customer_id"]),
    table("dirty", &["bucket", "customer_id"]),
    table("enrollments", &["bucket", "enrollment_id"]),
    table("dispatches", &["bucket", "enrollment_id", "step"]),
    table("attempts", &["bucket", "enrollment_id", "step", "attempt"]),
    table("gateway_ids", &["bucket", "channel", "gateway_id"]),
    table(
        "early_receipts",
        &["bucket", "channel", "gateway_id", "fate"],
    ),
    heavy("frozen_messages", &["bucket", "enrollment_id", "step"]),
    table("goals", &["bucket", "enrollment_id"]),
    table("uncertain", &["bucket", "enrollment_id", "step"]),
    table("interactions", &["bucket", "customer_id", "at", "seq"]),
    table("interaction_keys", &["bucket", "customer_id", "key"]),
    table("nps_answers", &["bucket", "customer_id"]),
    table("environments", &["bucket", "customer_id"]),
    table("notices", &["bucket", "customer_id", "fact", "webhook"]),
    table(
        "past_memberships",
        &["bucket", "customer_id", "segment", "joined_at"],
    ),
];

/// Whether a table's rows belong to buckets: its key begins with one.
pub(super) fn is_by_bucket(name: &str) -> bool {
    let keyed = |table: &Table| table.name == name && table.key.first() == Some(&"bucket");
    name == LEASES || DERIVED.contains(&name) || TABLES.iter().any(keyed)
}

/// Tables of customers that are made of others, and made again in a copy.
pub(super) const DERIVED: [&str; 2] = ["search_marks", "search_texts"];

/// Where the migrator writes down what it did.
pub(super) const DONE: &str = "_sqlx_migrations";
/// Which node holds which bucket.
pub(super) const LEASES: &str = "bucket_leases";

/// The tables that a copy leaves out, and why.
pub const NOT_COPIED: &[(&str, &str)] = &[
    (DONE, "each database counts the steps of its own schema"),
    ("nodes", "who runs on this database now"),
    (
        LEASES,
        "which of those nodes holds which bucket; a migration lays its rows",
    ),
    (
        "search_texts",
        "made of the fields of customers, by the daemon",
    ),
    ("search_index", "made of those texts"),
    ("search_marks", "whose text is to be made"),
    ("search_ranges", "the same of many at once"),
    (
        "search_fields",
        "of which fields this database has made texts: none yet, so all are made",
    ),
];
