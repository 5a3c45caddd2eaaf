//! Owns what the daemon tells its service manager (`sd_notify(3)`); without one, nothing is told.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::Store;

pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
    }
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Pings the watchdog after a round trip to the store, twice in each of its intervals.
///
/// A store that answers with a failure is alive: a full disk is outlived without a restart, which
/// would mend nothing. One that never answers is not.
pub(super) async fn watchdog(
    store: Store,
    clock: std::sync::Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(10)));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                if let Err(error) = store.round_trip(clock.machine()).await {
                    tracing::error!(%error, "the store takes no writes");
                }
                tell(&[NotifyState::Watchdog]);
            }
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell the service manager");
    }
}
