//! Owns the one loop shape: run once, then wait for news or for the time that the run named.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pulse::Pulse;

/// When to run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// There is more to do.
    Now,
    /// When the store changes, or after this long at the latest.
    Within(Duration),
}

/// After a failure, before the next try.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Runs `run_once` until it is told to stop. A failure is logged here, once, and tried again.
pub async fn beat<F, E>(
    name: &'static str,
    mut pulse: Pulse,
    stop: CancellationToken,
    mut run_once: impl FnMut() -> F,
) where
    F: Future<Output = Result<Beat, E>>,
    E: std::fmt::Display,
{
    while !stop.is_cancelled() {
        let wait = match run_once().await {
            Ok(Beat::Now) => {
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Beat::Within(wait)) => wait,
            Err(error) => {
                tracing::error!(beat = name, %error, "failed, trying again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = pulse.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
