//! Owns statements on their way to a database, whichever it is: values go in typed, rows come out.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query as SqlxQuery;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr as _, SqlStr, Sqlite};

use super::apart::{Part, Reach};
use super::arg::Arg;
use super::batch::Shape;
use super::bind::Bind;
use super::dialect::{Dialect, Expanded};
use super::error::{Error, Result};
use super::row::Lists;
pub(super) use super::row::Row;
use super::shards::Shards;
use super::tx::{On, Pool, Tx};

/// A statement and its values.
#[derive(Debug)]
pub(super) struct Query<'q> {
    text: Text,
    args: Vec<Arg<'q>>,
    persistent: bool,
    /// So many rows are enough, from whichever shards.
    enough: Option<usize>,
}

/// A statement that answers one value a row.
pub(super) struct Scalar<'q>(Query<'q>);

/// What a statement says.
#[derive(Debug)]
pub(super) enum Text {
    /// With the forms that each database reads its own way.
    Common(Cow<'static, str>),
    /// As one database takes it already.
    Own(Arc<str>),
}

/// A statement; what it says is this crate's own, and every value is bound.
pub(super) fn query<'q>(text: impl Into<Text>) -> Query<'q> {
    Query {
        text: text.into(),
        args: Vec::new(),
        persistent: true,
        enough: None,
    }
}

/// A statement that answers one value a row.
pub(super) fn query_scalar<'q>(text: impl Into<Text>) -> Scalar<'q> {
    Scalar(query(text))
}

macro_rules! run {
    ($query:expr, $on:expr, $method:ident) => {
        match $on.into() {
            On::Pool(Pool::Sqlite(pool)) => $query.sqlite().$method(pool).await?.into(),
            On::Pool(Pool::Postgres(server)) => {
                let mut line = server.line().await?;
                let asked = Box::pin($query.postgres()?.$method(&mut *line));
                server.lifeline.hold(asked).await?.into()
            }
            On::Tx(Tx::Sqlite(tx)) => $query.sqlite().$method(&mut *tx.inner).await?.into(),
            On::Tx(Tx::Postgres(tx)) => {
                let asked = Box::pin($query.postgres()?.$method(&mut *tx.line));
                tx.beside.lifeline.hold(asked).await?.into()
            }
        }
    };
}

/// The rows of an answer, as each driver gives them.
enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// One row, or none.
struct Perhaps(Option<Row>);

/// How many rows a statement wrote.
struct Written(u64);

impl<'q> Query<'q> {
    pub(super) fn bind(mut self, arg: impl Into<Arg<'q>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Whether the connection keeps the statement prepared; it does unless told otherwise.
    pub(super) fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// So many rows of the list are enough: on Citus shards are asked in turn until there are as many.
    pub(super) fn at_most(mut self, rows: u32) -> Self {
        self.enough = usize::try_from(rows).ok();
        self
    }

    /// How many rows were written.
    pub(super) async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<u64> {
        let mut on = on.into();
        let Some(parts) = self.apart(&on)? else {
            let Written(rows) = run!(self, on, execute);
            return Ok(rows);
        };
        let mut written = 0;
        for part in parts {
            let Written(rows) = run!(part, on.again(), execute);
            written += rows;
        }
        Ok(written)
    }

    pub(super) async fn fetch_all<'c>(self, on: impl Into<On<'c>>) -> Result<Vec<Row>> {
        let mut on = on.into();
        let Some(parts) = self.apart(&on)? else {
            let rows: Rows = run!(self, on, fetch_all);
            return Ok(rows.into());
        };
        let mut all = Vec::new();
        for part in parts {
            let rows: Rows = run!(part, on.again(), fetch_all);
            all.extend(Vec::from(rows));
        }
        Ok(all)
    }

    pub(super) async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<Row> {
        let mut on = on.into();
        let enough = self.enough.unwrap_or(usize::MAX);
        let Some(mut parts) = self.apart(&on)? else {
            return Ok(run!(self, on, fetch_one));
        };
        if self.enough.is_some() {
            let turn = on.shards().map_or(0, Shards::turn) % parts.len().max(1);
            parts.rotate_left(turn);
        }
        let is_whole = parts.len() == 1;
        let mut lists = Lists::default();
        for part in parts {
            let row: Row = run!(part, on.again(), fetch_one);
            if is_whole {
                return Ok(row);
            }
            lists.add(row.text(0)?)?;
            if lists.rows >= enough {
                break;
            }
        }
        Ok(Row::Listed(lists.whole()))
    }

    pub(super) async fn fetch_optional<'c>(self, on: impl Into<On<'c>>) -> Result<Option<Row>> {
        let mut on = on.into();
        let Some(parts) = self.apart(&on)? else {
            let Perhaps(row) = run!(self, on, fetch_optional);
            return Ok(row);
        };
        for part in parts {
            let Perhaps(row) = run!(part, on.again(), fetch_optional);
            if row.is_some() {
                return Ok(row);
            }
        }
        Ok(None)
    }

    /// On Citus, the statements for one shard each; none where it stays one.
    fn apart(&self, on: &On<'_>) -> Result<Option<Vec<Query<'static>>>> {
        let (Some(shards), Text::Common(text)) = (on.shards(), &self.text) else {
            return Ok(None);
        };
        let whole = Dialect::Citus.expanded(text.clone());
        if whole.reach == Reach::Unsaid {
            let why = format!("on Citus all shards would be asked: {}", whole.text);
            return Err(Error::Unusable(why));
        }
        let Some(source) = whole.reach.source() else {
            return Ok(None);
        };
        let text: Arc<str> = whole.text.into();
        let parts = source.parts(&self.args, shards)?.into_iter();
        let one = |part: Part| {
            let mut args: Vec<Arg<'static>> = self.args.iter().map(Arg::kept).collect();
            args.truncate(whole.last);
            if let (Some(batch), Some(place)) = (part.batch, args.get_mut(source.place() - 1)) {
                *place = Arg::from(if whole.shapes.is_empty() { &batch } else { "" }.to_owned());
                for shape in whole.shapes.iter() {
                    args.extend(shape.arrays(&batch)?);
                }
            }
            if whole.is_confined {
                let buckets = part.buckets.into_iter();
                args.push(Arg::Ints(buckets.map(|b| Some(i64::from(b))).collect()));
            }
            Ok(Query {
                text: Text::Own(Arc::clone(&text)),
                args,
                persistent: self.persistent,
                enough: None,
            })
        };
        parts.map(one).collect::<Result<_>>().map(Some)
    }

    fn sqlite(self) -> SqlxQuery<'static, Sqlite, SqliteArguments> {
        let query = sqlx::query(self.text.of(Dialect::Sqlite).0).persistent(self.persistent);
        self.args.into_iter().fold(query, |query, arg| match arg {
            Arg::Int(number) => query.bind(number),
            Arg::Real(number) => query.bind(number),
            Arg::Text(text) => query.bind(text.map(Cow::into_owned)),
            Arg::Shared(text) => query.bind(text),
            Arg::Bytes(bytes) => query.bind(bytes.into_owned()),
            // Nothing is bound, and the database says so.
            Arg::Ints(_) | Arg::Reals(_) | Arg::Texts(_) => query,
        })
    }

    fn postgres(mut self) -> Result<SqlxQuery<'static, Postgres, PgArguments>> {
        let (text, shapes, last) = self.text.of(Dialect::Postgres);
        if let (false, Some(first)) = (shapes.is_empty(), self.args.first_mut()) {
            let batch = std::mem::replace(first, Arg::from(""));
            let Arg::Text(Some(batch)) = batch else {
                return Err(Error::Unusable("a batch is bound as a text".to_owned()));
            };
            // The arrays come behind what the text names; what it does not name is of no use.
            self.args.truncate(last);
            for shape in shapes.iter() {
                self.args.extend(shape.arrays(&batch)?);
            }
        }
        let query = sqlx::query(text).persistent(self.persistent);
        Ok(self.args.into_iter().fold(query, |query, arg| match arg {
            Arg::Int(number) => query.bind(number),
            Arg::Real(number) => query.bind(number),
            Arg::Text(text) => query.bind(text.map(Cow::into_owned)),
            Arg::Shared(text) => query.bind(text),
            Arg::Bytes(bytes) => query.bind(bytes.into_owned()),
            Arg::Ints(column) => query.bind(column),
            Arg::Reals(column) => query.bind(column),
            Arg::Texts(column) => query.bind(column),
        }))
    }
}

impl<'q> Scalar<'q> {
    pub(super) fn bind(self, arg: impl Into<Arg<'q>>) -> Self {
        Self(self.0.bind(arg))
    }

    pub(super) async fn fetch_one<'c, T: super::row::Value>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<T> {
        self.0.fetch_one(on).await?.take()
    }

    pub(super) async fn fetch_optional<'c, T: super::row::Value>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Option<T>> {
        let row = self.0.fetch_optional(on).await?;
        row.map(|row| row.take()).transpose()
    }

    pub(super) async fn fetch_all<'c, T: super::row::Value>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Vec<T>> {
        let rows = self.0.fetch_all(on).await?;
        rows.iter().map(Row::take).collect()
    }
}

impl Text {
    /// Constants need no copy; what is put together is put together of constants and checked names.
    fn of(self, dialect: Dialect) -> (SqlStr, Cow<'static, [Shape]>, usize) {
        match self {
            Self::Common(text) => {
                let Expanded {
                    text, shapes, last, ..
                } = dialect.expanded(text);
                let text = match text {
                    Cow::Borrowed(text) => text.into_sql_str(),
                    Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
                };
                (text, shapes, last)
            }
            Self::Own(text) => (AssertSqlSafe(text).into_sql_str(), Cow::Borrowed(&[]), 0),
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Common(Cow::Borrowed(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Common(Cow::Owned(text))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Own(text)
    }
}

impl From<sqlx::sqlite::SqliteQueryResult> for Written {
    fn from(done: sqlx::sqlite::SqliteQueryResult) -> Self {
        Self(done.rows_affected())
    }
}

impl From<sqlx::postgres::PgQueryResult> for Written {
    fn from(done: sqlx::postgres::PgQueryResult) -> Self {
        Self(done.rows_affected())
    }
}

impl From<Vec<SqliteRow>> for Rows {
    fn from(rows: Vec<SqliteRow>) -> Self {
        Self::Sqlite(rows)
    }
}

impl From<Vec<PgRow>> for Rows {
    fn from(rows: Vec<PgRow>) -> Self {
        Self::Postgres(rows)
    }
}

impl From<Rows> for Vec<Row> {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Sqlite(rows) => rows.into_iter().map(Row::Sqlite).collect(),
            Rows::Postgres(rows) => rows.into_iter().map(Row::Postgres).collect(),
        }
    }
}

impl From<Option<SqliteRow>> for Perhaps {
    fn from(row: Option<SqliteRow>) -> Self {
        Self(row.map(Row::Sqlite))
    }
}

impl From<Option<PgRow>> for Perhaps {
    fn from(row: Option<PgRow>) -> Self {
        Self(row.map(Row::Postgres))
    }
}

/// A statement composed from a compiled condition: its own values first, then the condition's.
pub(super) fn composed<'q>(
    sql: String,
    own: impl IntoIterator<Item = Bind>,
    condition: Vec<Bind>,
) -> Query<'q> {
    own.into_iter()
        .chain(condition)
        .fold(query(sql), Query::bind)
}
