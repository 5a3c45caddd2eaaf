//! Owns `drumbeat import save`, `discard`, `revert`, `list` and `show`, and staging a file for them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::actor::ActorArgument;
use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::import_work::see_through;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::imports::facts::{ImportDetail, ImportFacts};
use crate::customers::imports::plan as plans;
use crate::customers::imports::reject_lines::RejectLines;
use crate::customers::imports::spool::Spool;
use crate::customers::imports::staging::{self, Brought};
use crate::domain::audit::{By, Source};
use crate::domain::import::{Import, ImportNo, ImportState};
use crate::domain::import_plan::ImportPlan;
use crate::domain::job::{Job, JobNo, JobState};

/// Rejected rows that are shown.
const REJECTS_SHOWN: u32 = 10;
/// Failures of a job that are shown.
const LEFT_SHOWN: u32 = 10;
const ROWS_SHOWN: usize = 10;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Stores the customers of a staged file, or goes on where a saving stopped.
    Save(One),
    /// Lets go of a staged file.
    Discard(One),
    /// Takes an import back: who came by it goes, and what it changed is as it was. Who was written to or
    /// did something since, and what was changed since, is left and named.
    Revert(Revert),
    /// Lists imports, the newest first.
    List(List),
    /// Shows an import, its first rows, and the first that are not taken.
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// The number of the import.
    import: i64,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(super) struct Revert {
    /// The number of the import; the latest unless given.
    import: Option<i64>,
    /// Only says what would be taken back and what would be left.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The number of the import.
    import: i64,
    /// Writes the rows that were not taken to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgument,
}

pub(super) fn run(place: &Place, verb: &Verb) -> anyhow::Result<Exit> {
    session::run(place, async |session| match verb {
        Verb::Save(verb) => save(session, verb).await,
        Verb::Discard(verb) => discard(session, verb).await,
        Verb::Revert(verb) => revert(session, verb).await,
        Verb::List(verb) => list(session, verb).await,
        Verb::Show(verb) => show(session, verb).await,
    })
}

/// Keeps a file, and has all of its rows looked at.
pub(super) async fn stage(
    session: &Session,
    file: &Path,
    plan: &ImportPlan,
    by: &By,
    format: Format,
) -> anyhow::Result<Exit> {
    let store = &session.store;
    plans::check(store, &session.published.revision, plan).await?;
    let (copied, path) = (store.clone(), file.to_owned());
    let spooled = spawn_blocking(move || Spool::of_file(&copied, &path)).await??;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let brought = Brought {
        file: spooled,
        name: &name,
        plan,
        is_dropped: false,
    };
    let at = session.clock.now();
    let number = staging::bring(store, brought, (by, at)).await?;
    let job = staging::look(store, number, by, at).await?;
    finished(session, job).await?;
    let import = staging::find(store, number).await?;
    tell(session, &import, format).await?;
    Ok(match import.findings.problem {
        None => Exit::Done,
        Some(_) => Exit::No,
    })
}

async fn save(session: &Session, verb: &One) -> anyhow::Result<Exit> {
    let (store, number) = (&session.store, ImportNo(verb.import));
    let by = verb.actor.by(&session.settings, Source::Import);
    let known = staging::find(store, number).await?;
    let is_begun = known.job_state.is_some_and(|state| !state.is_over());
    let job = match known.job {
        // Somebody wanted it before, and was interrupted perhaps.
        Some(job) if known.state == ImportState::Saving && is_begun => job,
        _ => staging::save(store, number, &by, session.clock.now()).await?,
    };
    finished(session, job).await?;
    let import = staging::find(store, number).await?;
    tell(session, &import, verb.format.format).await?;
    Ok(Exit::Done)
}

async fn discard(session: &Session, verb: &One) -> anyhow::Result<Exit> {
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let number = ImportNo(verb.import);
    staging::discard(&session.store, number, &by, session.clock.now()).await?;
    match verb.format.format {
        Format::Text => output::facts(&format!("import {number} is discarded\n"))?,
        Format::Json => output::json(&json!({ "import": number, "state": "discarded" }))?,
    }
    Ok(Exit::Done)
}

async fn revert(session: &Session, verb: &Revert) -> anyhow::Result<Exit> {
    let store = &session.store;
    let number = match verb.import {
        Some(number) => ImportNo(number),
        None => match store.latest_import().await? {
            Some(latest) => latest.number,
            None => bail!("there is no import that could be taken back"),
        },
    };
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let job = staging::revert(store, number, verb.dry_run, (&by, session.clock.now())).await?;
    let job = finished(session, job).await?;
    let left = store.job_errors(job.number, None, LEFT_SHOWN).await?;
    match verb.format.format {
        Format::Json => {
            let left = left
                .iter()
                .map(|(_, one)| json!({ "customer": one.who, "why": one.what }));
            let facts = json!({
                "import": number,
                "changed": job.changed,
                "left": job.failed,
                "first_left": left.collect::<Vec<_>>(),
                "dry_run": verb.dry_run,
            });
            output::json(&facts)?;
        }
        Format::Text => {
            let (changed, failed) = (counted(job.changed), counted(job.failed));
            let verb = if verb.dry_run { "would be" } else { "is" };
            let mut text = format!("import {number} {verb} taken back of {changed} customers");
            let _ = writeln!(text, ", {failed} are left as they are");
            for (_, one) in left {
                let who = one.who.unwrap_or_default();
                let _ = writeln!(text, "  {who}: {}", one.what);
            }
            output::facts(&text)?;
        }
    }
    Ok(Exit::Done)
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let imports = session.store.imports(None, None, verb.limit).await?;
    match verb.format.format {
        Format::Json => {
            let facts: Vec<ImportFacts> = imports.iter().map(ImportFacts::from).collect();
            output::json(&json!({ "imports": facts }))?;
        }
        Format::Text => {
            let row = |import: &Import| {
                [
                    import.number.to_string(),
                    import.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
                    import.shown_state().as_str().to_owned(),
                    format!("{} rows", counted(import.counts.read)),
                    import.name.clone(),
                    import.actor.clone(),
                ]
            };
            let rows: Vec<_> = imports.iter().map(row).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

async fn show(session: &Session, verb: &Show) -> anyhow::Result<Exit> {
    let import = staging::find(&session.store, ImportNo(verb.import)).await?;
    if let Some(path) = &verb.rejects {
        write_rejects(session, &import, path).await?;
    }
    tell(session, &import, verb.format.format).await?;
    Ok(Exit::Done)
}

async fn write_rejects(session: &Session, import: &Import, path: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let context = || format!("cannot write `{}`", path.display());
    let mut file = opened.with_context(context)?;
    let mut lines = RejectLines::new(session.store.clone(), import.clone());
    while let Some(part) = lines.next().await? {
        file.write_all(&part).with_context(context)?;
    }
    Ok(())
}

/// The job once it is over; what it could not do is a failure of the command.
async fn finished(session: &Session, job: JobNo) -> anyhow::Result<Job> {
    let job = see_through(session, job).await?;
    match job.state {
        JobState::Failed => bail!(job.problem.unwrap_or_default()),
        JobState::Cancelled => bail!("job {} was cancelled", job.number),
        JobState::Queued | JobState::Running | JobState::Done => Ok(job),
    }
}

async fn tell(session: &Session, import: &Import, format: Format) -> anyhow::Result<()> {
    let (store, revision) = (&session.store, &session.published.revision);
    let rejects = store
        .import_rejects(import.number, None, REJECTS_SHOWN)
        .await?;
    let rejects = rejects.into_iter().map(|(_, row)| row.into()).collect();
    let detail = ImportDetail {
        import: ImportFacts::from(import),
        preview: staging::first_rows(store, revision, import, ROWS_SHOWN).await?,
        first_rejects: rejects,
    };
    match format {
        Format::Json => output::json(&serde_json::to_value(&detail)?)?,
        Format::Text => output::facts(&text(&detail))?,
    }
    Ok(())
}

fn text(detail: &ImportDetail) -> String {
    let import = &detail.import;
    let (number, state) = (import.import, import.state.as_str());
    let mut text = format!("import {number}, {}: {state}\n", import.file);
    let counts = &import.counts;
    let row = |what: &str, count| [what.to_owned(), format!("{:>9}", counted(count))];
    let rows = [
        row("rows", counts.read),
        row("created", counts.created),
        row("updated", counts.updated),
        row("unchanged", counts.unchanged),
        row("repeated", counts.duplicates),
        row("passed over", counts.skipped),
        row("rejected", counts.rejected),
    ];
    text.push_str(&aligned(2, &rows));
    if !import.ignored_columns.is_empty() {
        let columns = import.ignored_columns.join("`, `");
        let _ = writeln!(text, "columns without a field: `{columns}`");
    }
    for row in &detail.first_rejects {
        let _ = writeln!(text, "  line {}: {}", row.line, row.reason);
    }
    match (&import.problem, import.state) {
        (Some(problem), _) => {
            let _ = writeln!(text, "cannot be imported as it is: {problem}");
        }
        (None, ImportState::Checked) => {
            let _ = writeln!(
                text,
                "nothing is stored yet: `drumbeat import save {number}`"
            );
        }
        (None, ImportState::Saved) => {
            let _ = writeln!(text, "`drumbeat import revert {number}` takes it back");
        }
        _ => {}
    }
    text
}
