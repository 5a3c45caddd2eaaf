//! Owns `drumbeat plan`: what the files on disk would do to those who are in flows, before they are in force.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use jiff::Timestamp;
use tempfile::TempDir;

use super::exit::Exit;
use super::output;
use super::past_files;
use super::place::Place;
use super::plan_words as words;
use super::session;
use super::workspace_revision::Folder;
use crate::daemon::flow_clock;
use crate::domain::ids::RevisionNo;
use crate::domain::revision::{Numbers, Revision};
use crate::engine::impact::{CODES, Impact};
use crate::store::{Published, Store};
use crate::workspace::{self, render};

const RUNNING: &str = "running";
const ALL: &str = "all";

/// What the files would do to those who are in flows, before they are in force.
///
/// Who would enter and leave, move to another step, be due sooner or later, be written to at once or never;
/// which messages cannot be made, and which gateways are kept busy. The store is only read. The exit code is
/// 1 when something is dangerous and was not allowed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// What the files are compared with: the revision that runs, or the files of a commit.
    #[arg(long, value_name = "running|COMMIT", default_value = RUNNING)]
    against: String,
    /// Dangers that are accepted, by code; `all` for any.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    allow: Vec<String>,
    /// How the facts are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one object with stable keys.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    for code in &arguments.allow {
        let known = CODES.iter().map(|(code, _)| *code);
        let mut known = known.chain([ALL]);
        if !known.any(|known| known == code) {
            let all: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
            bail!("`{code}` is no danger: there are {}", all.join(", "));
        }
    }
    let place = Place {
        workspace: arguments
            .dir
            .clone()
            .unwrap_or_else(|| place.workspace.clone()),
        database: place.database.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(plan(&place, arguments))
}

async fn plan(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let folder = Folder::read(&place.workspace)?;
    let private = TempDir::with_prefix("drumbeat-")?;
    let store = open(place, &private).await?;
    let folder = folder.with_definitions(&store).await?;
    let Some(revision) = folder.checked.revision.clone() else {
        let (sources, found) = (&folder.sources, &folder.checked.diagnostics);
        output::facts(&render::text(sources, found, output::has_colors()))?;
        return Ok(Exit::No);
    };
    let now = flow_clock(&store).await?.now();
    let current = store.current_revision().await?;
    let current = current.unwrap_or_else(|| nothing(now));
    let was = match arguments.against.as_str() {
        RUNNING => current.revision.clone(),
        commit => past(place, commit)?,
    };
    let impact = Impact::assess(&store, &current, &was, revision, now).await?;
    store.close().await;
    match arguments.format {
        Format::Text => output::facts(&words::text(&impact, &arguments.against))?,
        Format::Json => output::json(&serde_json::to_value(&impact)?)?,
        Format::Markdown => output::facts(&words::markdown(&impact, &arguments.against))?,
    }
    let allowed = |code: &str| arguments.allow.iter().any(|one| one == code || one == ALL);
    let is_accepted = impact.dangers.iter().all(|danger| allowed(danger.code));
    Ok(if is_accepted { Exit::Done } else { Exit::No })
}

/// The workspace's store, which is only read; an empty one where there is none yet.
async fn open(place: &Place, private: &TempDir) -> anyhow::Result<Store> {
    let url = session::url_of(place)?;
    let file = url.strip_prefix("sqlite://");
    if file.is_some_and(|file| !std::path::Path::new(file).exists()) {
        output::note("there is no store yet: nobody is in any flow");
        return Ok(Store::open("sqlite://empty.db", private.path()).await?);
    }
    let store = Store::connect(&url, &place.workspace, false).await;
    store.context("the store cannot be read")
}

fn nothing(now: Timestamp) -> Published {
    Published {
        number: RevisionNo(0),
        hash: String::new(),
        commit: None,
        published_at: now,
        approved: None,
        revision: Revision::default(),
        numbers: Numbers::default(),
    }
}

fn past(place: &Place, commit: &str) -> anyhow::Result<Revision> {
    let sources = past_files::at(&place.workspace, commit)?;
    let checked = workspace::check(&sources);
    checked.revision.with_context(|| {
        let said = render::text(&sources, &checked.diagnostics, false);
        format!("the files of `{commit}` have errors:\n{said}")
    })
}
