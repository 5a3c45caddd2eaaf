//! Owns `drumbeat schema`: what editors complete YAML files by.

use clap::builder::PossibleValuesParser;

use super::exit::Exit;
use super::output;
use crate::workspace::{self, Kind};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The first key of the document.
    #[arg(value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)))]
    kind: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(schema) = workspace::schema(&arguments.kind) else {
        return Ok(Exit::Misuse);
    };
    output::json(&schema)?;
    Ok(Exit::Done)
}
