//! Owns following a job until it is over: a line of progress, and Ctrl-C that asks nothing of the job.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::columns::counted;
use super::exit::Exit;
use super::format::Format;
use super::output;
use super::progress::Progress;
use super::session::Session;
use crate::customers::jobs::carrying::{Crew, Flows, Later};
use crate::customers::jobs::facts::{JobErrorFacts, JobFacts};
use crate::domain::job::{Job, JobNo, JobState};
use crate::engine::{Catalog, connect};
use crate::store::{JobPage, Published, Result, Stepped, Store};

/// So often the job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Failures that are shown with a job.
const SHOWN: u32 = 10;

/// The flows of the revision in force, where no daemon runs them.
struct AtRest {
    store: Store,
    catalog: Arc<Catalog>,
}

impl Flows for AtRest {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.catalog.published)
    }

    fn connect<'a>(&'a self, flow: &'a str, page: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(connect(&self.store, &self.catalog, flow, page))
    }
}

/// Watches a job until it is over, or somebody wants to see no more. Without a daemon this command
/// carries it out itself.
pub(crate) async fn follow(session: &Session, number: JobNo) -> anyhow::Result<Job> {
    let (store, stop) = (&session.store, CancellationToken::new());
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    let crew = crew(session).await?;
    let stopped = stop.clone();
    let carrying = tokio::spawn(async move { carry(&crew, number, &stopped).await });
    let progress = Progress::new();
    let watched = watch(store, number, &progress, &stop).await;
    progress.clear();
    stop.cancel();
    let is_ours = carrying.await??;
    let job = watched?;
    if !job.state.is_over() {
        say_goes_on(number, is_ours);
    }
    found(store, number).await
}

async fn crew(session: &Session) -> anyhow::Result<Crew> {
    let store = &session.store;
    let catalog = Catalog::new(session.published.clone(), store.successors().await?);
    let store = store.clone();
    Ok(Crew {
        flows: Arc::new(AtRest {
            store: store.clone(),
            catalog,
        }),
        clock: Arc::clone(&session.clock),
        store,
        node: None,
    })
}

/// Carries the job out while no daemon does; whether it did so last.
async fn carry(crew: &Crew, number: JobNo, stop: &CancellationToken) -> anyhow::Result<bool> {
    let mut is_ours = false;
    while !stop.is_cancelled() {
        is_ours = crew.store.owner().await?.is_none();
        if is_ours {
            crew.run_once(Some(number), stop).await?;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    Ok(is_ours)
}

async fn watch(
    store: &Store,
    number: JobNo,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Job> {
    loop {
        let job = found(store, number).await?;
        let seen = job.done + job.failed;
        let words = format!("job {number}: {} customers", counted(seen));
        progress.at(seen, job.total.unwrap_or(seen).max(seen), words);
        if job.state.is_over() || stop.is_cancelled() {
            return Ok(job);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

fn say_goes_on(number: JobNo, is_ours: bool) {
    let where_ = if is_ours {
        format!("job {number} waits: `drumbeat job follow {number}` or the daemon goes on with it")
    } else {
        format!("job {number} goes on in the daemon: `drumbeat job follow {number}` shows it again")
    };
    output::note(&format!("{where_}; `drumbeat job cancel {number}` ends it"));
}

pub(crate) async fn found(store: &Store, number: JobNo) -> anyhow::Result<Job> {
    let job = store.job(number).await?;
    job.with_context(|| format!("there is no job {number}: see `drumbeat job list`"))
}

/// Writes down what became of a job; the answer is yes when it is done.
pub(crate) async fn say(session: &Session, job: &Job, format: Format) -> anyhow::Result<Exit> {
    match format {
        Format::Json => output::json(&serde_json::to_value(JobFacts::of(job))?)?,
        Format::Text => {
            output::facts(&text(job))?;
            let errors = session.store.job_errors(job.number, None, SHOWN).await?;
            for error in &errors {
                let error = JobErrorFacts::of(error);
                let who = error.customer.unwrap_or_else(|| "somebody".to_owned());
                output::aside(&format!("  {who}: {}", error.error))?;
            }
            if job.failed > errors.len() as u64 {
                output::aside(&format!(
                    "  … see `drumbeat job show {} --errors`",
                    job.number
                ))?;
            }
        }
    }
    Ok(match job.state {
        JobState::Done => Exit::Done,
        _ => Exit::No,
    })
}

/// `job 7, add-tags: done, 400 of 400 (380 changed), 2 failed`.
pub(crate) fn text(job: &Job) -> String {
    let mut text = format!(
        "job {}, {}: {}",
        job.number,
        job.kind.as_str(),
        job.state.as_str()
    );
    let _ = write!(text, ", {}", counted(job.done));
    if let Some(total) = job.total {
        let _ = write!(text, " of {}", counted(total));
    }
    let _ = write!(text, " ({} changed)", counted(job.changed));
    if job.failed > 0 {
        let _ = write!(text, ", {} failed", counted(job.failed));
    }
    if let Some(report) = job.result.as_ref().and_then(|result| result.get("report")) {
        let _ = write!(text, "; `drumbeat export fetch {report}` writes the file");
    }
    if let Some(problem) = &job.problem {
        let _ = write!(text, ": {problem}");
    }
    text.push('\n');
    text
}
