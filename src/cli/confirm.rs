//! Owns asking a person before something that should not happen by mistake.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::output;

#[derive(Debug, clap::Args)]
pub(crate) struct Confirmation {
    /// Does not ask; without a terminal nobody is asked.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Whether the person at the terminal agrees; `wish` reads like "delete ana".
    pub(crate) fn is_given(&self, wish: &str) -> io::Result<bool> {
        if self.yes || !io::stdin().is_terminal() {
            return Ok(true);
        }
        output::question(&format!("{wish}? [y/N] "))?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}
