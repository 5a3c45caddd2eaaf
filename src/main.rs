//! Owns the process: its arguments and its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    drumbeat::cli::run(std::env::args_os()).into()
}
