//! Owns how much is written at a time beside a running daemon, which waits for it meanwhile.

use std::time::{Duration, Instant};

/// Rows in one transaction.
const MOST_ROWS: usize = 2_000;
/// What such a transaction should take at most; the next one is smaller when it took longer.
const MOST_TIME: Duration = Duration::from_millis(50);
const FEWEST_ROWS: usize = 50;

/// Leaves the store to others for as long as it was held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sharing {
    rows: usize,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { rows: MOST_ROWS }
    }
}

impl Sharing {
    /// Rows of the next transaction.
    pub(super) fn rows(self) -> usize {
        self.rows
    }

    pub(super) async fn make_room(&mut self, begun: Instant) {
        let taken = begun.elapsed();
        self.rows = if taken > MOST_TIME {
            (self.rows / 2).max(FEWEST_ROWS)
        } else {
            (self.rows * 5 / 4).min(MOST_ROWS)
        };
        tokio::time::sleep(taken.min(MOST_TIME)).await;
    }
}
