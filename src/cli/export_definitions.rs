//! Owns `drumbeat export-definitions`: what people defined in the store, as files for a workspace.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::place::Place;
use super::session;
use crate::definitions::export;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the files are written; the folder is made when missing.
    #[arg(default_value = "definitions")]
    dir: PathBuf,
    /// Replaces files that are there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let definitions = session.store.definitions().await?;
        let files = export::files(&definitions);
        let dir = &arguments.dir;
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| dir.join(name)).collect();
        if let Some(there) = paths.iter().find(|path| path.exists() && !arguments.force) {
            bail!(
                "`{}` is there already: give `--force` to replace it",
                there.display()
            );
        }
        for (path, (_, text)) in paths.iter().zip(&files) {
            std::fs::write(path, text)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let names: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        match arguments.format.format {
            Format::Json => {
                output::json(&json!({ "definitions": definitions.all.len(), "files": names }))?;
            }
            Format::Text if names.is_empty() => {
                output::facts("nothing is defined in the store\n")?;
            }
            Format::Text => {
                let count = definitions.all.len();
                let what = if count == 1 {
                    "definition"
                } else {
                    "definitions"
                };
                output::facts(&format!("{count} {what} in {}\n", names.join(", ")))?;
            }
        }
        Ok(Exit::Done)
    })
}
