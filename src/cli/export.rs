//! Owns `drumbeat export`: customers to a file, or to stdout.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clap::ValueEnum;

use super::actor::ActorArgument;
use super::columns::counted;
use super::exit::Exit;
use super::output;
use super::place::Place;
use super::progress::Progress;
use super::reports;
use super::session::{self, Session};
use crate::customers::error::Error;
use crate::customers::export::{
    ExportError, ExportFormat, ExportRequest, ExportTarget, Selection, export,
};
use crate::domain::audit::Source;

/// Writes customers to a CSV, XLSX or JSON Lines file that can be imported again.
///
/// The columns are `id`, every field of the data model by its identifier, and `tags`, `status`,
/// `rating`, `created_at`, `last_activity_at`, the switches and the consents, which an import passes
/// over. What a spreadsheet would take for a formula has an apostrophe before it in CSV, which an
/// import takes away; in XLSX it is text.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Option<reports::Verb>,
    /// Only the customers of a segment.
    #[arg(long, value_name = "NAME", conflicts_with = "ids")]
    segment: Option<String>,
    /// Only these customers; the name of a file stands for the ids in it, one a line.
    #[arg(long, value_name = "FILE|ID", num_args = 1..)]
    ids: Vec<String>,
    /// Only these columns, beside `id`.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    fields: Option<Vec<String>>,
    /// What is written; by the ending of the file unless given, CSV without one.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file; stdout unless given. It appears when it is whole.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Lets the file take the place of another one.
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    actor: ActorArgument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Xlsx,
    Jsonl,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Xlsx => Self::Xlsx,
            Format::Jsonl => Self::JsonLines,
        }
    }
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    if let Some(verb) = &arguments.verb {
        return reports::run(place, verb);
    }
    let of_name = arguments.output.as_deref().and_then(Format::of);
    let format = arguments.format.or(of_name).unwrap_or(Format::Csv);
    if format == Format::Xlsx && arguments.output.is_none() {
        output::problem("a workbook is no text: name a file with `--output FILE`");
        return Ok(Exit::Misuse);
    }
    let request = ExportRequest {
        selection: selection(arguments)?,
        fields: arguments.fields.clone(),
        format: format.into(),
    };
    session::run(place, async |session| {
        write(session, arguments, &request).await
    })
}

async fn write(
    session: &Session,
    arguments: &Arguments,
    request: &ExportRequest,
) -> anyhow::Result<Exit> {
    let by = arguments.actor.by(&session.settings, Source::CommandLine);
    let target = match &arguments.output {
        None => ExportTarget::Stream(Box::new(io::stdout())),
        Some(path) => ExportTarget::File {
            path: path.clone(),
            replaces: arguments.force,
        },
    };
    let progress = Progress::new();
    let interrupted = interrupted();
    let watch = |written, of| {
        progress.at(written, of, format!("{} customers", counted(written)));
        if interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let (store, clock) = (&session.store, session.clock.as_ref());
    let exported = export(
        store,
        &session.published,
        request,
        target,
        &by,
        clock,
        &watch,
    );
    let exported = exported.await;
    progress.clear();
    let count = match exported {
        Err(Error::Export(ExportError::Broken(error))) if is_closed_pipe(&error) => {
            return Ok(Exit::Done);
        }
        other => other?,
    };
    if let Some(path) = &arguments.output {
        let customers = if count == 1 { "customer" } else { "customers" };
        let file = path.display();
        output::facts(&format!("{file}: {} {customers}\n", counted(count)))?;
    }
    Ok(Exit::Done)
}

/// `| head` is not a failure.
fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Becomes true when a person wants to stop: what is half written is taken away then.
fn interrupted() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&interrupted);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.store(true, Ordering::Relaxed);
        }
    });
    interrupted
}

fn selection(arguments: &Arguments) -> anyhow::Result<Selection> {
    if let Some(segment) = &arguments.segment {
        return Ok(Selection::Segment(segment.clone()));
    }
    if arguments.ids.is_empty() {
        return Ok(Selection::All);
    }
    let mut ids = Vec::new();
    for word in &arguments.ids {
        if Path::new(word).is_file() {
            let text = std::fs::read_to_string(word);
            let text = text.with_context(|| format!("cannot read `{word}`"))?;
            let lines = text.lines().map(str::trim).filter(|id| !id.is_empty());
            ids.extend(lines.map(str::to_owned));
        } else {
            ids.push(word.clone());
        }
    }
    Ok(Selection::Ids(ids))
}
