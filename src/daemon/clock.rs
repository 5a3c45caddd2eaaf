//! Owns which clock runs: the machine's, or a scaled one that goes on where it was stopped.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::{Anchor, Clock, ManualClock, ScaledClock, SystemClock};
use crate::store::{Result, SavedClock, Store};

/// How often a running scaled clock says where it is.
const SAVE_EVERY: Duration = Duration::from_millis(500);
/// A daemon that was killed may have gone on for this long since it last said so.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The clock that runs, and its scale when it has to be remembered.
pub(super) struct Chosen {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) kept: Option<f64>,
}

/// The caller's clock, else the daemon's own.
pub(super) async fn chosen(
    given: Option<Arc<dyn Clock>>,
    store: &Store,
    scale: Option<f64>,
) -> Result<Chosen> {
    match given {
        Some(clock) => Ok(Chosen { clock, kept: None }),
        None => start(store, scale).await,
    }
}

/// The clock of a daemon that starts. A store that has seen scaled time goes on from where it was
/// left, and never runs backwards.
async fn start(store: &Store, scale: Option<f64>) -> Result<Chosen> {
    let machine = SystemClock.machine();
    let saved = store.saved_clock().await?;
    let left_at = saved.as_ref().map(|saved| flow_time(saved, machine));
    let behind = left_at.is_some_and(|left_at| left_at > machine);
    if scale.is_none() && !behind {
        return Ok(Chosen {
            clock: Arc::new(SystemClock),
            kept: None,
        });
    }
    let (flow, scale) = (left_at.unwrap_or(machine), scale.unwrap_or(1.0));
    store.save_clock(machine, flow, scale, true).await?;
    let clock = Arc::new(ScaledClock::new(Anchor {
        machine,
        flow,
        scale,
    }));
    Ok(Chosen {
        clock,
        kept: Some(scale),
    })
}

/// Says again and again where a scaled clock is, and at the end that it stands.
pub(super) async fn keep(store: Store, clock: Arc<dyn Clock>, scale: f64, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(SAVE_EVERY);
    let mut running = true;
    while running {
        tokio::select! {
            () = stop.cancelled() => running = false,
            _ = ticks.tick() => {}
        }
        if let Err(error) = store
            .save_clock(clock.machine(), clock.now(), scale, running)
            .await
        {
            tracing::error!(%error, "cannot save where flow time stands");
        }
    }
}

/// The flow time that the command line reads: the running daemon's, or where it was left.
pub async fn flow_clock(store: &Store) -> Result<Arc<dyn Clock>> {
    let machine = SystemClock.machine();
    Ok(match store.saved_clock().await? {
        None => Arc::new(SystemClock),
        Some(saved) => Arc::new(ManualClock::new(flow_time(&saved, machine))),
    })
}

fn flow_time(saved: &SavedClock, machine: Timestamp) -> Timestamp {
    if !saved.running {
        return saved.flow;
    }
    let anchor = Anchor {
        machine: saved.machine,
        flow: saved.flow,
        scale: saved.scale,
    };
    anchor.at(machine.min(saved.machine + SLACK))
}
