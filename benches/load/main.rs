//! What grows with the base, what waits while changes arrive, what an outage of the gateway leaves, and what
//! looking ahead costs.
//!
//! `cargo bench --bench load -- [growth] [latency] [outage] [ahead] [10k] [100k] [1m] [--store URL] [--json FILE]`

mod changes;
mod child;
mod database;
mod files;
mod foresee;
mod gateway;
mod growth;
mod latency;
mod measures;
mod order;
mod outage;
mod people;
mod place;
mod report;
mod rig;
mod wanted;

#[path = "../w1/process.rs"]
#[expect(dead_code, reason = "W1 uses all of it")]
mod process;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};

use self::database::Database;
use self::files::{AHEAD, BESIDE, DATES, INSTANTS, LATENCY, OUTAGE, PLAIN};
use self::measures::Measures;
use self::place::Place;
use self::report::Done;
use self::wanted::Wanted;

/// Changes per second; and whether they are made beside the daemon's loops.
const ARRIVALS: [(u64, bool); 3] = [(500, true), (500, false), (50, true)];
/// Well above what comes.
const PLENTY: u32 = 5_000;
const AN_HOUR: u64 = 3_600;
const A_MINUTE: u64 = 60;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [first, name, place] if first == "phase" => {
            let measures = phase(name, &serde_json::from_str(place)?).await?;
            say(&serde_json::to_string(&measures)?)
        }
        _ => all(&Wanted::read(&words)?).await,
    }
}

async fn phase(name: &str, place: &Place) -> Result<Measures> {
    match name {
        "import" => rig::import_all(place).await.map(|()| Measures::new()),
        "growth" => growth::run(place).await,
        "latency" => latency::run(place, false).await,
        latency::WITHIN => latency::run(place, true).await,
        "changes" => latency::elsewhere(place).await,
        "enroll" => outage::enroll(place).await,
        "outage" => outage::run(place).await,
        "plan" => foresee::plan(place).await,
        "simulate" => foresee::simulation(place).await,
        _ => bail!("`{name}` is not a phase"),
    }
}

async fn all(wanted: &Wanted) -> Result<()> {
    let mut all = Vec::new();
    for scenario in &wanted.scenarios {
        let done = match scenario.as_str() {
            "growth" => growths(wanted).await?,
            "latency" => latencies(wanted).await?,
            "ahead" => aheads(wanted).await?,
            _ => vec![outages(wanted).await?],
        };
        say(&report::table(&done))?;
        all.extend(done);
    }
    if let Some(path) = &wanted.json {
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

async fn growths(wanted: &Wanted) -> Result<Vec<Done>> {
    let mut all = Vec::new();
    for variant in [PLAIN, BESIDE, INSTANTS, DATES] {
        for customers in &wanted.sizes {
            let run = Run::make(wanted, variant, *customers).await?;
            all.push(run.phase("growth", "growth", 0).await?);
            run.close().await?;
        }
    }
    Ok(all)
}

/// One base for all rates; each changes others.
async fn latencies(wanted: &Wanted) -> Result<Vec<Done>> {
    let mut run = Run::make(wanted, LATENCY, wanted.largest()).await?;
    run.place.pace = PLENTY;
    files::write(&run.place)?;
    let room = run.place.customers;
    let mut all = Vec::new();
    for (rate, within) in ARRIVALS {
        run.place.rate = rate;
        run.place.seconds = wanted.seconds.min(room / 4 / rate).max(1);
        let phase = if within { latency::WITHIN } else { "latency" };
        let mut done = run.phase("latency", phase, rate).await?;
        let whose = if within {
            "the daemon's own"
        } else {
            "another process's"
        };
        done.variant = format!("{whose} changes");
        all.push(done);
        run.place.first += rate * run.place.seconds;
    }
    run.close().await?;
    Ok(all)
}

async fn outages(wanted: &Wanted) -> Result<Done> {
    let run = Run::make(wanted, OUTAGE, wanted.largest()).await?;
    child::run("enroll", &run.place).await?;
    let done = run.phase("outage", "outage", wanted.pace.into()).await?;
    run.close().await?;
    Ok(done)
}

/// A plan only reads; the simulation then takes the base as its own.
async fn aheads(wanted: &Wanted) -> Result<Vec<Done>> {
    let mut all = Vec::new();
    for customers in &wanted.sizes {
        let run = Run::make(wanted, AHEAD, *customers).await?;
        all.push(run.phase("ahead", "plan", 0).await?);
        all.push(run.phase("ahead", "simulate", 0).await?);
        run.close().await?;
    }
    Ok(all)
}

/// A fresh database with everybody in it.
struct Run {
    place: Place,
    database: Database,
    folder: tempfile::TempDir,
}

impl Run {
    async fn make(wanted: &Wanted, variant: &str, customers: u64) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("drumbeat-load-");
        let folder = match &wanted.folder {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let name = folder.path().file_name().context("a folder has a name")?;
        let name = name.to_string_lossy();
        let server = wanted.server.as_deref();
        let database = Database::make(folder.path(), server, &name).await?;
        let away = if server.is_some() { A_MINUTE } else { AN_HOUR };
        let place = Place {
            folder: folder.path().to_owned(),
            url: database.url.clone(),
            customers,
            variant: variant.to_owned(),
            rate: 0,
            seconds: 0,
            first: 0,
            pace: wanted.pace,
            away: wanted.away.unwrap_or(away),
        };
        people::write_csv(&place.csv(), customers)?;
        files::write(&place)?;
        child::run("import", &place).await?;
        Ok(Self {
            place,
            database,
            folder,
        })
    }

    async fn phase(&self, scenario: &str, phase: &str, rate: u64) -> Result<Done> {
        let load = process::load()?;
        Ok(Done {
            scenario: scenario.to_owned(),
            variant: self.place.variant.clone(),
            customers: self.place.customers,
            rate,
            load,
            measures: child::run(phase, &self.place).await?,
        })
    }

    async fn close(self) -> Result<()> {
        self.database.close().await?;
        Ok(self.folder.close()?)
    }
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
