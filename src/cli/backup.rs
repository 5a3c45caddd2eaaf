//! Owns `drumbeat backup`: a copy of the store that is whole, while everything runs on.

use std::path::PathBuf;

use serde_json::json;

use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::place::Place;
use super::{output, session};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write; it must not exist.
    file: PathBuf,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        session.store.backup(&arguments.file).await?;
        let bytes = std::fs::metadata(&arguments.file)?.len();
        let file = &arguments.file;
        match arguments.format.format {
            Format::Text => output::facts(&format!("{}: {bytes} bytes\n", file.display()))?,
            Format::Json => output::json(&json!({ "file": file, "bytes": bytes }))?,
        }
        Ok(Exit::Done)
    })
}
