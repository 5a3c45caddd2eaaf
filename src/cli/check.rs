//! Owns `drumbeat check`: everything that is wrong with the files, in one pass.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;

use super::exit::Exit;
use super::output;
use super::place::Place;
use crate::workspace::{self, render};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// How the diagnostics are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: each source line underlined.
    Text,
    /// For programs.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_ref().unwrap_or(&place.workspace);
    let sources = workspace::load(dir)
        .with_context(|| format!("the workspace `{}` cannot be read", dir.display()))?;
    let checked = workspace::check(&sources);
    let found = &checked.diagnostics;
    match arguments.format {
        Format::Text => output::facts(&render::text(&sources, found, output::has_colors()))?,
        Format::Json => output::json(&render::json(found))?,
        Format::Github => output::facts(&render::github(found))?,
    }
    Ok(match checked.revision {
        Some(_) => Exit::Done,
        None => Exit::No,
    })
}
