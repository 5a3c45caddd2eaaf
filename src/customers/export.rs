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
use super::jobs::chosen::Chosen;
use super::overview::rating;
use super::profiles;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::ids::CustomerId;
use crate::domain::job::{JobNo, JobPlace};
use crate::domain::job_order;
use crate::domain::revision::Numbers;
use crate::store::{Frame, Published, Store};

/// Customers that are read and written together.
const PAGE: u32 = 500;

/// Who is exported.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    All,
    /// Those of a segment.
    Segment(String),
    /// Those of these unique ids, in this order; one that nobody has ends the export.
    Ids(Vec<String>),
    /// Those whom a job is about.
    Of(job_order::Selection, JobNo),
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
    let export = Export::new(store, published, request, clock).await?;
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
    whom: Whom<'a>,
    /// Of lists made since the revision was published, too.
    numbers: Numbers,
    clock: &'a dyn Clock,
}

/// Where the customers come from.
enum Whom<'a> {
    Ids(&'a [String]),
    Chosen(Chosen, JobNo),
}

/// How far it is: so many ids, or up to this place.
#[derive(Clone, Copy, Default)]
struct Reached {
    taken: usize,
    place: Option<JobPlace>,
}

impl<'a> Export<'a> {
    async fn new(
        store: &'a Store,
        published: &'a Published,
        request: &'a ExportRequest,
        clock: &'a dyn Clock,
    ) -> Result<Self, Error> {
        let revision = &published.revision;
        let nobodys = JobNo(0);
        let (selection, job) = match &request.selection {
            Selection::All => (&job_order::Selection::All, nobodys),
            Selection::Segment(name) => (&job_order::Selection::Segment(name.clone()), nobodys),
            Selection::Of(selection, job) => (selection, *job),
            Selection::Ids(_) => (&job_order::Selection::Picked, nobodys),
        };
        let whom = match &request.selection {
            Selection::Ids(ids) => Whom::Ids(ids),
            _ => Whom::Chosen(Chosen::of(store, revision, selection).await?, job),
        };
        Ok(Self {
            store,
            published,
            selection: &request.selection,
            columns: Columns::new(&revision.data_model, request.fields.as_deref())?,
            whom,
            numbers: store.numbers().await?,
            clock,
        })
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            revision: &self.published.revision,
            numbers: &self.numbers,
            now: self.clock.now(),
        }
    }

    fn selection_words(&self) -> String {
        match self.selection {
            Selection::All => "all customers".to_owned(),
            Selection::Segment(name) => format!("segment `{name}`"),
            Selection::Ids(ids) => format!("{} named customers", ids.len()),
            Selection::Of(selection, _) => selection.words(),
        }
    }

    async fn write_all(
        &self,
        mut file: ExportFile,
        written: &mut u64,
        watch: Progress<'_>,
    ) -> Result<(), Error> {
        let total = self.count().await?;
        let mut reached = Reached::default();
        while let Some((page, next)) = self.page(reached).await? {
            reached = next;
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
        match &self.whom {
            Whom::Ids(ids) => Ok(ids.len() as u64),
            Whom::Chosen(chosen, _) => chosen.count(self.store, &self.frame()).await,
        }
    }

    /// The customers behind a place, and the place after them; none at the end.
    async fn page(&self, reached: Reached) -> Result<Option<(Vec<CustomerId>, Reached)>, Error> {
        match &self.whom {
            Whom::Ids(ids) => {
                let page = self.named(ids.iter().skip(reached.taken)).await?;
                let taken = reached.taken + page.len();
                let next = Reached { taken, place: None };
                Ok((!page.is_empty()).then_some((page, next)))
            }
            Whom::Chosen(chosen, job) => {
                let frame = self.frame();
                let asked = (self.store, &frame);
                let page = chosen.page(asked, *job, reached.place, PAGE).await?;
                let to = |place| Reached {
                    taken: 0,
                    place: Some(place),
                };
                Ok(page.map(|(page, place)| (page, to(place))))
            }
        }
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
        let (revision, now) = (&self.published.revision, self.clock.now());
        let cells = |customer| {
            let rating = rating(&customer, revision, now);
            self.columns.cells(&customer, rating)
        };
        Ok(customers.await?.into_iter().map(cells).collect())
    }
}
