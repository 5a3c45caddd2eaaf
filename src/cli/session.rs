//! Owns what a command about people works with: the open store, the revision in force, the clock.

use std::sync::Arc;

use anyhow::bail;

use super::exit::Exit;
use super::place::Place;
use super::workspace_revision::{self, Folder};
use super::{database, output};
use crate::clock::Clock;
use crate::daemon::flow_clock;
use crate::settings::Settings;
use crate::store::{Published, Store};

pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) published: Published,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
}

/// Runs a command on an open store. A store or a workspace that cannot be used is a configuration
/// that cannot run.
pub(crate) fn run(
    place: &Place,
    command: impl AsyncFnOnce(&Session) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let session = match Session::open(place).await {
            Ok(session) => session,
            Err(error) => {
                output::problem(&format!("{error:#}"));
                return Ok(Exit::Configuration);
            }
        };
        let done = command(&session).await;
        session.store.close().await;
        done
    })
}

impl Session {
    async fn open(place: &Place) -> anyhow::Result<Self> {
        let settings = Settings::from_process();
        let (url, folder) = store_of(place, &settings)?;
        let store = Store::open(&url, &place.workspace).await?;
        let clock = flow_clock(&store).await?;
        let at = clock.now();
        let workspace = &place.workspace;
        let published = workspace_revision::in_force(&store, folder, workspace, at).await?;
        Ok(Self {
            store,
            published,
            clock,
            settings,
        })
    }
}

/// The URL of the store that a command works on, wherever it is said.
pub(crate) fn url_of(place: &Place) -> anyhow::Result<String> {
    Ok(store_of(place, &Settings::from_process())?.0)
}

/// The store's URL; the folder is read only where `drumbeat.yaml` has to say it.
fn store_of(place: &Place, settings: &Settings) -> anyhow::Result<(String, Option<Folder>)> {
    if let Some(url) = &place.database {
        return Ok((database::located(url, &place.workspace), None));
    }
    let folder = Folder::read(&place.workspace)?;
    if !folder.has_settings() {
        bail!("`drumbeat.yaml` has errors, so the store is not known: see `drumbeat check`");
    }
    let url = database::of_settings(&folder.checked.settings, &place.workspace, settings)?;
    Ok((url, Some(folder)))
}
