//! Owns how a command ends.

use std::process::ExitCode;

use super::output;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The answer is no, or something failed.
    No = 1,
    /// The command line is wrong.
    Misuse = 2,
    /// The configuration cannot run (`EX_CONFIG` of sysexits.h).
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// `--help` and `--version` come here too; they are no misuse.
pub(crate) fn of_usage(error: &clap::Error) -> Exit {
    let _closed_pipe = error.print();
    match error.exit_code() {
        0 => Exit::Done,
        _ => Exit::Misuse,
    }
}

pub(crate) fn of_failure(error: &anyhow::Error) -> Exit {
    output::problem(&format!("{error:#}"));
    Exit::No
}
