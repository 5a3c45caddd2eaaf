//! Owns opening what the daemon stands on: the store, the revision to begin with, the port, the links.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretSlice};
use tokio::net::TcpListener;

use super::agreement::Agreement;
use super::options::{Failure, Options, other, unusable};
use super::parts::Workshop;
use super::reading::{Found, Reading};
use super::site::Site;
use crate::clock::Clock;
use crate::definitions::publishing::Outcome;
use crate::domain::daemon_settings::DaemonSettings;
use crate::domain::gateway::Secretive;
use crate::domain::link::LinkKey;
use crate::domain::return_path::ReturnKey;
use crate::domain::revision::Revision;
use crate::domain::site::SiteKey;
use crate::engine::{Links, Outlets};
use crate::settings::Settings;
use crate::store::{self, Published, Store};
use crate::web::Door;

/// Of a key that proofs are made with.
const SHORTEST_SECRET: usize = 32;

pub(super) async fn open_store(
    options: &Options,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<Store, Failure> {
    let configured = settings
        .text(&daemon.database)
        .map_err(|error| Failure::Configuration(format!("`database`: {error}")))?;
    let url = options.database.clone().unwrap_or(configured);
    Store::open(&url, &options.workspace)
        .await
        .map_err(unusable)
}

/// What the files say, or what was running before: when they have errors, or somebody must agree first.
pub(super) async fn first_revision(
    store: &Store,
    workshop: &Workshop,
    reading: &mut Reading,
    clock: &dyn Clock,
) -> Result<(Published, Outlets), Failure> {
    reading.refresh(store).await.map_err(other)?;
    let refused = loop {
        let agreement = Agreement::of(store, reading.sources.hash(), None);
        let agreement = agreement.await.map_err(other)?;
        let after = match agreement {
            Agreement::Ours { after } => after,
            Agreement::Differs { revision } => {
                tracing::error!(
                    revision = revision.0,
                    "the files here are those of an older revision than the other nodes run: theirs runs"
                );
                return earlier(store, workshop, reading).await;
            }
        };
        let Some(revision) = &reading.checked.revision else {
            break true;
        };
        let outlets = opened(workshop, revision)?;
        match reading.publish(store, (revision, after), clock).await {
            // Another node was there first, or a definition was changed.
            Err(store::Error::Conflict(_)) => reading.refresh(store).await.map_err(other)?,
            outcome => match outcome.map_err(other)? {
                Outcome::Awaiting(_) => break false,
                Outcome::InForce(done) => {
                    let found = Found {
                        unconverted: &done.unconverted,
                        ..Found::default()
                    };
                    let recorded = reading.record(store, found, clock.machine());
                    recorded.await.map_err(other)?;
                    return Ok((done.published, outlets));
                }
            },
        }
    };
    let recorded = reading.record(store, Found::default(), clock.machine());
    recorded.await.map_err(other)?;
    if refused {
        tracing::error!(
            "the files have errors, the last good revision runs:\n{}",
            reading.text()
        );
    }
    earlier(store, workshop, reading).await
}

async fn earlier(
    store: &Store,
    workshop: &Workshop,
    reading: &Reading,
) -> Result<(Published, Outlets), Failure> {
    let Some(published) = store.current_revision().await.map_err(other)? else {
        return Err(Failure::Configuration(format!(
            "the workspace has errors, and no earlier revision is in force:\n\n{}",
            reading.text()
        )));
    };
    let outlets = opened(workshop, &published.revision)?;
    Ok((published, outlets))
}

fn opened(workshop: &Workshop, revision: &Revision) -> Result<Outlets, Failure> {
    workshop.outlets(revision, &Outlets::new()).map_err(|bad| {
        let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
        Failure::Configuration(bad.join("\n"))
    })
}

pub(super) async fn listen(
    options: &Options,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<Option<TcpListener>, Failure> {
    let configured = settings
        .text(&daemon.listen)
        .map_err(|error| Failure::Configuration(format!("`listen`: {error}")))?;
    let address = options.listen.clone().unwrap_or(configured);
    if address == "off" {
        return Ok(None);
    }
    TcpListener::bind(&address)
        .await
        .map(Some)
        .map_err(|error| {
            Failure::Configuration(format!(
                "cannot listen on `{address}`: {error}: set `listen` in drumbeat.yaml"
            ))
        })
}

/// What the web is set up with beside the engine.
pub(super) async fn site(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<Site, Failure> {
    Ok(Site {
        key: Arc::new(links_key(store, settings, daemon).await?),
        rate: daemon.api,
        door: door(settings, daemon)?,
    })
}

/// Which pages may tell of their visitors, with the key of their proofs.
fn door(settings: &Settings, daemon: &DaemonSettings) -> Result<Option<Door>, Failure> {
    let Some(site) = &daemon.site else {
        return Ok(None);
    };
    let refused = |why: String| Failure::Configuration(format!("`identify-secret`: {why}"));
    let key = match &site.identify_secret {
        None => None,
        Some(secret) => {
            let secret = settings.text(secret);
            let secret = secret.map_err(|error| refused(error.to_string()))?;
            if secret.chars().count() < SHORTEST_SECRET {
                let why = format!("it must have at least {SHORTEST_SECRET} characters");
                return Err(refused(why));
            }
            Some(SiteKey::new(secret.as_bytes()))
        }
    };
    Ok(Some(Door::new(site.clone(), key)))
}

async fn links_key(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<LinkKey, Failure> {
    let secret = links_secret(store, settings, daemon).await?;
    Ok(LinkKey::derived_from(secret.expose_secret()))
}

/// What seals the return paths of e-mails.
pub(super) async fn returns_key(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<ReturnKey, Failure> {
    let secret = links_secret(store, settings, daemon).await?;
    Ok(ReturnKey::derived_from(secret.expose_secret()))
}

/// The secret behind all that leads back to a message: the same on every node, and over restarts.
async fn links_secret(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
) -> Result<SecretSlice<u8>, Failure> {
    match &daemon.link_secret {
        Some(secret) => {
            let secret = settings
                .text(secret)
                .map_err(|error| Failure::Configuration(format!("`link-secret`: {error}")))?;
            Ok(secret.into_bytes().into())
        }
        None => Ok(store.link_key().await.map_err(other)?.to_vec().into()),
    }
}

pub(super) async fn links(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
    listener: Option<&TcpListener>,
) -> Result<Links, Failure> {
    let key = links_key(store, settings, daemon).await?;
    let here = listener.and_then(|listener| listener.local_addr().ok());
    let public_url = match &daemon.public_url {
        Some(url) => public_url(settings, url)?,
        None => here.map_or_else(String::new, |address| format!("http://{address}")),
    };
    Ok(Links { public_url, key })
}

fn public_url(settings: &Settings, url: &Secretive) -> Result<String, Failure> {
    let url = settings
        .text(url)
        .map_err(|error| Failure::Configuration(format!("`public-url`: {error}")))?;
    Ok(url.trim_end_matches('/').to_owned())
}
