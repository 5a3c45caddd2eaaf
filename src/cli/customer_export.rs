//! Owns `drumbeat customer export`: one person's data, as a file for that person.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::exit::Exit;
use super::output;
use super::session::Session;
use crate::customers::person;

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The customer's unique id.
    id: String,
    /// JSON keeps the structure; CSV has a line for each value.
    #[arg(long, value_enum, default_value_t = FileFormat::Json)]
    format: FileFormat,
    /// The file to write, readable by its owner alone; it must not exist. Without one the data is printed.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    Json,
    Csv,
}

pub(crate) async fn export(session: &Session, verb: &Export) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let copy = person::export(store, revision, &verb.id, session.clock.now()).await?;
    let text = match verb.format {
        FileFormat::Json => format!("{copy:#}\n"),
        FileFormat::Csv => person::table(&copy)?,
    };
    match &verb.output {
        None => output::facts(&text)?,
        Some(file) => write(file, &text)?,
    }
    Ok(Exit::Done)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}
