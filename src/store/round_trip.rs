//! Owns the question whether the store takes writes at all.

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;

impl Store {
    /// Writes one row durably. What a probe or a watchdog reports rests on this.
    ///
    /// # Errors
    /// When nothing can be written now: disk full, read-only, locked for too long.
    pub async fn round_trip(&self, at: Timestamp) -> Result<()> {
        self.set_meta("round_trip", &at).await
    }
}
