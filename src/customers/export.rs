//! Owns exporting customers to a file or a stream: read page by page, never more than one in memory.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::json;
use tokio::task::spawn_blocking;

pub use super::export_columns::Cells;
pub use super::export_file::{ExportError, ExportFormat, ExportTarget};

use super::error::Error;
use super::export_columns::Columns;
use super::export_file::ExportFile;
use super::names::UnknownName;
use super::overview::rating;
use super::profiles;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::segment::Condition;
use crate::store::{Frame, Published, Store};

/// Customers that are read and written together.
const PAGE: u32 = 500;

/// Who is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All,
    /// Those of a segment.
    Segment(String),
    /// Those of these unique ids, in this order; one that nobody has ends the export.
    Ids(Vec<String>),
}

/// What is exported, and how.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    pub selection: Selection,
    /// Columns beside `id`; all unless given.
    pub fields: Option<Vec<String>>,
    pub format: ExportFormat,
}

/// How far an export has come: customers written, of all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) -> ControlFlow<()> + Sync);

/// Exports customers and says how many they were. What is exported can be imported again: the columns
/// of fields have their identifiers, the others fill no field.
///
/// `watch` hears how far it has come and may end it. The audit gets one row, even when the export
/// fails halfway: by then some of it may be in somebody's hands.
pub async fn export(
    store: &Store,
    published: &Published,
    request: &ExportRequest,
    target: ExportTarget,
    by: &By,
    clock: &dyn Clock,
    watch: Progress<'_>,
) -> Result<u64, Error> {
    let export = Export::new(store, published, request, clock)?;
    let path: Option<PathBuf> = match &target {
        ExportTarget::File { path, .. } => Some(path.clone()),
        ExportTarget::Stream(_) => None,
    };
    let (format, names) = (request.format, export.columns.names());
    let file = spawn_blocking(move || ExportFile::create(target, format, names)).await??;
    let mut written = 0;
    let exported = export.write_all(file, &mut written, watch).await;
    let file = path.as_deref().and_then(|path| path.file_name());
    let detail = json!({
        "file": file.map(|name| name.to_string_lossy()),
        "format": request.format.as_str(),
        "of": export.selection_words(),
        "columns": export.columns.names(),
        "count": written,
        "finished": exported.is_ok(),
    })
    .to_string();
    store
        .audit(by, "export", Some(&detail), clock.now())
        .await?;
    exported.map(|()| written)
}

struct Export<'a> {
    store: &'a Store,
    published: &'a Published,
    selection: &'a Selection,
    columns: Columns,
    /// Of a segment.
    condition: Option<&'a Condition>,
    frame: Frame<'a>,
}

impl<'a> Export<'a> {
    fn new(
        store: &'a Store,
        published: &'a Published,
        request: &'a ExportRequest,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let revision = &published.revision;
        let condition = match &request.selection {
            Selection::Segment(name) => {
                let known = || revision.segments.keys().map(String::as_str);
                let segment = revision.segments.get(name);
                let segment = segment.ok_or_else(|| UnknownName::new("segment", name, known()))?;
                Some(&segment.condition)
            }
            Selection::All | Selection::Ids(_) => None,
        };
        Ok(Self {
            store,
            published,
            selection: &request.selection,
            columns: Columns::new(&revision.data_model, request.fields.as_deref())?,
            condition,
            frame: Frame {
                revision,
                numbers: &published.numbers,
                now: clock.now(),
            },
        })
    }

    fn selection_words(&self) -> String {
        match self.selection {
            Selection::All => "all customers".to_owned(),
            Selection::Segment(name) => format!("segment `{name}`"),
            Selection::Ids(ids) => format!("{} named customers", ids.len()),
        }
    }

    async fn write_all(
        &self,
        mut file: ExportFile,
        written: &mut u64,
        watch: Progress<'_>,
    ) -> Result<(), Error> {
        let total = self.count().await?;
        let (mut taken, mut last) = (0, None);
        loop {
            let page = self.page(taken, last).await?;
            let Some(end) = page.last().copied() else {
                break;
            };
            (taken, last) = (taken + page.len(), Some(end));
            let customers = self.cells(&page).await?;
            let count = customers.len() as u64;
            file = spawn_blocking(move || file.write(&customers).map(|()| file)).await??;
            *written += count;
            if watch(*written, total.max(*written)).is_break() {
                let written = *written;
                return Err(ExportError::Interrupted { written }.into());
            }
        }
        Ok(spawn_blocking(move || file.finish()).await??)
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(match (self.selection, self.condition) {
            (Selection::Ids(ids), _) => ids.len() as u64,
            (_, Some(condition)) => self.store.segment_count(condition, &self.frame).await?,
            (_, None) => self.store.customer_count().await?,
        })
    }

    /// The customers after so many; none at the end.
    async fn page(&self, taken: usize, last: Option<CustomerId>) -> Result<Vec<CustomerId>, Error> {
        if let Selection::Ids(ids) = self.selection {
            return self.named(ids.iter().skip(taken)).await;
        }
        Ok(match self.condition {
            None => self.store.customers_after(last, PAGE).await?,
            Some(condition) => {
                let frame = &self.frame;
                let page = self
                    .store
                    .customers_meeting_after(condition, frame, last, PAGE);
                page.await?
            }
        })
    }

    async fn named(&self, ids: impl Iterator<Item = &String>) -> Result<Vec<CustomerId>, Error> {
        let mut page = Vec::new();
        for id in ids.take(PAGE as usize) {
            page.push(profiles::id_of(self.store, id).await?);
        }
        Ok(page)
    }

    async fn cells(&self, page: &[CustomerId]) -> Result<Vec<Cells>, Error> {
        let customers = self.store.customers_with(page, self.columns.wanted());
        let (revision, now) = (&self.published.revision, self.frame.now);
        let cells = |customer| {
            let rating = rating(&customer, revision, now);
            self.columns.cells(&customer, rating)
        };
        Ok(customers.await?.into_iter().map(cells).collect())
    }
}
