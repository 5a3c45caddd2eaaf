//! Owns the definitions that people make in the store, and the count of their changes.

use jiff::Timestamp;

use super::db::Store;
use super::error::{Error, Result};
use super::instants::instant;
use super::meta;
use super::sql::{Row, query, query_scalar};
use super::tx::{On, Tx};
use crate::domain::definition::{Definition, DefinitionKind, Definitions};

const ALL: &str = "SELECT kind, name, body, version, created_at, updated_at, actor FROM definitions \
     ORDER BY kind, name";
const PUT: &str = "INSERT INTO definitions (kind, name, body, version, created_at, updated_at, actor) \
     VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT (kind, name) DO UPDATE SET \
     body = excluded.body, version = excluded.version, updated_at = excluded.updated_at, \
     actor = excluded.actor";
const REMOVE: &str = "DELETE FROM definitions WHERE kind = $1 AND name = $2";
/// The key under which the changes are counted.
const CHANGES: &str = "definition_changes";

pub(super) const STATEMENTS: &[&str] = &[ALL, PUT, REMOVE];

/// What becomes of one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionEdit {
    pub kind: DefinitionKind,
    pub name: String,
    /// None removes it.
    pub body: Option<String>,
}

impl Store {
    /// All definitions, and how many changes of them there have been, of one moment.
    pub async fn definitions(&self) -> Result<Definitions> {
        let mut tx = self.snapshot().await?;
        let rows = query(ALL).fetch_all(&mut tx).await?;
        Ok(Definitions {
            changes: changes(&mut tx).await?,
            all: rows.iter().map(read).collect::<Result<_>>()?,
        })
    }

    /// How many changes of definitions there have been.
    pub async fn definition_changes(&self) -> Result<i64> {
        changes(self.read()).await
    }
}

/// How many changes there have been, as it is seen there.
pub(super) async fn changes<'c>(on: impl Into<On<'c>>) -> Result<i64> {
    let text: Option<String> = query_scalar(meta::GET)
        .bind(CHANGES)
        .fetch_optional(on)
        .await?;
    let count = text.map(|text| meta::read(CHANGES, &text)).transpose()?;
    Ok(count.unwrap_or(0))
}

/// Writes a change and counts it as this one.
pub(super) async fn write(
    tx: &mut Tx,
    edit: &DefinitionEdit,
    change: i64,
    actor: &str,
    at: Timestamp,
) -> Result<()> {
    let named = |statement| {
        let statement = query(statement).bind(edit.kind.as_str());
        statement.bind(edit.name.as_str())
    };
    let statement = match &edit.body {
        Some(body) => named(PUT)
            .bind(body.as_str())
            .bind(change)
            .bind(at.as_microsecond())
            .bind(actor),
        None => named(REMOVE),
    };
    statement.execute(&mut *tx).await?;
    let count = meta::written(CHANGES, &change)?;
    query(meta::SET)
        .bind(CHANGES)
        .bind(count)
        .execute(tx)
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Definition> {
    let kind = row.text(0)?;
    let kind = DefinitionKind::parse(kind)
        .ok_or_else(|| Error::Corrupt(format!("a definition of the unknown kind `{kind}`")))?;
    Ok(Definition {
        kind,
        name: row.try_get(1)?,
        body: row.try_get(2)?,
        version: row.try_get(3)?,
        created_at: instant(row.try_get(4)?)?,
        updated_at: instant(row.try_get(5)?)?,
        actor: row.try_get(6)?,
    })
}
