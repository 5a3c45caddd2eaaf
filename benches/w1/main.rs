//! The onboarding workload, measured beside the limits of the machine it runs on.
//!
//! `cargo bench -- [10k] [100k] [1m] [--json FILE]`

mod limits;
mod phases;
mod place;
mod process;
mod report;
mod rig;
mod sink;
mod workload;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use self::phases::{Measures, PHASES};
use self::place::Place;
use self::report::{Run, median};
use self::sink::Sink;

/// Sizes up to this are run three times.
const SMALL: u64 = 100_000;

struct Wanted {
    sizes: Vec<u64>,
    json: Option<PathBuf>,
    /// Where databases are made: the system's folder for temporary files unless given.
    folder: Option<PathBuf>,
    /// Runs of each size, instead of three small ones and one large one.
    runs: Option<usize>,
    phases: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, _)) if first == "sink" => sink::serve().await,
        Some((first, rest)) if first == "phase" => phase(rest).await,
        _ => all(&wanted(&words)?).await,
    }
}

fn wanted(words: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted {
        sizes: Vec::new(),
        json: None,
        folder: None,
        runs: None,
        phases: PHASES.iter().map(|phase| (*phase).to_owned()).collect(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("`{word}` needs a value"))
        };
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => wanted.json = Some(value()?.into()),
            "--folder" => wanted.folder = Some(value()?.into()),
            "--runs" => wanted.runs = Some(value()?.parse()?),
            "--until" => {
                let last = value()?;
                let place = PHASES.iter().position(|phase| phase == last);
                let place = place.with_context(|| format!("`{last}` is not a phase"))?;
                wanted.phases.truncate(place + 1);
            }
            size => wanted.sizes.push(customers(size)?),
        }
    }
    if wanted.sizes.is_empty() {
        wanted.sizes = vec![10_000, 100_000, 1_000_000];
    }
    Ok(wanted)
}

fn customers(size: &str) -> Result<u64> {
    let lower = size.to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix('m') {
        Some(digits) => (digits, 1_000_000),
        None => (
            lower.strip_suffix('k').unwrap_or(&lower),
            if lower.ends_with('k') { 1_000 } else { 1 },
        ),
    };
    let count: u64 = digits
        .parse()
        .with_context(|| format!("`{size}` is not a size: write 10k, 100k or 1m"))?;
    let customers = count * unit;
    if customers < 2_000 || !customers.is_multiple_of(1_000) || customers > 10_000_000 {
        bail!("`{size}` is not a size: from 2k to 10m, in thousands");
    }
    Ok(customers)
}

async fn all(wanted: &Wanted) -> Result<()> {
    let sink = Sink::start().await?;
    let mut medians = Vec::new();
    for size in &wanted.sizes {
        let runs = wanted.runs.unwrap_or(if *size <= SMALL { 3 } else { 1 });
        let mut done = Vec::new();
        for _ in 0..runs {
            done.push(one(wanted, *size, &sink).await?);
        }
        if let Some(run) = median(&done) {
            say(&run.table(runs))?;
            medians.push((run, runs));
        }
    }
    if let Some(path) = &wanted.json {
        let all: Vec<_> = medians.iter().map(|(run, runs)| serde_json::json!({ "runs": runs, "figures": run.figures(), "run": run })).collect();
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

async fn one(wanted: &Wanted, customers: u64, sink: &Sink) -> Result<Run> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("drumbeat-w1-");
    let folder = match &wanted.folder {
        Some(parent) => builder.tempdir_in(parent)?,
        None => builder.tempdir()?,
    };
    let place = Place {
        folder: folder.path().to_owned(),
        customers,
        ports: sink.ports,
        changes: if customers <= SMALL { 250 } else { 500 },
        idle: Duration::from_secs(if customers <= SMALL { 5 } else { 10 }),
    };
    workload::write_csv(&place.csv(), customers)?;
    let load = process::load()?;
    sink::reset(place.ports).await?;
    let limits = child("limits", &place).await?;
    let mut run = Run {
        customers,
        load,
        limits,
        ..Run::default()
    };
    for phase in &wanted.phases {
        run.phases
            .insert(phase.clone(), child(phase, &place).await?);
    }
    folder.close()?;
    Ok(run)
}

/// Runs a phase in a process of its own and reads what it measured.
async fn child(phase: &str, place: &Place) -> Result<Measures> {
    let output = Command::new(std::env::current_exe()?)
        .args(["phase", phase])
        .args(place.words())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!(
            "the phase `{phase}` at {} customers failed",
            place.customers
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn phase(words: &[String]) -> Result<()> {
    let (name, rest) = words.split_first().context("which phase?")?;
    let place = Place::parse(rest)?;
    let measures = if name == "limits" {
        limits::run(&place).await?
    } else {
        phases::run(name, &place).await?
    };
    say(&serde_json::to_string(&measures)?)
}
