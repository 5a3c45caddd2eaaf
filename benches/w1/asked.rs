//! Owns what is asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::phases::{BASE, FLOW};

/// Sizes up to this are run three times.
pub(crate) const SMALL: u64 = 100_000;
/// What has not ended by then is left out.
const MINUTES: u64 = 60;

/// Where the customers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    InFile,
    OnServer,
}

impl Kept {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InFile => "SQLite",
            Self::OnServer => "PostgreSQL",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) sizes: Vec<u64>,
    pub(crate) stores: Vec<Kept>,
    /// How many processes send, one run for each; a file has one.
    pub(crate) nodes: Vec<u16>,
    pub(crate) json: Option<PathBuf>,
    /// Where databases are made: the system's folder for temporary files unless given.
    pub(crate) folder: Option<PathBuf>,
    /// Runs of each size, instead of three small ones and one large one.
    pub(crate) runs: Option<usize>,
    pub(crate) within: Duration,
    /// Whether PostgreSQL's slowest statements are printed after each phase.
    pub(crate) statements: bool,
    phases: Vec<&'static str>,
}

impl Wanted {
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let mut wanted = Self {
            sizes: Vec::new(),
            stores: vec![Kept::InFile, Kept::OnServer],
            nodes: vec![1, 2, 4],
            json: None,
            folder: None,
            runs: None,
            within: Duration::from_mins(MINUTES),
            statements: false,
            phases: BASE.iter().chain(FLOW).copied().collect(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            wanted.take(word, &mut words)?;
        }
        if wanted.sizes.is_empty() {
            wanted.sizes = vec![10_000, 100_000, 1_000_000];
        }
        Ok(wanted)
    }

    fn take<'a>(&mut self, word: &str, words: &mut impl Iterator<Item = &'a String>) -> Result<()> {
        let mut value = || {
            let value = words.next();
            value.with_context(|| format!("`{word}` needs a value"))
        };
        match word {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => self.json = Some(value()?.into()),
            "--folder" => self.folder = Some(value()?.into()),
            "--runs" => self.runs = Some(value()?.parse()?),
            "--minutes" => self.within = Duration::from_mins(value()?.parse()?),
            "--statements" => self.statements = true,
            "--stores" => self.stores = value()?.split(',').map(store).collect::<Result<_>>()?,
            "--nodes" => self.nodes = value()?.split(',').map(nodes).collect::<Result<_>>()?,
            "--until" => {
                let last = value()?;
                let place = self.phases.iter().position(|phase| phase == last);
                let place = place.with_context(|| format!("`{last}` is not a phase"))?;
                self.phases.truncate(place + 1);
            }
            size => self.sizes.push(customers(size)?),
        }
        Ok(())
    }

    pub(crate) fn has(&self, phase: &str) -> bool {
        self.phases.contains(&phase)
    }

    /// How often a size is run.
    pub(crate) fn runs(&self, customers: u64) -> usize {
        self.runs.unwrap_or(if customers <= SMALL { 3 } else { 1 })
    }
}

fn store(word: &str) -> Result<Kept> {
    match word {
        "sqlite" => Ok(Kept::InFile),
        "postgres" => Ok(Kept::OnServer),
        _ => bail!("`{word}` is not a store: write sqlite or postgres"),
    }
}

fn nodes(word: &str) -> Result<u16> {
    match word.parse() {
        Ok(nodes) if (1..=16).contains(&nodes) => Ok(nodes),
        _ => bail!("`{word}` is not a number of nodes: from 1 to 16"),
    }
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
