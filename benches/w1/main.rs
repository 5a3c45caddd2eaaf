//! The onboarding workload, measured beside the limits of the machine it runs on.
//!
//! `cargo bench -- [10k] [100k] [1m] [--stores sqlite,postgres] [--nodes 1,2,4] [--json FILE]`

mod asked;
mod crew;
mod crowds;
mod limits;
mod phases;
mod place;
mod process;
mod raw;
mod report;
mod rig;
mod searches;
mod server;
mod sink;
mod suite;
mod table;
mod told;
mod waves;
mod workload;

use std::io::Write as _;

use anyhow::{Result, bail};

use self::asked::Wanted;
use self::place::Place;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, _)) if first == "sink" => sink::serve().await,
        Some((first, rest)) if first == "phase" => phase(rest).await,
        Some((first, rest)) if first == "node" => crew::serve(rest).await,
        _ => suite::all(&Wanted::parse(&words)?).await,
    }
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// One phase in this process, or the limits.
async fn phase(words: &[String]) -> Result<()> {
    let [name, place] = words else {
        bail!("a phase needs two words");
    };
    let place = Place::parse(place)?;
    let measures = if name == "limits" {
        limits::run(&place).await?
    } else {
        phases::run(name, &place).await?
    };
    say(&serde_json::to_string(&measures)?)
}
