//! Owns `drumbeat db`: looking after the database that holds the store.

use clap::Subcommand;

use super::exit::Exit;
use super::place::Place;
use super::run::runtime;
use super::{db_check, db_copy, db_migrate, db_status, output, session};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Brings the database to the schema of this version.
    Migrate(db_migrate::Arguments),
    /// Says which database it is, what its schema is, how much it holds, and who runs on it.
    Status(db_status::Arguments),
    /// Looks through the whole store for what is wrong.
    Check(db_check::Arguments),
    /// Copies the whole store into another database; broken off, the same command goes on.
    Copy(db_copy::Arguments),
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        match &arguments.command {
            Command::Migrate(command) => {
                on_store(place, true, async |store| {
                    db_migrate::run(store, command).await
                })
                .await
            }
            Command::Status(command) => {
                on_store(place, false, async |store| {
                    db_status::run(store, command).await
                })
                .await
            }
            Command::Check(command) => {
                on_store(place, false, async |store| {
                    db_check::run(store, command).await
                })
                .await
            }
            Command::Copy(command) => db_copy::run(place, command).await,
        }
    })
}

/// Runs a command on the database as it is. One that cannot be opened is a configuration that cannot
/// run.
async fn on_store(
    place: &Place,
    make: bool,
    command: impl AsyncFnOnce(&Store) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let store = match open(place, make).await {
        Ok(store) => store,
        Err(error) => {
            output::problem(&format!("{error:#}"));
            return Ok(Exit::Configuration);
        }
    };
    let done = command(&store).await;
    store.close().await;
    done
}

async fn open(place: &Place, make: bool) -> anyhow::Result<Store> {
    let url = session::url_of(place)?;
    Ok(Store::connect(&url, &place.workspace, make).await?)
}
