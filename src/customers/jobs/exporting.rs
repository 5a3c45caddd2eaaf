//! Owns exports as jobs: a file is written into the store part by part, and listed when it is whole.
//!
//! A file that was half written is of no use: whoever takes the job up again begins from the start.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::customers::error::Error;
use crate::customers::export::{
    ExportError, ExportFormat, ExportRequest, ExportTarget, Selection, export,
};
use crate::customers::names::UnknownName;
use crate::domain::job::{Job, JobEnd};
use crate::domain::job_order::{Action, Order};
use crate::domain::report::Report;
use crate::store::{self, JobHold, JobStanding, Published, Store};

/// The bytes of one part.
const PART: usize = 256 * 1024;
/// Parts on their way to the store.
const ON_THE_WAY: usize = 4;
/// So often a file is begun again because somebody was deleted meanwhile.
const TRIES: usize = 3;
/// So often it is said how far the export is, and asked whether to go on.
const SAYS_SO: Duration = Duration::from_secs(1);

/// How an export ended.
pub(super) enum Exported {
    ToTheEnd(JobEnd),
    Stopped,
    Lost,
}

/// What an export works with.
pub(super) struct Exporting<'a> {
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
    pub(super) published: &'a Published,
    pub(super) hold: &'a JobHold,
    pub(super) job: &'a Job,
}

/// How far it is, and whether it is to go on.
#[derive(Default)]
struct State {
    done: AtomicU64,
    total: AtomicU64,
    ends: AtomicBool,
}

/// The format of a name.
///
/// # Errors
/// [`UnknownName`].
pub(super) fn format(name: &str) -> Result<ExportFormat, UnknownName> {
    let all = [
        ExportFormat::Csv,
        ExportFormat::Xlsx,
        ExportFormat::JsonLines,
    ];
    let found = all.into_iter().find(|format| format.as_str() == name);
    found.ok_or_else(|| UnknownName::new("format", name, all.map(ExportFormat::as_str)))
}

impl Exporting<'_> {
    pub(super) async fn run(
        &self,
        order: &Order,
        stop: &CancellationToken,
    ) -> Result<Exported, Error> {
        for _ in 0..TRIES {
            if let Some(ended) = self.once(order, stop).await? {
                return Ok(ended);
            }
        }
        self.store.forget_report(self.job.number).await?;
        let why =
            "customers were deleted while the file was written: export again when that is over";
        Ok(Exported::ToTheEnd(JobEnd::Failed(why.to_owned())))
    }

    /// Writes the file; none when somebody who may be in it was deleted meanwhile.
    async fn once(
        &self,
        order: &Order,
        stop: &CancellationToken,
    ) -> Result<Option<Exported>, Error> {
        let Action::Export {
            format: name,
            fields,
        } = &order.action
        else {
            let why = "the job exports nothing".to_owned();
            return Err(store::Error::Corrupt(why).into());
        };
        let request = ExportRequest {
            selection: Selection::Of(order.selection.clone(), self.job.number),
            fields: fields.clone(),
            format: format(name)?,
        };
        let begun = self.store.begin_report(self.hold, self.clock.now());
        begun.await?;
        let state = State::default();
        let (sender, parts) = mpsc::channel(ON_THE_WAY);
        let target = ExportTarget::Stream(Box::new(Parts {
            sender,
            buffer: Vec::with_capacity(PART),
        }));
        let watch = |done, total| {
            state.done.store(done, Ordering::Relaxed);
            state.total.store(total, Ordering::Relaxed);
            if state.ends.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let by = self.job.by();
        let written = export(
            self.store,
            self.published,
            &request,
            target,
            &by,
            self.clock,
            &watch,
        );
        let (written, kept) = tokio::join!(Box::pin(written), self.keep(parts, &state, stop));
        let (standing, bytes) = kept?;
        match (standing, written) {
            (JobStanding::Lost, _) => Ok(Some(Exported::Lost)),
            (JobStanding::Stop, _) => {
                self.store.forget_report(self.job.number).await?;
                Ok(Some(Exported::ToTheEnd(JobEnd::Cancelled)))
            }
            (JobStanding::GoOn, Err(Error::Export(ExportError::Interrupted { .. })))
                if stop.is_cancelled() =>
            {
                Ok(Some(Exported::Stopped))
            }
            (JobStanding::GoOn, Err(error)) => Err(error),
            (JobStanding::GoOn, Ok(customers)) => self.list(request.format, customers, bytes).await,
        }
    }

    /// Keeps parts as they come, and says how far it is; how it stands, and how many bytes came.
    async fn keep(
        &self,
        mut parts: mpsc::Receiver<Vec<u8>>,
        state: &State,
        stop: &CancellationToken,
    ) -> Result<(JobStanding, u64), Error> {
        let mut beats = tokio::time::interval(SAYS_SO);
        let (mut number, mut bytes) = (0_u32, 0);
        loop {
            let standing = tokio::select! {
                part = parts.recv() => match part {
                    None => {
                        self.show(state).await?;
                        return Ok((JobStanding::GoOn, bytes));
                    }
                    Some(part) => {
                        let kept = self.store.add_report_part(self.hold, number, &part).await?;
                        number += 1;
                        bytes += part.len() as u64;
                        kept
                    }
                },
                _ = beats.tick() => {
                    self.show(state).await?;
                    self.store.keep_job(self.hold).await?
                }
            };
            if stop.is_cancelled() {
                state.ends.store(true, Ordering::Relaxed);
            }
            if standing != JobStanding::GoOn {
                state.ends.store(true, Ordering::Relaxed);
                return Ok((standing, bytes));
            }
        }
    }

    async fn show(&self, state: &State) -> Result<(), Error> {
        let total = state.total.load(Ordering::Relaxed);
        if total > 0 {
            self.store.count_job(self.hold, total).await?;
            let done = state.done.load(Ordering::Relaxed);
            self.store.show_job(self.hold, done).await?;
        }
        Ok(())
    }

    async fn list(
        &self,
        format: ExportFormat,
        customers: u64,
        bytes: u64,
    ) -> Result<Option<Exported>, Error> {
        let (format, created_at) = (format.as_str(), self.clock.now());
        let report = Report {
            number: self.job.number.0,
            name: name(self.published, created_at, self.job, format),
            format: format.to_owned(),
            actor: self.job.actor.clone(),
            created_at,
            customers,
            bytes,
        };
        self.store.count_job(self.hold, customers).await?;
        self.store.show_job(self.hold, customers).await?;
        let standing = self.store.end_report(self.hold, &report).await?;
        Ok(standing.map(|standing| match standing {
            JobStanding::Lost => Exported::Lost,
            JobStanding::GoOn | JobStanding::Stop => {
                let result = json!({ "report": report.number, "bytes": bytes });
                Exported::ToTheEnd(JobEnd::Done(Some(result)))
            }
        }))
    }
}

/// `customers-2026-11-22-7.csv`.
fn name(published: &Published, at: Timestamp, job: &Job, format: &str) -> String {
    let day = at.to_zoned(published.revision.time_zone()).date();
    format!("customers-{day}-{}.{format}", job.number)
}

/// Bytes on their way to the store, in parts.
struct Parts {
    sender: mpsc::Sender<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Parts {
    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let part = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART));
        let sent = self.sender.blocking_send(part);
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PART - self.buffer.len();
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == PART {
            self.send()?;
        }
        Ok(taken)
    }

    /// Only the end is told to flush, so that parts are whole.
    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
