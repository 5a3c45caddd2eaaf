//! Owns the command line: one file per command.

mod check;
mod exit;
mod output;
mod run;
mod schema;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use self::exit::Exit;

/// Walks customers through campaign flows that people write as YAML files.
#[derive(Debug, Parser)]
#[command(name = "drumbeat", version, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Which workspace and store a command works on.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder with the files.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) workspace: PathBuf,
    /// The store; overrides `drumbeat.yaml`.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says everything that is wrong with the files.
    Check(check::Arguments),
    /// Prints the JSON Schema of a kind of document.
    Schema(schema::Arguments),
    /// The daemon: watches the files, enrolls, sends.
    Run(run::Arguments),
}

/// Runs one command and says how it ended; whatever is to be said was written out.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return exit::of_usage(&error),
    };
    let done = match arguments.command {
        Command::Check(command) => check::run(&arguments.place, &command),
        Command::Schema(command) => schema::run(&command),
        Command::Run(command) => run::run(&arguments.place, &command),
    };
    done.unwrap_or_else(|error| exit::of_failure(&error))
}
