//! Owns how long a push message is of use to whom it is for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::gateway::RetryPolicy;
use crate::domain::message::Message;

/// The longest that any push service keeps a message: four weeks.
const LONGEST: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Until when a push service may keep a message: as long as it would be tried again here.
pub(super) fn until(message: &Message, policy: &RetryPolicy) -> Timestamp {
    let span = SignedDuration::from_secs(policy.give_up_after.approximate_seconds());
    let at = message.frozen.at;
    at.checked_add(span.min(LONGEST)).unwrap_or(Timestamp::MAX)
}

/// How long that is, in whole seconds.
pub(super) fn left(until: Timestamp, now: Timestamp) -> Duration {
    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    Duration::from_secs(left.as_secs())
}
