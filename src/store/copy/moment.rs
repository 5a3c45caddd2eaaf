//! Owns copying a whole store as it is at one moment, beside whoever is at work on it.

use tokio::try_join;

use super::super::catalog::Column;
use super::super::db::Store;
use super::super::error::Result;
use super::super::sql::query;
use super::super::tables::TABLES;
use super::cell::Cell;
use super::reading::Reader;
use super::shape::{self, Shape};
use super::{CopyPhase, Copying, NO_COUNTERS, Watch, finish, refuse_other_schema, writing};

impl Store {
    /// Copies everything as it is now into a new store, `most` rows at a time. This one is only read, and
    /// nobody who works on it is held up.
    pub async fn copy_moment(&self, to: &Self, most: usize, watch: Watch<'_>) -> Result<()> {
        refuse_other_schema(self, "source").await?;
        self.refuse_half_a_copy().await?;
        let mut moment = self.snapshot().await?;
        begin(to).await?;
        shape::add_fields(self, to).await?;
        let of = shape::filled(self)
            .await?
            .iter()
            .map(|(_, rows)| rows)
            .sum();
        let mut copied = 0;
        for table in TABLES {
            let shape = Shape::of(table, self, to).await?;
            let reader = Reader::new(table, &shape.here, most);
            let mut rows = reader.batch(&mut moment, None).await?;
            while let Some(last) = rows.last() {
                let last = reader.key(last);
                let written = write(to, table.name, &shape.there, &rows);
                let (next, ()) = try_join!(reader.batch(&mut moment, Some(&last)), written)?;
                copied += rows.len() as u64;
                watch(Copying {
                    phase: CopyPhase::Copying,
                    table: table.name,
                    rows: copied,
                    of,
                });
                rows = next;
            }
        }
        moment.rollback().await?;
        finish(to).await
    }
}

async fn begin(to: &Store) -> Result<()> {
    let mut tx = to.write().await?;
    query(NO_COUNTERS).execute(&mut tx).await?;
    tx.commit().await
}

async fn write(to: &Store, table: &str, columns: &[Column], rows: &[Vec<Cell>]) -> Result<()> {
    let mut tx = to.write().await?;
    writing::write(&mut tx, table, columns, rows).await?;
    tx.commit().await
}
