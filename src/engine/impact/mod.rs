//! Owns what a revision would do to those who are in flows if it were published now. Everything is only
//! read: the engine's own timing and its gate are asked, and nothing is written.

mod candidate;
mod dangers;
mod flows;
mod messages;
mod outcome;
mod waiting;

use jiff::Timestamp;
use serde::Serialize;

use self::candidate::Candidate;
pub use self::dangers::{CODES, Danger};
pub use self::messages::{ChannelImpact, MessageImpact};
pub use self::outcome::{AtOnce, FlowImpact, Moved, SegmentImpact, Spread};
use crate::domain::difference::{Difference, differences};
use crate::domain::revision::Revision;
use crate::store::{Published, Result, Store};

/// What would happen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Impact {
    pub differences: Vec<Difference>,
    pub segments: Vec<SegmentImpact>,
    pub flows: Vec<FlowImpact>,
    /// Messages that cannot be made for somebody.
    pub messages: Vec<MessageImpact>,
    pub channels: Vec<ChannelImpact>,
    pub dangers: Vec<Danger>,
}

impl Impact {
    /// Compares the revision with `was`, and looks at the store as it is at `now`.
    pub async fn assess(
        store: &Store,
        current: &Published,
        was: &Revision,
        is: Revision,
        now: Timestamp,
    ) -> Result<Self> {
        let differences = differences(was, &is);
        let candidate = Candidate::make(store, current, is, now).await?;
        let mut flows = flows::changed(store, &candidate, was, now).await?;
        waiting::look(store, &candidate, was, &mut flows, now).await?;
        let segments = flows::segments(store, &candidate, was, now).await?;
        let messages = messages::failing(store, &candidate, was, now).await?;
        let channels = messages::channels(&candidate, &flows);
        Ok(Self {
            dangers: dangers::of(&flows, &messages, &channels),
            differences,
            segments,
            flows,
            messages,
            channels,
        })
    }
}
