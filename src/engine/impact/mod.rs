//! Owns what a revision would do to those who are in flows if it were published now. Everything is only
//! read: the engine's own timing and its gate are asked, and nothing is written.

mod candidate;
mod dangers;
mod flows;
mod messages;
mod outcome;
mod waiting;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use self::candidate::Candidate;
pub use self::dangers::{CODES, Danger};
pub use self::messages::{ChannelImpact, MessageImpact};
pub use self::outcome::{AtOnce, FlowImpact, Moved, SegmentImpact, Spread};
use crate::domain::approval::{ApprovalRule, Reach};
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
        let policies = [&current.revision.policy, &candidate.revision().policy];
        let [before, after] = policies.map(|policy| policy.approval);
        let awaits =
            ApprovalRule::between(before, after).and_then(|rule| rule.exceeded(entering(&flows)));
        Ok(Self {
            dangers: dangers::of(&flows, &messages, &channels, awaits.as_ref()),
            differences,
            segments,
            flows,
            messages,
            channels,
        })
    }
}

/// Whom a revision would newly let into flows, if they are more than may enter before somebody agrees.
///
/// # Errors
/// When the store fails.
pub async fn awaits(
    store: &Store,
    current: &Published,
    is: &Revision,
    now: Timestamp,
) -> Result<Option<Reach>> {
    let was = &current.revision;
    let Some(rule) = ApprovalRule::between(was.policy.approval, is.policy.approval) else {
        return Ok(None);
    };
    let candidate = Candidate::make(store, current, is.clone(), now).await?;
    let flows = flows::changed(store, &candidate, was, now).await?;
    Ok(rule.exceeded(entering(&flows)))
}

fn entering(flows: &[FlowImpact]) -> BTreeMap<String, u64> {
    let reached = flows
        .iter()
        .map(|flow| (flow.flow.clone(), flow.enters + flow.may_enter));
    reached.filter(|(_, customers)| *customers > 0).collect()
}
