//! Owns what people do with an import before and after its work: bring a file, change how it is read, save
//! it, discard it, take it back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::plan;
use super::spool::{self, Spooled};
use crate::customers::error::Error;
use crate::customers::preview::{self, Preview};
use crate::domain::audit::By;
use crate::domain::import::{Import, ImportNo, ImportState};
use crate::domain::import_plan::{ImportKind, ImportPlan};
use crate::domain::job::{JobKind, JobNo};
use crate::domain::revision::Revision;
use crate::store::{self, NewImport, Store};

/// Whose turn it is to look at first rows: the texts of a workbook are held meanwhile, so not by many at once.
static TURN: Mutex<()> = Mutex::const_new(());

/// What a job about an import is told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) import: ImportNo,
    /// Whether nothing is to stay written.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// A file to be imported.
pub struct Brought<'a> {
    pub file: Spooled,
    pub name: &'a str,
    pub plan: &'a ImportPlan,
    /// Whether it came from the watched folder.
    pub is_dropped: bool,
}

/// Begins an import; nothing looks at its rows yet.
pub async fn bring(
    store: &Store,
    brought: Brought<'_>,
    (by, at): (&By, Timestamp),
) -> Result<ImportNo, Error> {
    let Brought {
        file,
        name,
        plan,
        is_dropped,
    } = brought;
    let new = NewImport {
        state: ImportState::Checking,
        name,
        size: file.size,
        hash: &file.hash,
        plan,
        is_dropped,
        by,
        at,
    };
    let import = store.add_import(&new).await?;
    file.keep(store, import, name).await?;
    Ok(import)
}

/// Has all rows looked at; nothing is stored of them.
pub async fn look(store: &Store, import: ImportNo, by: &By, at: Timestamp) -> Result<JobNo, Error> {
    queue(store, JobKind::CheckImport, import, false, (by, at)).await
}

/// Changes how a file is to be imported, and has its rows looked at again.
pub async fn change(
    store: &Store,
    revision: &Revision,
    (import, plan): (ImportNo, &ImportPlan),
    (by, at): (&By, Timestamp),
) -> Result<JobNo, Error> {
    plan::check(store, revision, plan).await?;
    store.change_import(import, plan).await?;
    look(store, import, by, at).await
}

/// Has the customers of the file stored.
///
/// # Errors
/// [`store::Error::Conflict`] when the file cannot be imported as it is, or was discarded or saved.
pub async fn save(store: &Store, import: ImportNo, by: &By, at: Timestamp) -> Result<JobNo, Error> {
    let known = find(store, import).await?;
    if let Some(problem) = &known.findings.problem {
        let told = format!("import {import} cannot be saved as it is: {problem}");
        return Err(store::Error::Conflict(told).into());
    }
    queue(store, JobKind::Import, import, false, (by, at)).await
}

/// Lets go of an import that was not saved.
pub async fn discard(store: &Store, import: ImportNo, by: &By, at: Timestamp) -> Result<(), Error> {
    let known = find(store, import).await?;
    store.discard_import(import, by, at).await?;
    spool::remove(store, &known).await
}

/// Has everything taken back that an import did, as far as nobody changed it since. A trial changes
/// nothing, and says what would be.
pub async fn revert(
    store: &Store,
    import: ImportNo,
    is_trial: bool,
    (by, at): (&By, Timestamp),
) -> Result<JobNo, Error> {
    let known = find(store, import).await?;
    if known.plan.kind != ImportKind::Customers {
        let told = format!("import {import} is not of customers: it cannot be taken back");
        return Err(store::Error::Conflict(told).into());
    }
    queue(store, JobKind::RevertImport, import, is_trial, (by, at)).await
}

async fn queue(
    store: &Store,
    kind: JobKind,
    import: ImportNo,
    dry_run: bool,
    (by, at): (&By, Timestamp),
) -> Result<JobNo, Error> {
    let body = json!(Body { import, dry_run });
    Ok(store.queue_import(import, kind, &body, by, at).await?)
}

/// An import by its number.
///
/// # Errors
/// [`Error::UnknownImport`].
pub async fn find(store: &Store, import: ImportNo) -> Result<Import, Error> {
    let found = store.import(import).await?;
    found.ok_or(Error::UnknownImport(import))
}

/// The first rows of an open import's file; none when the file is gone, or its rows are no customers.
pub async fn first_rows(
    store: &Store,
    revision: &Revision,
    import: &Import,
    rows: usize,
) -> Result<Option<Preview>, Error> {
    if !import.is_open() || import.plan.kind != ImportKind::Customers || import.hash.is_empty() {
        return Ok(None);
    }
    let path = match spool::at_hand(store, import).await {
        Err(Error::FileGone(_)) => return Ok(None),
        other => other?,
    };
    let mut input = plan::input(&import.plan, path)?;
    if input.table.encoding.is_none() {
        // Found once, it need not be looked for again.
        let found = import.findings.encoding.as_deref();
        let found = found.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
        input.table.encoding = found;
    }
    let revision = revision.clone();
    let _turn = TURN.lock().await;
    let read = spawn_blocking(move || preview::preview(&input, &revision, rows)).await?;
    match read {
        Ok(preview) => Ok(Some(preview)),
        Err(Error::Table(_) | Error::Mapping(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
