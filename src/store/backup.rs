//! Owns backups: a whole copy made beside running writers, checked, and then given its name.

use std::path::{Path, PathBuf};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::db::{Home, Store};
use super::error::{Error, Result};
use super::sqlite;

const COPY: &str = "VACUUM INTO $1";
const CHECK: &str = "PRAGMA integrity_check(1)";

impl Store {
    /// Writes a copy of this moment to `file`, which must not exist yet. Nothing of that name is
    /// seen before the copy is whole, checked and on the disk.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        if file.exists() {
            return Err(Error::Conflict(format!(
                "`{}` exists: choose another name for the backup",
                file.display()
            )));
        }
        let part = beside(file);
        let written = self.copy(&part).await;
        let done = match written {
            Ok(()) => settle(&part, file).map_err(|error| failed(file, &error.to_string())),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // What is left of a failed copy has no use; that it may be missing already is no matter.
            let _unwanted = std::fs::remove_file(&part);
        }
        done
    }

    async fn copy(&self, part: &Path) -> Result<()> {
        let name = part
            .to_str()
            .ok_or_else(|| failed(part, "its name is not UTF-8"))?;
        let Home::File { path, .. } = &self.home else {
            return Err(failed(
                part,
                "the database is on a server: use its own `pg_dump` or `pg_basebackup`",
            ));
        };
        let mut source = SqliteConnection::connect_with(&sqlite::options(path)).await?;
        sqlx::query(COPY).bind(name).execute(&mut source).await?;
        source.close().await?;
        let copy = sqlite::options(part).journal_mode(sqlx::sqlite::SqliteJournalMode::Delete);
        let mut copy = SqliteConnection::connect_with(&copy.read_only(true)).await?;
        let found: String = sqlx::query_scalar(CHECK).fetch_one(&mut copy).await?;
        copy.close().await?;
        if found == "ok" {
            Ok(())
        } else {
            Err(Error::Corrupt(format!("the copy is damaged: {found}")))
        }
    }
}

fn settle(part: &Path, file: &Path) -> std::io::Result<()> {
    std::fs::File::open(part)?.sync_all()?;
    std::fs::rename(part, file)?;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn beside(file: &Path) -> PathBuf {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

fn failed(file: &Path, why: &str) -> Error {
    Error::Unusable(format!(
        "no backup was written to `{}`: {why}",
        file.display()
    ))
}
