//! Owns what the command line asks for.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

pub(crate) const SCENARIOS: [&str; 4] = ["growth", "latency", "outage", "ahead"];

/// What is to be measured, and where.
pub(crate) struct Wanted {
    pub(crate) scenarios: Vec<String>,
    pub(crate) sizes: Vec<u64>,
    /// A server's address; a file unless given.
    pub(crate) server: Option<String>,
    pub(crate) json: Option<PathBuf>,
    /// Where files are made: the system's folder for temporary files unless given.
    pub(crate) folder: Option<PathBuf>,
    /// For how long changes arrive.
    pub(crate) seconds: u64,
    /// How long the gateway is away: an hour, by a clock that is put ahead; a minute on a server,
    /// where time has to pass.
    pub(crate) away: Option<u64>,
    /// Of the channel, while it drains.
    pub(crate) pace: u32,
}

impl Wanted {
    pub(crate) fn read(words: &[String]) -> Result<Self> {
        let mut wanted = Self {
            scenarios: Vec::new(),
            sizes: Vec::new(),
            server: None,
            json: None,
            folder: None,
            seconds: 60,
            away: None,
            pace: 3_000,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            wanted.word(word, &mut words)?;
        }
        if wanted.scenarios.is_empty() {
            wanted.scenarios = SCENARIOS.map(str::to_owned).to_vec();
        }
        if wanted.sizes.is_empty() {
            wanted.sizes = vec![10_000, 100_000, 1_000_000];
        }
        wanted.sizes.sort_unstable();
        Ok(wanted)
    }

    fn word<'a>(&mut self, word: &str, more: &mut impl Iterator<Item = &'a String>) -> Result<()> {
        let mut value = || {
            more.next()
                .with_context(|| format!("`{word}` needs a value"))
        };
        match word {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--store" => {
                let store = value()?;
                self.server = (store != "sqlite").then(|| store.clone());
            }
            "--json" => self.json = Some(value()?.into()),
            "--folder" => self.folder = Some(value()?.into()),
            "--seconds" => self.seconds = value()?.parse()?,
            "--away" => self.away = Some(value()?.parse()?),
            "--pace" => self.pace = value()?.parse()?,
            scenario if SCENARIOS.contains(&scenario) => self.scenarios.push(scenario.to_owned()),
            size => self.sizes.push(customers(size)?),
        }
        Ok(())
    }

    /// The largest size: that of what is measured once.
    pub(crate) fn largest(&self) -> u64 {
        self.sizes.last().copied().unwrap_or_default()
    }
}

fn customers(size: &str) -> Result<u64> {
    let lower = size.to_ascii_lowercase();
    let (digits, unit) = match (lower.strip_suffix('m'), lower.strip_suffix('k')) {
        (Some(digits), _) => (digits, 1_000_000),
        (_, Some(digits)) => (digits, 1_000),
        _ => (lower.as_str(), 1),
    };
    let count: u64 = digits.parse().with_context(|| {
        format!("`{size}` is neither a size, such as 10k or 1m, nor one of {SCENARIOS:?}")
    })?;
    let customers = count * unit;
    if customers < 2_000 || !customers.is_multiple_of(1_000) || customers > 10_000_000 {
        bail!("`{size}` is not a size: from 2k to 10m, in thousands");
    }
    Ok(customers)
}
