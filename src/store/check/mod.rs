//! Owns looking for what is wrong in a store: in the database's own pages, and against our own rules.

mod hashes;
mod rules;
mod texts;

use std::collections::BTreeSet;

use self::hashes::Misplaced;
use self::rules::Rule;
use super::catalog;
use super::customer_columns::one_valued;
use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::sql::{query, query_scalar};
use super::tables::TABLES;

pub(super) const STATEMENTS: &[&str] = hashes::STATEMENTS;

const PAGES: &str = "PRAGMA integrity_check(20)";
/// Indexes of ours, where the extension that looks into them is installed.
const INDEXES: &str = "SELECT CAST(c.relname AS TEXT), CAST(c.oid AS BIGINT) FROM pg_class AS c \
     JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree' WHERE c.relkind = 'i' \
     AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
     AND EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'amcheck')";
const LOOK_INTO: &str =
    "SELECT 1 FROM (SELECT bt_index_check(CAST(CAST($1 AS TEXT) AS regclass))) AS i";

const DAMAGED: &str =
    "the database is damaged: stop the daemon, restore a backup, and look at the disk";

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it breaks, such as `bucket`.
    pub code: &'static str,
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// One of them.
    pub example: String,
    pub wrong: String,
    pub remedy: &'static str,
}

impl Store {
    /// Looks through the whole store; nothing found is nothing wrong. Each rule is asked on its own,
    /// beside whatever else goes on.
    pub async fn examine(&self) -> Result<Vec<Finding>> {
        if !self.schema().await?.is_ours() {
            return Err(Error::Unusable(
                "the schema is of another version: see `drumbeat db status`".to_owned(),
            ));
        }
        let mut found = match self.dialect() {
            Dialect::Sqlite => self.damaged_pages().await?,
            Dialect::Postgres | Dialect::Citus => self.damaged_indexes().await?,
        };
        for rule in self.rules().await? {
            found.extend(self.broken(&rule).await?);
        }
        found.extend(misplaced(
            "customers",
            hashes::customers(self.read()).await?,
        ));
        let suppressions = hashes::suppressions(self.read()).await?;
        found.extend(misplaced("suppressions", suppressions));
        let missing = self.missing_columns().await?;
        // Of fields without a column no text can be made.
        if missing.is_empty() {
            found.extend(texts::differing(self).await?);
        }
        found.extend(missing);
        Ok(found)
    }

    async fn rules(&self) -> Result<Vec<Rule>> {
        let mut all = Vec::new();
        for table in TABLES {
            let columns = catalog::columns(self.read(), table.name).await?;
            all.extend(rules::of_table(table.name, &columns));
        }
        all.extend(rules::of_meaning());
        Ok(all)
    }

    async fn broken(&self, rule: &Rule) -> Result<Option<Finding>> {
        let count = format!(
            "@everywhere(upkeep)SELECT count(*), coalesce(min(key), '') FROM ({}) AS bad",
            rule.statement
        );
        let row = query(count).fetch_one(self.read()).await?;
        let rows: i64 = row.try_get(0)?;
        let example: String = row.try_get(1)?;
        Ok((rows > 0).then(|| Finding {
            code: rule.code,
            table: rule.table.to_owned(),
            rows: rows.unsigned_abs(),
            example,
            wrong: rule.wrong.clone(),
            remedy: rule.remedy,
        }))
    }

    async fn damaged_pages(&self) -> Result<Vec<Finding>> {
        let said: Vec<String> = query_scalar(PAGES).fetch_all(self.read()).await?;
        let damage = said.into_iter().filter(|line| line != "ok");
        Ok(damage.map(|line| damaged("integrity", line)).collect())
    }

    async fn damaged_indexes(&self) -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        for row in query(INDEXES).fetch_all(self.read()).await? {
            let (name, oid): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let oid = oid.to_string();
            let looked = query(LOOK_INTO).bind(&oid).fetch_one(self.read()).await;
            if let Err(error) = looked {
                found.push(damaged("index", format!("{name}: {error}")));
            }
        }
        Ok(found)
    }

    /// The columns that the fields of the revision in force need.
    async fn missing_columns(&self) -> Result<Vec<Finding>> {
        let published = match self.current_revision().await {
            Ok(Some(published)) => published,
            Ok(None) => return Ok(Vec::new()),
            Err(Error::Corrupt(why)) => return Ok(vec![unreadable(why)]),
            Err(error) => return Err(error),
        };
        let there = catalog::columns(self.read(), "customers").await?;
        let there: BTreeSet<&str> = there.iter().map(|column| &*column.name).collect();
        let mut found = Vec::new();
        for column in one_valued(&published.revision.data_model)? {
            for name in column.names().filter(|name| !there.contains(name)) {
                found.push(Finding {
                    code: "column-missing",
                    table: "customers".to_owned(),
                    rows: 0,
                    example: name.to_owned(),
                    wrong: format!("the field `{}` has no column `{name}`", column.field),
                    remedy: "publish the files again after a change of theirs, or restore a backup",
                });
            }
        }
        Ok(found)
    }
}

fn misplaced(table: &str, misplaced: Misplaced) -> Option<Finding> {
    (misplaced.rows > 0).then(|| Finding {
        code: "hash",
        table: table.to_owned(),
        rows: misplaced.rows,
        example: misplaced.example,
        wrong: "the row does not lie in the bucket of its unique id, so it is not found".to_owned(),
        remedy: DAMAGED,
    })
}

fn damaged(code: &'static str, line: String) -> Finding {
    Finding {
        code,
        table: String::new(),
        rows: 0,
        example: String::new(),
        wrong: line,
        remedy: DAMAGED,
    }
}

fn unreadable(why: String) -> Finding {
    Finding {
        code: "revision",
        table: "revisions".to_owned(),
        rows: 1,
        example: String::new(),
        wrong: why,
        remedy: DAMAGED,
    }
}
