//! Owns copying a whole store into another database, in steps that a later run goes on from.

mod cell;
mod moment;
mod progress;
mod reading;
mod shape;
mod writing;

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::try_join;

use self::cell::{Cell, Sum};
use self::progress::{Progress, Reached};
use self::reading::Reader;
use self::shape::Shape;
use super::catalog::Column;
use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::sql::query;
use super::tables::{TABLES, Table};

/// A counter alone is no data: a new schema may come with some, and the source's take their place.
const COUNTERS: &str = "sequences";
const NO_COUNTERS: &str = "DELETE FROM sequences";

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copying {
    pub phase: CopyPhase,
    pub table: &'static str,
    /// Rows of all tables that this phase is done with.
    pub rows: u64,
    pub of: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyPhase {
    Copying,
    /// Reading both again, to compare them.
    Comparing,
}

/// What a finished copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Whether an earlier run had begun it.
    pub went_on: bool,
    /// For each table, its rows and the sum over them that both sides have.
    pub tables: Vec<(&'static str, u64, u64)>,
}

/// What hears how far a copy is, after every batch.
pub type Watch<'a> = &'a (dyn Fn(Copying) + Sync);

struct Copy<'a> {
    from: &'a Store,
    to: &'a Store,
    most: usize,
    watch: Watch<'a>,
    of: u64,
    progress: Progress,
}

impl Store {
    /// Copies everything into an empty store of the same version, or goes on where an earlier copy of
    /// this store was broken off, `most` rows a transaction; then compares both in full.
    ///
    /// # Errors
    /// [`Error::Unusable`] says why there is no copy: somebody runs on one of the two, the target
    /// holds something else, a value has no place there, or the two differ at the end.
    pub async fn copy_to(&self, to: &Self, most: usize, watch: Watch<'_>) -> Result<Copied> {
        refuse_unready(self, "source").await?;
        refuse_unready(to, "target").await?;
        self.refuse_half_a_copy().await?;
        let (progress, went_on) = begin(self, to).await?;
        shape::add_fields(self, to).await?;
        let filled = shape::filled(self).await?;
        let mut copy = Copy {
            from: self,
            to,
            most,
            watch,
            of: filled.iter().map(|(_, rows)| rows).sum(),
            progress,
        };
        for table in TABLES {
            copy.table(table).await?;
        }
        let tables = copy.compare().await?;
        refuse_unready(self, "source").await?;
        finish(to).await?;
        Ok(Copied { went_on, tables })
    }
}

impl Copy<'_> {
    /// Copies one table, reading on while the rows before are written.
    async fn table(&mut self, table: &'static Table) -> Result<()> {
        let mut reached = self.progress.tables.remove(table.name).unwrap_or_default();
        if !reached.is_whole {
            let shape = Shape::of(table, self.from, self.to).await?;
            let reader = Reader::new(table, &shape.here, self.most);
            let from = self.from.read();
            let mut rows = reader.batch(from, reached.last().as_deref()).await?;
            while let Some(last) = rows.last() {
                let last = reader.key(last);
                reached.move_on(rows.len(), &last);
                let written = self.write(table, &shape.there, &rows, &reached);
                let (next, ()) = try_join!(reader.batch(from, Some(&last)), written)?;
                self.tell(table, reached.rows);
                rows = next;
            }
            reached.is_whole = true;
        }
        self.progress.tables.insert(table.name.to_owned(), reached);
        let mut tx = self.to.write().await?;
        self.progress.save(&mut tx).await?;
        tx.commit().await
    }

    /// Writes rows, and how far the table is with them, in one transaction.
    async fn write(
        &self,
        table: &'static Table,
        columns: &[Column],
        rows: &[Vec<Cell>],
        reached: &Reached,
    ) -> Result<()> {
        let mut tx = self.to.write().await?;
        writing::write(&mut tx, table.name, columns, rows).await?;
        let mut progress = self.progress.clone();
        let name = table.name.to_owned();
        progress.tables.insert(name, reached.clone());
        progress.save(&mut tx).await?;
        tx.commit().await
    }

    fn tell(&self, table: &'static Table, here: u64) {
        let before: u64 = self.progress.tables.values().map(|table| table.rows).sum();
        (self.watch)(Copying {
            phase: CopyPhase::Copying,
            table: table.name,
            rows: before + here,
            of: self.of,
        });
    }

    /// The sums of every table, which must be the same on both sides.
    async fn compare(&self) -> Result<Vec<(&'static str, u64, u64)>> {
        let read = AtomicU64::new(0);
        let mut tables = Vec::new();
        for table in TABLES {
            let shape = Shape::of(table, self.from, self.to).await?;
            let here = Reader::new(table, &shape.here, self.most);
            let there = Reader::new(table, &shape.there, self.most);
            let watch = |rows| {
                let rows = read.fetch_add(rows, Ordering::Relaxed) + rows;
                (self.watch)(Copying {
                    phase: CopyPhase::Comparing,
                    table: table.name,
                    rows: rows / 2,
                    of: self.of,
                });
            };
            let (here, there) = try_join!(
                here.sum(self.from.read(), &watch),
                there.sum(self.to.read(), &watch)
            )?;
            if here != there {
                return Err(differs(table, here, there));
            }
            tables.push((table.name, here.rows, here.hash));
        }
        Ok(tables)
    }
}

/// Both must be of this version, with nobody at work on them.
async fn refuse_unready(store: &Store, which: &str) -> Result<()> {
    refuse_other_schema(store, which).await?;
    let place = store.place();
    match store.owner().await? {
        None => Ok(()),
        Some(owner) => Err(Error::Unusable(format!(
            "the {which} {place} is in use by {owner}: stop it first"
        ))),
    }
}

async fn refuse_other_schema(store: &Store, which: &str) -> Result<()> {
    if store.schema().await?.is_ours() {
        return Ok(());
    }
    let place = store.place();
    Err(Error::Unusable(format!(
        "the {which} {place} has the schema of another version: see `drumbeat db status`, and \
         bring it to this one with `drumbeat db migrate`"
    )))
}

/// What an earlier run did, or the beginning of a new copy.
async fn begin(from: &Store, to: &Store) -> Result<(Progress, bool)> {
    let source = progress::Source::of(from).await?;
    let place = to.place();
    match Progress::of(to).await? {
        Some(progress) if progress.source.is(&source) => Ok((progress, true)),
        Some(progress) => Err(Error::Unusable(format!(
            "the target {place} is an unfinished copy of {}: finish that one, or give an empty \
             database",
            progress.source.place
        ))),
        None => {
            let filled = shape::filled(to).await?;
            let data = filled.iter().find(|(table, _)| *table != COUNTERS);
            if let Some((table, rows)) = data {
                return Err(Error::Unusable(format!(
                    "the target {place} holds data already, such as {rows} rows in `{table}`: give \
                     an empty database"
                )));
            }
            let progress = Progress::begun(source);
            let mut tx = to.write().await?;
            query(NO_COUNTERS).execute(&mut tx).await?;
            progress.save(&mut tx).await?;
            tx.commit().await?;
            Ok((progress, false))
        }
    }
}

fn differs(table: &Table, here: Sum, there: Sum) -> Error {
    let name = table.name;
    let how = if here.rows == there.rows {
        format!("rows of `{name}` differ")
    } else {
        let (here, there) = (here.rows, there.rows);
        format!("`{name}` has {here} rows in the source and {there} in the target")
    };
    Error::Unusable(format!(
        "{how}: was the source changed while it was copied? Begin again with an empty database"
    ))
}

/// Makes the copy a store that can be worked with.
async fn finish(to: &Store) -> Result<()> {
    let mut tx = to.write().await?;
    shape::number_on(&mut tx).await?;
    Progress::remove(&mut tx).await?;
    tx.commit().await?;
    match to.dialect() {
        Dialect::Sqlite => to.upkeep().await,
        Dialect::Postgres | Dialect::Citus => {
            query("ANALYZE").execute(&to.writers).await?;
            Ok(())
        }
    }
}
