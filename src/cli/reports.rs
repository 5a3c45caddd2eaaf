//! Owns `drumbeat export list`, `fetch` and `remove`: the files that exports left in the store.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use tempfile::NamedTempFile;

use super::actor::ActorArgument;
use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment_in;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::reports::ReportFacts;
use crate::domain::audit::Source;
use crate::domain::report::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Finished files, the newest first.
    List(List),
    /// Writes a finished file.
    Fetch(Fetch),
    /// Removes a finished file.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// How many are listed.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Fetch {
    /// The report's number.
    report: i64,
    /// Where it goes; its own name in this folder unless given, `-` for stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Lets the file take the place of another one.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// The report's number.
    report: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, verb: &Verb) -> anyhow::Result<Exit> {
    session::run(place, async |session| match verb {
        Verb::List(verb) => list(session, verb).await,
        Verb::Fetch(verb) => fetch(session, verb).await,
        Verb::Remove(verb) => remove(session, verb).await,
    })
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let reports = session.store.reports(None, verb.limit).await?;
    match verb.format.format {
        Format::Json => {
            let reports: Vec<ReportFacts> = reports.iter().map(ReportFacts::of).collect();
            output::json(&json!({ "reports": reports }))?;
        }
        Format::Text => {
            let zone = session.published.revision.time_zone();
            let row = |report: &Report| {
                [
                    report.number.to_string(),
                    report.name.clone(),
                    format!("{} customers", counted(report.customers)),
                    format!("{} bytes", counted(report.bytes)),
                    report.actor.clone(),
                    moment_in(report.created_at, &zone),
                ]
            };
            output::facts(&aligned(0, &reports.iter().map(row).collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Done)
}

async fn found(session: &Session, number: i64) -> anyhow::Result<Report> {
    let report = session.store.report(number).await?;
    report.with_context(|| format!("there is no report {number}: see `drumbeat export list`"))
}

async fn fetch(session: &Session, verb: &Fetch) -> anyhow::Result<Exit> {
    let report = found(session, verb.report).await?;
    let path = verb
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(&report.name));
    if path.as_os_str() == "-" {
        copy(session, report.number, &mut io::stdout()).await?;
        return Ok(Exit::Done);
    }
    let name = path.display().to_string();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| std::path::Path::new("."));
    // The file is its owner's alone, and appears when it is whole.
    let mut file =
        NamedTempFile::new_in(folder).with_context(|| format!("cannot write `{name}`"))?;
    copy(session, report.number, &mut file).await?;
    file.as_file().sync_all()?;
    if verb.force {
        file.persist(&path)?;
    } else {
        let there = OpenOptions::new().read(true).open(&path).is_ok();
        anyhow::ensure!(
            !there,
            "`{name}` exists already: name another file, or say `--force`"
        );
        file.persist_noclobber(&path)?;
    }
    let customers = counted(report.customers);
    output::facts(&format!("{name}: {customers} customers\n"))?;
    Ok(Exit::Done)
}

/// Part by part, so that a large file takes no more memory than a small one.
async fn copy(session: &Session, number: i64, to: &mut impl Write) -> anyhow::Result<()> {
    for part in 0.. {
        match session.store.report_part(number, part).await? {
            Some(body) => to.write_all(&body)?,
            None => break,
        }
    }
    Ok(to.flush()?)
}

async fn remove(session: &Session, verb: &Remove) -> anyhow::Result<Exit> {
    let number = found(session, verb.report).await?.number;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let removed = session
        .store
        .remove_report(number, &by, session.clock.now());
    removed.await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("report {number}: removed\n"))?,
        Format::Json => output::json(&json!({ "report": number, "removed": true }))?,
    }
    Ok(Exit::Done)
}
