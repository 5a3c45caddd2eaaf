//! Owns what is kept beside imports: their files in parts, the rows that were not taken, and for how long.

use std::path::PathBuf;

use jiff::Timestamp;

use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::instants::micros;
use super::sql::{Row, query, query_scalar};
use super::tx::Tx;
use crate::domain::import::{ImportNo, RejectedRow};

const ADD_PART: &str = "INSERT INTO import_parts (import, part, body) VALUES ($1, $2, $3) \
     ON CONFLICT (import, part) DO NOTHING";
const PART: &str = "SELECT body FROM import_parts WHERE import = $1 AND part = $2";
const FORGET: &str = "DELETE FROM import_parts WHERE import = $1";
const REJECTS: &str = "SELECT seq, line, who, reason, body FROM import_rejects \
     WHERE import = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const OPEN: &str = "SELECT import FROM imports WHERE state < 3 AND hash <> ''";
/// Saved in part, and nobody went on with it.
const HALTED: &str = "SELECT i.import FROM imports AS i CROSS JOIN jobs AS j WHERE j.job = i.job \
     AND i.state = 2 AND j.state > 1 AND i.hash <> '' AND i.dropped = 0 AND i.created_at < $1";
const UNKEEP: &str = "UPDATE imports SET hash = '' WHERE import = $1";
/// Checked, or nearly so, and saved by nobody; those of the folder are not for people to save.
const STALE: &str =
    "SELECT import FROM imports WHERE state < 2 AND dropped = 0 AND created_at < $1";
const OLD_REJECTS: &str = "DELETE FROM import_rejects WHERE import IN \
     (SELECT i.import FROM imports AS i WHERE i.created_at < $1)";
const OLD_RANGES: &str = "DELETE FROM import_ranges WHERE import IN \
     (SELECT i.import FROM imports AS i WHERE i.created_at < $1)";
const OLD: &str = "SELECT coalesce(max(import), 0) FROM imports WHERE created_at < $1";
const OLD_CHANGES: &str = "DELETE FROM import_changes WHERE bucket = $1 AND import <= $2";

pub(super) const STATEMENTS: &[&str] = &[
    ADD_PART,
    PART,
    FORGET,
    REJECTS,
    OPEN,
    HALTED,
    UNKEEP,
    STALE,
    OLD_REJECTS,
    OLD_RANGES,
    OLD,
    OLD_CHANGES,
];

impl Store {
    /// The folder of files that are being imported: beside a file, or in the workspace's `var`.
    pub fn imports_folder(&self) -> PathBuf {
        self.beside("imports")
    }

    /// Whether other nodes need the files of imports, too.
    pub fn shares_files(&self) -> bool {
        self.dialect() != Dialect::Sqlite
    }

    /// Keeps a part of an import's file; parts are counted from 0.
    pub async fn add_import_part(&self, import: ImportNo, part: i64, body: &[u8]) -> Result<()> {
        let add = query(ADD_PART).bind(import.0).bind(part).bind(body);
        add.execute(&self.writers).await?;
        Ok(())
    }

    pub async fn import_part(&self, import: ImportNo, part: i64) -> Result<Option<Vec<u8>>> {
        let asked = query_scalar(PART).bind(import.0).bind(part);
        asked.fetch_optional(self.read()).await
    }

    /// Lets go of an import's file.
    pub async fn forget_import_parts(&self, import: ImportNo) -> Result<()> {
        query(FORGET).bind(import.0).execute(&self.writers).await?;
        Ok(())
    }

    /// Rows that were not taken, behind this one; each with its place.
    pub async fn import_rejects(
        &self,
        import: ImportNo,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, RejectedRow)>> {
        let asked = query(REJECTS).bind(import.0).bind(after.unwrap_or(-1));
        let rows = asked.bind(limit).fetch_all(self.read()).await?;
        let read = |row: &Row| {
            let line: i64 = row.try_get(1)?;
            let cells = serde_json::from_str(row.text(4)?)
                .map_err(|error| Error::Corrupt(format!("a rejected row: {error}")))?;
            let row_ = RejectedRow {
                line: line.unsigned_abs(),
                who: row.try_get(2)?,
                reason: row.try_get(3)?,
                cells,
            };
            Ok((row.try_get(0)?, row_))
        };
        rows.iter().map(read).collect()
    }

    /// The imports that still need their files.
    pub async fn open_imports(&self) -> Result<Vec<ImportNo>> {
        let numbers: Vec<i64> = query_scalar(OPEN).fetch_all(self.read()).await?;
        Ok(numbers.into_iter().map(ImportNo).collect())
    }

    /// Those that nobody saved until then.
    pub async fn stale_imports(&self, before: Timestamp) -> Result<Vec<ImportNo>> {
        let asked = query_scalar(STALE).bind(micros(before));
        let numbers: Vec<i64> = asked.fetch_all(self.read()).await?;
        Ok(numbers.into_iter().map(ImportNo).collect())
    }

    /// Lets go of the files of imports that were begun before and stopped: what is stored can still be
    /// taken back.
    pub async fn forget_halted(&self, before: Timestamp) -> Result<()> {
        let asked = query_scalar(HALTED).bind(micros(before));
        let halted: Vec<i64> = asked.fetch_all(self.read()).await?;
        for import in halted.into_iter().map(ImportNo) {
            let mut tx = self.begin().await?;
            forget(&mut tx, import).await?;
            query(UNKEEP).bind(import.0).execute(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Lets go of what would take imports of before back, and of their rejected rows.
    pub async fn prune_imports(&self, before: Timestamp) -> Result<u64> {
        let before = micros(before);
        let old: i64 = query_scalar(OLD)
            .bind(before)
            .fetch_one(self.read())
            .await?;
        let mut pruned = 0;
        for bucket in 0..1024_i64 {
            let changes = query(OLD_CHANGES).bind(bucket).bind(old);
            pruned += changes.execute(&self.writers).await?;
        }
        for statement in [OLD_REJECTS, OLD_RANGES] {
            let old = query(statement).bind(before);
            pruned += old.execute(&self.writers).await?;
        }
        Ok(pruned)
    }
}

/// Lets go of an import's file within a transaction.
pub(super) async fn forget(tx: &mut Tx, import: ImportNo) -> Result<()> {
    query(FORGET).bind(import.0).execute(tx).await?;
    Ok(())
}
