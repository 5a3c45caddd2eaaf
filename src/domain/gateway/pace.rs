//! Owns how fast messages may go out.

use serde::{Deserialize, Serialize};

/// At most `messages` in every `per_seconds`, shared by all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub messages: u32,
    pub per_seconds: u32,
}

impl Pace {
    pub fn per_second(self) -> f64 {
        f64::from(self.messages) / f64::from(self.per_seconds.max(1))
    }
}

/// So many messages in so many seconds.
impl From<(u32, u32)> for Pace {
    fn from((messages, per_seconds): (u32, u32)) -> Self {
        Self {
            messages,
            per_seconds,
        }
    }
}
