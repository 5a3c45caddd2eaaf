//! Owns who runs on this store: one daemon at a time, and which start of it this is.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::db::Store;
use super::dialect::Dialect;
use super::error::{Error, Result};
use super::sequences;
use crate::domain::ids::Incarnation;

/// Longer than somebody holds the lock who only looks.
const A_LOOK: Duration = Duration::from_millis(50);

/// The right to run the engine on this store, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Ownership {
    pub incarnation: Incarnation,
    /// The last start of this node on a server.
    pub last: Option<Incarnation>,
    _lock: File,
}

impl Store {
    /// Takes the store for this process and counts its starts; `holder` is named to whoever comes second.
    ///
    /// An exclusive lock on a file beside the database: the system gives it up with the process, so
    /// no crash leaves it behind. Taken: [`Error::Unusable`] names the holder.
    pub async fn own(&self, holder: &str) -> Result<Ownership> {
        let path = self.lock_path();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                let folder = folder.display();
                Error::Unusable(format!("cannot make the folder `{folder}`: {error}"))
            })?;
        }
        let mut lock = take(&path, holder);
        if lock.is_err() {
            // Perhaps somebody only looked who has it.
            tokio::time::sleep(A_LOOK).await;
            lock = take(&path, holder);
        }
        let lock = lock?;
        let mut tx = self.begin().await?;
        let incarnation = Incarnation(sequences::take(&mut tx, "incarnation", 1).await?);
        tx.commit().await?;
        let last = match self.dialect() {
            Dialect::Sqlite => None,
            Dialect::Postgres | Dialect::Citus => self.begin_as(incarnation, holder).await?,
        };
        Ok(Ownership {
            incarnation,
            last,
            _lock: lock,
        })
    }

    /// Joins the nodes of a server; which of them this one was until it ended.
    async fn begin_as(&self, node: Incarnation, holder: &str) -> Result<Option<Incarnation>> {
        let path = self.beside("node");
        let last = std::fs::read_to_string(&path).ok();
        let last = last.and_then(|text| text.trim().parse().ok().map(Incarnation));
        if let Some(last) = last {
            self.retire(last).await?;
        }
        std::fs::write(&path, node.0.to_string()).map_err(|error| {
            let path = path.display();
            Error::Unusable(format!("cannot write `{path}`: {error}"))
        })?;
        let name = format!("{holder} (pid {})", std::process::id());
        self.join(node, &name, 0).await?;
        self.node.store(node.0, Ordering::Relaxed);
        Ok(last)
    }

    /// Whether other nodes may work on it, too.
    pub fn is_shared(&self) -> bool {
        self.dialect() != Dialect::Sqlite
    }

    /// Who has taken this store, if anybody has: on a server all nodes by name.
    pub async fn owner(&self) -> Result<Option<String>> {
        if self.is_shared() {
            let nodes = self.live_nodes().await?.into_iter().map(|node| node.name);
            let names: Vec<String> = nodes.collect();
            return Ok((!names.is_empty()).then(|| names.join(", ")));
        }
        let mut file = match File::open(self.lock_path()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Unusable(format!("cannot look who runs: {error}"))),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(_) => Ok(Some(holder_in(&mut file))),
        }
    }

    fn lock_path(&self) -> PathBuf {
        self.beside("lock")
    }
}

fn take(path: &Path, holder: &str) -> Result<File> {
    let failed = |error: std::io::Error| {
        Error::Unusable(format!(
            "cannot lock the store by `{}`: {error}",
            path.display()
        ))
    };
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held(file)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let text = format!("{holder} (pid {})", std::process::id());
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    Ok(file)
}

/// Who has it, by the lock file's text, and since when, by its time.
fn held(mut file: File) -> Error {
    let holder = holder_in(&mut file);
    let modified = file.metadata().and_then(|about| about.modified()).ok();
    let since = modified
        .and_then(|at| Timestamp::try_from(at).ok())
        .map(|at| format!(" since {at:.0}"))
        .unwrap_or_default();
    Error::Unusable(format!(
        "the store is in use by {holder}{since}: stop it first, or use another store"
    ))
}

fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    if file.read_to_string(&mut holder).is_err() || holder.is_empty() {
        holder.push_str("another process");
    }
    holder
}
