//! Owns why a due step waits longer.

use serde::{Deserialize, Serialize};

/// Why a due step waits longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBecause {
    QuietHours,
    Window,
    Cap,
    Paused,
}

impl HeldBecause {
    pub const ALL: [Self; 4] = [Self::QuietHours, Self::Window, Self::Cap, Self::Paused];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuietHours => "quiet_hours",
            Self::Window => "window",
            Self::Cap => "frequency_cap",
            Self::Paused => "paused",
        }
    }

    pub fn number(self) -> i64 {
        match self {
            Self::QuietHours => 1,
            Self::Window => 2,
            Self::Cap => 3,
            Self::Paused => 4,
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|held| held.number() == number)
    }
}
