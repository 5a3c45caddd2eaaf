//! Owns the audit: what people and parts did to the system, one line each, never changed.

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::instants::instant;
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::By;

const ADD: &str = "INSERT INTO audit (at, actor, source, what, detail) VALUES ($1, $2, $3, $4, $5)";
const LATEST: &str =
    "SELECT at, actor, source, what, detail FROM audit ORDER BY entry DESC LIMIT $1";

pub(super) const STATEMENTS: &[&str] = &[ADD, LATEST];

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    pub at: Timestamp,
    pub actor: String,
    pub source: String,
    pub what: String,
    pub detail: Option<String>,
}

impl Store {
    pub async fn audit(
        &self,
        by: &By,
        what: &str,
        detail: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        add(&mut tx, by, what, detail, at).await?;
        tx.commit().await
    }

    /// The latest lines, newest first.
    pub async fn audit_lines(&self, limit: u32) -> Result<Vec<AuditLine>> {
        let rows = query(LATEST).bind(limit).fetch_all(self.read()).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    at: instant(row.try_get(0)?)?,
                    actor: row.try_get(1)?,
                    source: row.try_get(2)?,
                    what: row.try_get(3)?,
                    detail: row.try_get(4)?,
                })
            })
            .collect()
    }
}

/// Adds a line within a transaction; a note of `by` stands in for a missing detail.
pub(super) async fn add(
    tx: &mut Tx,
    by: &By,
    what: &str,
    detail: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    query(ADD)
        .bind(at.as_microsecond())
        .bind(by.actor.as_str())
        .bind(by.source.as_str())
        .bind(what)
        .bind(detail.or(by.note.as_deref()))
        .execute(&mut *tx)
        .await?;
    Ok(())
}
