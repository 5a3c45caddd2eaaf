//! Owns what differs between databases: a statement is written once, with a few forms that begin with
//! `@`, and each database gets its own text of it.
//!
//! | form | stands for |
//! |---|---|
//! | `@ids` | the rows of a JSON array of customer or enrollment numbers, bound as `$1`: `bucket`, `id` |
//! | `@rows(name TYPE place, …)` | the rows of a JSON array of arrays, bound as `$1` |
//! | `@numbers($n)` | the rows of a JSON array of numbers: `value` |
//! | `@buckets($n)` | the same of buckets: on Citus those of one shard at a time |
//! | `@first` `@last` | the two numbers of a JSON array, bound as `$1` |
//! | `@array(a, b)` | a JSON array of these |
//! | `@list(a)` | all values of a column as one JSON array; rows fetched one by one cost several times as much |
//! | `@json(SELECT …)` | a query for one JSON value, within another |
//! | `@exact(a)` | a floating number as a text that reads back as exactly that number |
//! | `@everywhere(why)` | nothing: on Citus, the statement asks all shards at once, for `people` who wait, for `upkeep`, or while `waiting` for work |
//! | `@lower(a)` | the text with its ASCII letters small |
//! | `@insert` | an insert whose failure ends the whole transaction |
//! | `@there` `@share` `@alone` | locks what was read until the transaction ends: against deletion, changes, all |
//! | `@now` | the database's own time, in microseconds |
//! | `@due` | the enrollments of lane `$1` that are due at `$2`, at most `$3`, in the stripes of the JSON array `$4` |
//! | `@nextdue` | when the first is due of lane `l.lane`, in the stripes of the JSON array `$2` |

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::apart::Reach;
use super::batch::{Column, Kind, Shape};
use super::confine::confined;
use super::forms::{
    DUE, DUE_BY_STRIPE, NEXT_DUE, NEXT_DUE_BY_STRIPE, inside, json_rows, last_place,
};

/// The databases that the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    Sqlite,
    Postgres,
    /// PostgreSQL, with the tables of customers spread over many servers.
    Citus,
}

/// The rows of a JSON array of customer or enrollment numbers, bound as `$1`: `bucket` and `id`.
macro_rules! ids {
    () => {
        "@ids"
    };
}

/// The rows of a JSON array of arrays, bound as `$1`: a name, a type and a place for each column.
macro_rules! rows {
    ($first:ident $kind:ident $place:literal $(, $name:ident $other:ident $at:literal)*) => {
        concat!(
            "@rows(", stringify!($first), " ", stringify!($kind), " ", $place,
            $(", ", stringify!($name), " ", stringify!($other), " ", $at,)*
            ")"
        )
    };
}

/// The head of a statement whose rows come out as one JSON array of arrays of these columns.
macro_rules! listed {
    ($columns:literal) => {
        concat!("SELECT @list(@array(", $columns, ")) FROM ")
    };
}

pub(super) use {ids, listed, rows};

/// The most binds that one statement takes (`SQLITE_MAX_VARIABLE_NUMBER`; PostgreSQL: 65,535).
pub(super) const MOST_BINDS: usize = 32_766;

/// What the values of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    Text,
    Whole,
    Number,
}

/// Whether `column` is one of a JSON array, bound as `placeholder`.
pub(super) fn one_of(column: &str, listed: Listed, placeholder: usize) -> String {
    let kind = match listed {
        Listed::Text => "TEXT",
        Listed::Whole => "BIGINT",
        Listed::Number => "DOUBLE PRECISION",
    };
    format!("{column} IN (SELECT CAST(value AS {kind}) FROM @each(${placeholder}))")
}

/// A statement as one database takes it.
#[derive(Debug, Clone)]
pub(super) struct Expanded {
    pub(super) text: Cow<'static, str>,
    /// What a server gets of the batch bound as `$1`, in arrays behind all other values.
    pub(super) shapes: Cow<'static, [Shape]>,
    /// The last value that the text names, these apart.
    pub(super) last: usize,
    /// Where it goes on Citus.
    pub(super) reach: Reach,
    /// Whether the buckets are bound, behind everything else.
    pub(super) is_confined: bool,
}

impl Dialect {
    /// The statement as this database takes it.
    pub(super) fn expanded(self, statement: Cow<'static, str>) -> Expanded {
        match statement {
            text if !text.contains('@') && self != Self::Citus => Expanded::plain(text),
            Cow::Borrowed(text) => self.remembered(text).clone(),
            Cow::Owned(text) => self.expand_all(&text),
        }
    }

    pub(super) fn text(self, statement: Cow<'static, str>) -> Cow<'static, str> {
        self.expanded(statement).text
    }

    /// Each constant statement is expanded once in the life of the process.
    fn remembered(self, text: &'static str) -> &'static Expanded {
        static KNOWN: RwLock<Option<Texts>> = RwLock::new(None);
        let key = (self, text.as_ptr() as usize, text.len());
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.as_ref().and_then(|texts| texts.get(&key)) {
            return found;
        }
        drop(known);
        let whole = self.expand_all(text);
        let text: &'static str = Box::leak(whole.text.into_owned().into_boxed_str());
        let shapes: &'static [Shape] = Box::leak(whole.shapes.into_owned().into_boxed_slice());
        let expanded: &'static Expanded = Box::leak(Box::new(Expanded {
            text: Cow::Borrowed(text),
            shapes: Cow::Borrowed(shapes),
            ..whole
        }));
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().insert(key, expanded);
        expanded
    }

    fn expand_all(self, written: &str) -> Expanded {
        // A batch is the first, though only its form may name it.
        let last = last_place(written).max(1);
        let mut arrays = Arrays {
            next: last + 1,
            shapes: Vec::new(),
        };
        let text = self.spoken().expand(written, &mut arrays);
        let whole = Expanded {
            text: Cow::Owned(text),
            shapes: Cow::Owned(arrays.shapes),
            last,
            reach: Reach::Coordinator,
            is_confined: false,
        };
        match self {
            Self::Citus => whole.taken_apart(written),
            Self::Sqlite | Self::Postgres => whole,
        }
    }

    /// Whose language it is.
    fn spoken(self) -> Self {
        match self {
            Self::Citus => Self::Postgres,
            other => other,
        }
    }

    fn expand(self, text: &str, arrays: &mut Arrays) -> String {
        let mut expanded = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            expanded.push_str(&rest[..at]);
            let form = &rest[at + 1..];
            let end = form
                .find(|c: char| !c.is_ascii_lowercase())
                .unwrap_or(form.len());
            let (name, after) = form.split_at(end);
            let inside = after.strip_prefix('(').map(inside);
            expanded.push_str(&self.form(name, inside.unwrap_or_default(), arrays));
            rest = inside.map_or(after, |inside| &after[inside.len() + 2..]);
        }
        expanded + rest
    }

    fn form(self, name: &str, inside: &str, arrays: &mut Arrays) -> String {
        match (name, self) {
            ("ids", Self::Sqlite) => {
                "(SELECT value >> 48 AS bucket, value AS id FROM json_each($1))".to_owned()
            }
            ("ids", Self::Postgres) => format!(
                "(SELECT u.id >> 48 AS bucket, u.id, CAST($1 AS TEXT) AS one FROM {} AS u (id) \
                 WHERE {})",
                arrays.unnest(Shape::Ids),
                taken_for_one("id")
            ),
            ("rows", Self::Sqlite) => json_rows(inside),
            ("rows", Self::Postgres) => {
                let columns: Vec<Column> = inside.split(',').filter_map(Column::read).collect();
                let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                let first = taken_for_one(names.first().copied().unwrap_or_default());
                let names = names.join(", ");
                let unnest = arrays.unnest(Shape::Rows(columns));
                // So that the batch itself, which stays empty, has a type.
                format!(
                    "(SELECT u.*, CAST($1 AS TEXT) AS one FROM {unnest} AS u ({names}) WHERE {first})"
                )
            }
            ("numbers" | "buckets", _) => format!(
                "(SELECT CAST(value AS BIGINT) AS value FROM {})",
                self.each(inside)
            ),
            ("each", _) => self.each(inside),
            ("first", _) => self.place(0),
            ("last", _) => self.place(1),
            ("array", Self::Sqlite) => format!("json_array({})", self.expand(inside, arrays)),
            ("array", Self::Postgres) => {
                format!("json_build_array({})", self.expand(inside, arrays))
            }
            ("list", Self::Sqlite) => format!("json_group_array({})", self.expand(inside, arrays)),
            ("list", Self::Postgres) => {
                format!("coalesce(json_agg({}), '[]')", self.expand(inside, arrays))
            }
            ("json", Self::Sqlite) => format!("json(({}))", self.expand(inside, arrays)),
            ("json", Self::Postgres) => format!("({})", self.expand(inside, arrays)),
            ("exact", Self::Sqlite) => format!("quote({inside})"),
            ("exact", Self::Postgres) => format!("CAST({inside} AS TEXT)"),
            ("lower", Self::Sqlite) => format!("lower({inside})"),
            ("lower", Self::Postgres) => format!("lower({inside} COLLATE \"C\")"),
            ("insert", Self::Sqlite) => "INSERT OR FAIL INTO".to_owned(),
            ("insert", Self::Postgres) => "INSERT INTO".to_owned(),
            ("due", Self::Sqlite) => DUE.to_owned(),
            ("due", Self::Postgres) => DUE_BY_STRIPE.to_owned(),
            ("nextdue", Self::Sqlite) => NEXT_DUE.to_owned(),
            ("nextdue", Self::Postgres) => NEXT_DUE_BY_STRIPE.to_owned(),
            ("now", Self::Sqlite) => "CAST(unixepoch('subsec') * 1000000 AS BIGINT)".to_owned(),
            ("now", Self::Postgres) => {
                "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)".to_owned()
            }
            ("everywhere", _) | ("share" | "there", Self::Sqlite) => String::new(),
            ("there", Self::Postgres) => " FOR KEY SHARE".to_owned(),
            ("share", Self::Postgres) => " FOR SHARE".to_owned(),
            ("alone", Self::Sqlite) => String::new(),
            ("alone", Self::Postgres) => " FOR NO KEY UPDATE".to_owned(),
            // Not a form of ours: the database says what is wrong with it.
            _ => format!("@{name}"),
        }
    }

    /// The elements of a JSON array as texts or numbers, in a column `value`.
    fn each(self, array: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({array})"),
            Self::Postgres | Self::Citus => {
                format!("jsonb_array_elements_text(CAST({array} AS jsonb))")
            }
        }
    }

    fn place(self, place: u8) -> String {
        match self {
            Self::Sqlite => format!("($1 ->> {place})"),
            Self::Postgres | Self::Citus => format!("CAST(CAST($1 AS json) ->> {place} AS BIGINT)"),
        }
    }

    /// The type of a text column: compared byte by byte, whatever the database's language is.
    pub(super) fn text_type(self) -> &'static str {
        match self {
            Self::Sqlite => "TEXT",
            Self::Postgres | Self::Citus => "TEXT COLLATE \"C\"",
        }
    }

    /// The names of the indexes that begin like `$1`.
    pub(super) fn indexes_that_begin(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'index' \
                 AND substr(name, 1, length($1)) = $1"
            }
            Self::Postgres | Self::Citus => {
                "SELECT CAST(indexname AS TEXT) FROM pg_indexes \
                 WHERE schemaname = current_schema() AND starts_with(indexname, $1)"
            }
        }
    }

    /// The names of the columns that `customers` has now.
    pub(super) fn customer_columns(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM pragma_table_info('customers')",
            Self::Postgres | Self::Citus => {
                "SELECT CAST(attname AS TEXT) FROM pg_attribute \
                 WHERE attrelid = CAST('customers' AS regclass) AND attnum > 0 AND NOT attisdropped"
            }
        }
    }
}

impl Expanded {
    fn plain(text: Cow<'static, str>) -> Self {
        Self {
            text,
            shapes: Cow::Borrowed(&[]),
            last: 0,
            reach: Reach::Coordinator,
            is_confined: false,
        }
    }

    /// As Citus takes it: to one shard at a time, with its buckets bound behind everything else.
    fn taken_apart(mut self, written: &str) -> Self {
        let next = last_place(&self.text) + 1;
        if self.shapes.is_empty() {
            self.last = next - 1;
        }
        self.reach = Reach::of(written, &self.text, &self.shapes);
        if self.reach.source().is_some()
            && let Some(text) = confined(&self.text, next)
        {
            self.text = Cow::Owned(text);
            self.is_confined = true;
        }
        self
    }
}

/// The arrays of a batch, which a server gets behind all other values of the statement.
struct Arrays {
    next: usize,
    shapes: Vec<Shape>,
}

impl Arrays {
    fn unnest(&mut self, shape: Shape) -> String {
        let kinds: Vec<Kind> = match &shape {
            Shape::Ids => vec![Kind::Whole],
            Shape::Rows(columns) => columns.iter().map(|column| column.kind).collect(),
        };
        let array = |(kind, place): (&Kind, usize)| format!("CAST(${place} AS {}[])", kind.sql());
        let arrays: Vec<String> = kinds.iter().zip(self.next..).map(array).collect();
        self.next += shape.width();
        self.shapes.push(shape);
        format!("unnest({})", arrays.join(", "))
    }
}

/// What is always so, and makes the server's planner take a batch for a single row: it then begins with
/// the batch, and not with a table that has grown since its rows were last counted.
fn taken_for_one(column: &str) -> String {
    format!("num_nulls(u.{column}) / 2 = 0")
}

/// By dialect, and where the text lies: constants do not move.
type Texts = HashMap<(Dialect, usize, usize), &'static Expanded>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_each_databases_own() {
        let statement = "SELECT @list(@array(e.a, f(e.b))) FROM @rows(id BIGINT 0, a TEXT 1) AS e";
        assert_eq!(
            Dialect::Sqlite.text(statement.into()),
            "SELECT json_group_array(json_array(e.a, f(e.b))) FROM (SELECT CAST(value ->> 0 AS BIGINT) \
             AS id, CAST(value ->> 1 AS TEXT) AS a, 1 AS one FROM json_each($1)) AS e"
        );
        assert_eq!(
            Dialect::Postgres.text(statement.into()),
            "SELECT coalesce(json_agg(json_build_array(e.a, f(e.b))), '[]') FROM \
             (SELECT u.*, CAST($1 AS TEXT) AS one FROM unnest(CAST($2 AS BIGINT[]), \
             CAST($3 AS TEXT[])) AS u (id, a) WHERE num_nulls(u.id) / 2 = 0) AS e"
        );
    }

    #[test]
    fn a_text_without_forms_stays_as_it_is() {
        let text = "SELECT 1 FROM meta WHERE key = $1";
        assert!(matches!(
            Dialect::Postgres.text(text.into()),
            Cow::Borrowed(same) if std::ptr::eq(same, text)
        ));
    }

    #[test]
    fn what_is_no_form_is_left_to_the_database() {
        assert_eq!(
            Dialect::Sqlite.text("SELECT @nothing(1)".into()),
            "SELECT @nothing"
        );
    }
}
