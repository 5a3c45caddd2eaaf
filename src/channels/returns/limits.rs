//! Owns the bounds of taking mail: how much, how many, how long.

use std::time::Duration;

/// What whoever brings mail may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open conversations; whoever comes beyond waits.
    pub connections: usize,
    /// How long nothing may be said.
    pub silence: Duration,
    /// How long a conversation may take.
    pub conversation: Duration,
    /// How long storing may take.
    pub storing: Duration,
    /// Bytes of a mail. Less is kept: see `reading::LONGEST`.
    pub size: usize,
    pub recipients: usize,
    /// So many commands may fail.
    pub faults: usize,
    /// How often a maildir is looked into, and how soon is tried again what failed.
    pub round: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 32,
            silence: Duration::from_mins(1),
            conversation: Duration::from_mins(10),
            storing: Duration::from_mins(2),
            size: 32 << 20,
            recipients: 100,
            faults: 20,
            round: Duration::from_secs(2),
        }
    }
}
