//! Owns which workspace and store a command works on.

use std::path::PathBuf;

/// The options that every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder with the files.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) workspace: PathBuf,
    /// The store; overrides `drumbeat.yaml`.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
}
