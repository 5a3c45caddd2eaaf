//! Owns `drumbeat job`: what is done to many customers in the background, listed, followed, cancelled.

use clap::Subcommand;
use serde_json::json;

use super::actor::ActorArgument;
use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::job_follow::{self, found};
use super::moments::moment_in;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::jobs::facts::{JobErrorFacts, JobFacts};
use crate::customers::names::UnknownName;
use crate::domain::audit::Source;
use crate::domain::job::{Job, JobKind, JobNo, JobState, MOST_ERRORS};
use crate::store::JobFilter;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Jobs, the newest first.
    List(List),
    /// How a job stands, and what it could not do.
    Show(Show),
    /// Stops a job; what it has done stays.
    Cancel(Cancel),
    /// Shows the progress of a job until it is over.
    Follow(Follow),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only what does this, such as `add-tags`.
    #[arg(long, value_parser = kind)]
    kind: Option<JobKind>,
    /// Only `queued`, `running`, `done`, `failed` or `cancelled` ones.
    #[arg(long, value_parser = state)]
    state: Option<JobState>,
    /// How many are listed.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The job's number.
    job: i64,
    /// All failures that are kept, and not the first few.
    #[arg(long)]
    errors: bool,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Cancel {
    /// The job's number.
    job: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Follow {
    /// The job's number.
    job: i64,
    #[command(flatten)]
    format: FormatArgument,
}

fn kind(text: &str) -> Result<JobKind, String> {
    let known = JobKind::ALL.iter().map(|kind| kind.as_str());
    JobKind::parse(text).ok_or_else(|| UnknownName::new("kind", text, known).to_string())
}

fn state(text: &str) -> Result<JobState, String> {
    let known = JobState::ALL.map(JobState::as_str);
    JobState::parse(text).ok_or_else(|| UnknownName::new("state", text, known).to_string())
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::List(verb) => list(session, verb).await,
        Verb::Show(verb) => show(session, verb).await,
        Verb::Cancel(verb) => cancel(session, verb).await,
        Verb::Follow(verb) => follow(session, verb).await,
    })
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let filter = JobFilter {
        kind: verb.kind,
        state: verb.state,
        actor: None,
    };
    let jobs = session.store.jobs(&filter, None, verb.limit).await?;
    match verb.format.format {
        Format::Json => {
            let jobs: Vec<JobFacts> = jobs.iter().map(JobFacts::of).collect();
            output::json(&json!({ "jobs": jobs }))?;
        }
        Format::Text => {
            let zone = session.published.revision.time_zone();
            let row = |job: &Job| {
                let of = job.total.map(|total| format!(" of {}", counted(total)));
                let done = format!("{}{}", counted(job.done), of.unwrap_or_default());
                let failed = (job.failed > 0).then(|| format!("{} failed", counted(job.failed)));
                [
                    job.number.to_string(),
                    job.kind.as_str().to_owned(),
                    job.state.as_str().to_owned(),
                    done,
                    failed.unwrap_or_default(),
                    job.actor.clone(),
                    moment_in(job.created_at, &zone),
                ]
            };
            output::facts(&aligned(0, &jobs.iter().map(row).collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

async fn show(session: &Session, verb: &Show) -> anyhow::Result<Exit> {
    let store = &session.store;
    let job = found(store, JobNo(verb.job)).await?;
    if !verb.errors {
        job_follow::say(session, &job, verb.format.format).await?;
        return Ok(Exit::Done);
    }
    let errors = store.job_errors(job.number, None, MOST_ERRORS).await?;
    let errors: Vec<JobErrorFacts> = errors.iter().map(JobErrorFacts::of).collect();
    match verb.format.format {
        Format::Json => {
            let mut facts = serde_json::to_value(JobFacts::of(&job))?;
            facts["errors"] = json!(errors);
            output::json(&facts)?;
        }
        Format::Text => {
            let row = |error: &JobErrorFacts| {
                let who = error.customer.clone().unwrap_or_default();
                [who, error.error.clone()]
            };
            let rows: Vec<[String; 2]> = errors.iter().map(row).collect();
            output::facts(&(job_follow::text(&job) + &aligned(2, &rows)))?;
        }
    }
    Ok(Exit::Done)
}

async fn cancel(session: &Session, verb: &Cancel) -> anyhow::Result<Exit> {
    let store = &session.store;
    let number = found(store, JobNo(verb.job)).await?.number;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let changed = store.cancel_job(number, &by, session.clock.now()).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "job": number, "changed": changed }))?,
        Format::Text => {
            let done = if changed {
                "cancelled"
            } else {
                "over already, or cancelled before"
            };
            output::facts(&format!("job {number}: {done}\n"))?;
        }
    }
    Ok(Exit::Done)
}

async fn follow(session: &Session, verb: &Follow) -> anyhow::Result<Exit> {
    let number = found(&session.store, JobNo(verb.job)).await?.number;
    let job = job_follow::follow(session, number).await?;
    job_follow::say(session, &job, verb.format.format).await
}
