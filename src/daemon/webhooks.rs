//! Owns the daemon's work on webhooks: opening the places of the settings, and telling each in a loop of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::options::{Failure, other};
use crate::channels::webhook::{Place, SigningKey};
use crate::clock::Clock;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::daemon_settings::DaemonSettings;
use crate::domain::gateway::Secretive;
use crate::domain::webhook::Webhook;
use crate::engine::{Beat, Engine, Pulse, Teller, beat, webhook_lines};
use crate::settings::Settings;
use crate::store::{self, Store, WantedBy};

/// How often the figures of what waits are counted, and on a server who is to be told of what.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Opens the places of the settings, and makes them those that are told.
pub(super) async fn open(
    store: &Store,
    settings: &Settings,
    daemon: &DaemonSettings,
    clock: &dyn Clock,
) -> Result<Vec<(WantedBy, Place)>, Failure> {
    let opened = daemon.webhooks.iter().map(|webhook| {
        let place = place(settings, webhook).map_err(|reason| {
            Failure::Configuration(format!("webhook `{}`: {reason}", webhook.name))
        })?;
        Ok((wanted(webhook), place))
    });
    let opened: Vec<(WantedBy, Place)> = opened.collect::<Result<_, Failure>>()?;
    agree(store, &opened, clock.now()).await?;
    Ok(opened)
}

fn place(settings: &Settings, webhook: &Webhook) -> Result<Place, String> {
    let url = settings
        .text(&webhook.url)
        .map_err(|error| format!("`url`: {error}"))?;
    let secrets = [
        ("secret", Some(&webhook.secret)),
        ("former-secret", webhook.former_secret.as_ref()),
    ];
    let given = secrets.into_iter();
    let given = given.filter_map(|(name, secret)| Some((name, secret?)));
    let keys = given.map(|(name, secret)| {
        key(settings, secret).map_err(|reason| format!("`{name}`: {reason}"))
    });
    let keys: Vec<SigningKey> = keys.collect::<Result<_, _>>()?;
    Place::open(url, keys, &webhook.allow_networks).map_err(|error| error.to_string())
}

fn key(settings: &Settings, secret: &Secretive) -> Result<SigningKey, String> {
    let secret: SecretString = settings.reveal(secret).map_err(|error| error.to_string())?;
    SigningKey::read(&secret).map_err(|bad| bad.to_string())
}

fn wanted(webhook: &Webhook) -> WantedBy {
    let written = serde_json::to_string(webhook).unwrap_or_default();
    WantedBy {
        name: webhook.name.clone(),
        events: webhook.events.clone(),
        settings: format!("{:016x}", xxhash_rust::xxh3::xxh3_64(written.as_bytes())),
    }
}

/// What waits for places that the settings no longer name is discarded.
async fn agree(store: &Store, opened: &[(WantedBy, Place)], now: Timestamp) -> Result<(), Failure> {
    if opened.is_empty() && store.webhooks().await.map_err(other)?.is_empty() {
        return Ok(());
    }
    let wanted: Vec<WantedBy> = opened.iter().map(|(wanted, _)| wanted.clone()).collect();
    for dropped in store.set_webhooks(&wanted).await.map_err(other)? {
        let (webhook, discarded) = (&dropped.name, dropped.discarded);
        tracing::warn!(
            webhook,
            discarded,
            "is gone from the settings: what waited for it is discarded"
        );
        let by = By::new(Actor::drumbeat(), Source::Engine);
        let detail = serde_json::json!({ "webhook": webhook, "discarded": discarded });
        let detail = detail.to_string();
        let line = store.audit(&by, "webhook removed", Some(&detail), now);
        line.await.map_err(other)?;
    }
    Ok(())
}

/// Tells each place until stopped.
pub(super) async fn spawn(
    engine: &Arc<Engine>,
    opened: Vec<(WantedBy, Place)>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    if opened.is_empty() && !engine.store.is_shared() {
        return Ok(());
    }
    let states = engine.store.webhooks().await.map_err(other)?;
    for (wanted, place) in opened {
        let Some(state) = states.iter().find(|state| state.name == wanted.name) else {
            continue;
        };
        let teller = Teller::new(Arc::clone(engine), state, place, stop.clone());
        let teller = Arc::new(teller);
        tasks.spawn(beat("tell", Pulse::silent(), stop.clone(), move || {
            let teller = Arc::clone(&teller);
            async move { teller.run_once().await }
        }));
    }
    let engine = Arc::clone(engine);
    tasks.spawn(beat("webhooks", Pulse::silent(), stop.clone(), move || {
        let engine = Arc::clone(&engine);
        async move { look(&engine).await }
    }));
    Ok(())
}

async fn look(engine: &Engine) -> store::Result<Beat> {
    if engine.store.is_shared() {
        engine.store.learn_wants().await?;
    }
    let now = engine.clock.now();
    for line in webhook_lines::of(&engine.store).await? {
        let oldest = line.oldest.map_or(0, |at| now.duration_since(at).as_secs());
        let figures = &engine.metrics;
        figures.webhook_waits(&line.webhook, line.waiting, oldest);
    }
    Ok(Beat::Within(COUNT_EVERY))
}
