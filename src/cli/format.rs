//! Owns how a command's facts are written: for people or for programs.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object with stable keys.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FormatArgument {
    /// How the facts are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
