//! Owns who makes a change on the command line.

use crate::domain::audit::{Actor, By, Source};
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(crate) struct ActorArgument {
    /// Who makes the change, for the record; the user of this system unless given.
    #[arg(long = "by", value_name = "NAME")]
    name: Option<String>,
}

impl ActorArgument {
    pub(crate) fn by(&self, settings: &Settings, source: Source) -> By {
        let given = self.name.as_deref().or_else(|| settings.variable("USER"));
        let name = given.map(str::trim).filter(|name| !name.is_empty());
        By::new(Actor::named(name.unwrap_or("command-line")), source)
    }
}
