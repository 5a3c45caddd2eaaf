//! How many instructions the hot operations take, counted by callgrind: a figure that a busy machine does
//! not move. `scripts/counts` builds it and runs it.
//!
//! `counts compare`, `counts accept`; `counts run NAME FOLDER` is a process that is counted.

mod operations;
mod prepared;
mod stored;
mod valgrind;
mod wave;

#[path = "../w1/place.rs"]
#[expect(dead_code, reason = "W1 uses all of it")]
mod place;
#[path = "../w1/rig.rs"]
#[expect(dead_code, reason = "W1 uses all of it")]
mod rig;
#[path = "../w1/workload.rs"]
#[expect(dead_code, reason = "W1 uses all of it")]
mod workload;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use self::operations::{OPERATIONS, Operation, Run};
use self::prepared::Prepared;
use self::stored::Counts;

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Cargo says `--bench` to every benchmark.
    let words = words.iter().map(String::as_str);
    let words: Vec<&str> = words.filter(|word| *word != "--bench").collect();
    match words.as_slice() {
        ["run", name, folder] => run(name, Path::new(folder)),
        ["compare"] => compare(),
        ["accept"] => accept(),
        _ => bail!("expected `compare` or `accept`; `scripts/counts` says it"),
    }
}

/// On one thread: with several, who wakes whom would be different each time.
fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

fn run(name: &str, folder: &Path) -> Result<ExitCode> {
    let run = Run::named(name).with_context(|| format!("`{name}` is not to be counted"))?;
    let runtime = runtime()?;
    let place = prepared::place(run.start(), folder);
    let rest = runtime.block_on(operations::run(run, &place))?;
    // What is left is not put away: that would be counted too.
    std::mem::forget((rest, runtime));
    Ok(ExitCode::SUCCESS)
}

fn compare() -> Result<ExitCode> {
    let stored = stored::read()?;
    let now = count()?;
    let compared = stored::compare(&stored, &now);
    say(&compared.text)?;
    Ok(if compared.holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn accept() -> Result<ExitCode> {
    let now = count()?;
    let before = stored::read().unwrap_or_default();
    say(&stored::compare(&before, &now).table)?;
    stored::write(&now)?;
    say("these are stored now; commit them with the reason\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Instructions of each operation, for one of what it is about.
fn count() -> Result<Counts> {
    let prepared = runtime()?.block_on(Prepared::make())?;
    let mut runs = BTreeMap::new();
    for run in Run::ALL {
        let folders = [prepared.copy(run.start())?, prepared.copy(run.start())?];
        let places = folders.each_ref().map(TempDir::path);
        runs.insert(run, valgrind::count(run.name(), &places)?);
    }
    OPERATIONS.iter().map(|one| each(one, &runs)).collect()
}

fn each(operation: &Operation, runs: &BTreeMap<Run, u64>) -> Result<(String, u64)> {
    let (name, times) = (operation.name.to_owned(), operation.times);
    let taken = runs[&operation.to].saturating_sub(runs[&operation.from]) / times;
    if taken == 0 {
        bail!("`{name}` takes no instructions: it is done elsewhere now, or not at all");
    }
    Ok((name, taken))
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
