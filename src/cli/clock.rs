//! Owns the clock of a command: it reads the time that the store's daemon reads.

use crate::clock::{Anchor, Clock, ManualClock, ScaledClock, SystemClock};
use crate::store::{Result, SavedClock, Store};

/// The clock of a store: the machine's, unless a daemon with a scaled clock has run on it.
///
/// Flow time goes on while that daemon runs, and stands still after it was stopped.
pub(crate) async fn of(store: &Store) -> Result<Box<dyn Clock>> {
    Ok(reading(store.saved_clock().await?))
}

fn reading(saved: Option<SavedClock>) -> Box<dyn Clock> {
    match saved {
        None => Box::new(SystemClock),
        // Flow time never left the machine's.
        Some(saved) if is_one(saved.scale) && saved.flow == saved.machine => Box::new(SystemClock),
        Some(saved) if saved.running => Box::new(ScaledClock::new(Anchor {
            machine: saved.machine,
            flow: saved.flow,
            scale: saved.scale,
        })),
        Some(saved) => Box::new(ManualClock::new(saved.flow)),
    }
}

fn is_one(scale: f64) -> bool {
    (scale - 1.0).abs() < f64::EPSILON
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    fn saved(flow: Timestamp, scale: f64, running: bool) -> SavedClock {
        SavedClock {
            machine: SystemClock.now(),
            flow,
            scale,
            running,
        }
    }

    #[test]
    fn a_stopped_scaled_clock_stands_still_and_a_running_one_goes_on() {
        let far: Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(reading(Some(saved(far, 86_400.0, false))).now(), far);
        let running = reading(Some(saved(far - SignedDuration::from_hours(1), 1e12, true)));
        assert!(running.now() > far);
    }

    #[test]
    fn without_a_scaled_daemon_the_clock_is_the_machines() {
        let before = SystemClock.now();
        let flow = reading(None).now();
        assert!(flow >= before && flow <= SystemClock.now());
    }
}
