//! Owns what differs between databases: how a batch bound as one JSON text becomes rows.

/// The rows of a JSON array of customer or enrollment numbers, bound as `$1`: `bucket` and `id`.
macro_rules! ids {
    () => {
        "(SELECT value >> 48 AS bucket, value AS id FROM json_each($1))"
    };
}

/// The rows of a JSON array of arrays, bound as `$1`: a name, a type and a place for each column.
macro_rules! rows {
    ($($name:ident $kind:ident $place:literal),+) => {
        concat!(
            "(SELECT ",
            $("CAST(value ->> ", $place, " AS ", stringify!($kind), ") AS ", stringify!($name), ", ",)+
            "1 AS one FROM json_each($1))"
        )
    };
}

/// The head of a statement whose rows come out as one JSON array of arrays of these columns.
macro_rules! listed {
    ($columns:literal) => {
        concat!("SELECT json_group_array(json_array(", $columns, ")) FROM ")
    };
}

/// All values of a column as one JSON array: rows that are fetched one by one cost several times as much.
macro_rules! list {
    ($column:literal) => {
        concat!("json_group_array(", $column, ")")
    };
}

/// How an insert begins whose failure ends the whole transaction: pages need not be kept aside, so that
/// it alone could be undone.
macro_rules! insert_or_end {
    () => {
        "INSERT OR FAIL INTO "
    };
}

pub(super) use {ids, insert_or_end, list, listed, rows};

/// The most binds that one statement takes (`SQLITE_MAX_VARIABLE_NUMBER`).
pub(super) const MOST_BINDS: usize = 32_766;

/// The columns that `customers` has now.
pub(super) const CUSTOMER_COLUMNS: &str = "SELECT name FROM pragma_table_info('customers')";

/// Whether `column` is one of a JSON array of numbers or texts, bound as `placeholder`.
pub(super) fn one_of(column: &str, placeholder: usize) -> String {
    format!("{column} IN (SELECT value FROM json_each(${placeholder}))")
}

/// A floating number as a text that reads back as exactly that number; some other text for NULL.
pub(super) fn exact(column: &str) -> String {
    format!("quote({column})")
}

pub(super) const STATEMENTS: &[&str] = &[CUSTOMER_COLUMNS];
