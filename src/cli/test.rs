//! Owns `drumbeat test`: the workspace's own tests, each on a clock and a store of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::confirm::Confirmation;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::test_junit as junit;
use super::test_words as words;
use super::tested::Tested;
use super::workspace_revision::Folder;
use crate::domain::scenario::Scenario;
use crate::simulation::{self, judge};
use crate::workspace::render;

/// Plays the tests of a workspace: its flows on a clock that is moved by hand, with the customers and
/// events that each test says. Nothing is sent, and no store is touched.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// Only the tests whose sentence or file has this in it.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Also writes the outcome as `JUnit` XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes what came as the new expectation of each test that fails, after asking.
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_ref().unwrap_or(&place.workspace);
    let folder = Folder::read(dir)?;
    if folder.checked.revision.is_none() {
        let (sources, found) = (&folder.sources, &folder.checked.diagnostics);
        output::facts(&render::text(sources, found, output::has_colors()))?;
        return Ok(Exit::No);
    }
    let zone = folder.checked.settings.zone.clone();
    let scenarios: Vec<Scenario> = folder.checked.scenarios.clone();
    let wanted = |scenario: &Scenario| {
        let only = arguments.only.as_deref().unwrap_or_default();
        scenario.name.contains(only) || scenario.place.file.contains(only)
    };
    let scenarios: Vec<Scenario> = scenarios.into_iter().filter(wanted).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let tested = runtime.block_on(all(&folder, scenarios))?;
    if let Some(file) = &arguments.junit {
        let written = junit::document(&tested, &zone)?;
        std::fs::write(file, written)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    match arguments.format.format {
        Format::Text => output::facts(&words::report(&tested, &zone, output::has_colors()))?,
        Format::Json => output::json(&json_of(&tested))?,
    }
    if arguments.update {
        update(dir, &tested, &zone, &arguments.confirmation)?;
    }
    let is_right = tested.iter().all(Tested::is_right);
    Ok(if is_right { Exit::Done } else { Exit::No })
}

/// Beside each other, as many as there are processors; in the order in which they are written.
async fn all(folder: &Folder, scenarios: Vec<Scenario>) -> anyhow::Result<Vec<Tested>> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let turns = Arc::new(tokio::sync::Semaphore::new(at_once));
    let sources = Arc::new(folder.sources.clone());
    let playing = scenarios.into_iter().map(|scenario| {
        let (turns, sources) = (Arc::clone(&turns), Arc::clone(&sources));
        tokio::spawn(async move {
            let _turn = turns.acquire_owned().await;
            let began = Instant::now();
            let played = Box::pin(simulation::play(&sources, &scenario)).await;
            let outcome = played.map(|played| {
                let verdict = judge(&scenario.expected, &played.timeline);
                (played, verdict)
            });
            Tested {
                scenario,
                outcome,
                took: began.elapsed(),
            }
        })
    });
    let playing: Vec<_> = playing.collect();
    let mut tested = Vec::new();
    for one in playing {
        tested.push(one.await?);
    }
    Ok(tested)
}

fn json_of(tested: &[Tested]) -> Value {
    let tests: Vec<Value> = tested.iter().map(words::json).collect();
    json!({ "ok": tested.iter().all(Tested::is_right), "tests": tests })
}

/// Writes new expectations, the last of a file first: the places of the others stay what they were.
fn update(
    dir: &Path,
    tested: &[Tested],
    zone: &str,
    confirmation: &Confirmation,
) -> anyhow::Result<()> {
    for one in tested.iter().rev().filter(|one| !one.is_right()) {
        let Ok((played, _)) = &one.outcome else {
            continue;
        };
        let (file, name) = (&one.scenario.place.file, &one.scenario.name);
        let wish = format!("write what came of \"{name}\" into {file} as what is expected");
        if !confirmation.is_given(&wish)? {
            continue;
        }
        let path = dir.join(file);
        let mut text = std::fs::read_to_string(&path)?;
        let written = one.scenario.written.clone();
        anyhow::ensure!(
            text.get(written.clone()).is_some(),
            "{file} was changed meanwhile: run the tests again"
        );
        text.replace_range(written, &words::expectations(&played.timeline, zone));
        std::fs::write(&path, text)?;
        output::note(&format!("{file} expects what came of it now"));
    }
    Ok(())
}
