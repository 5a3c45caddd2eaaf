//! Owns `drumbeat smart-list`: saved conditions that people look at by themselves.

use clap::Subcommand;

use super::conditions;
use super::exit::Exit;
use super::place::Place;
use super::session;
use crate::domain::definition::DefinitionKind;

const KIND: DefinitionKind = DefinitionKind::SmartList;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All smart lists; `segment preview` and `segment count` say who is in one.
    List(conditions::List),
    /// Adds a smart list, which segments and flows can name at once.
    Add(conditions::Add),
    /// Changes a smart list.
    Change(conditions::Edit),
    /// Removes a smart list, unless something names it.
    Remove(conditions::Remove),
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::List(verb) => conditions::list(session, KIND, verb).await,
        Verb::Add(verb) => conditions::add(session, KIND, verb).await,
        Verb::Change(verb) => conditions::edit(session, KIND, verb).await,
        Verb::Remove(verb) => conditions::remove(session, KIND, verb).await,
    })
}
