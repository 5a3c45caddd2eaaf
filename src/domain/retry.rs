//! Owns when a deferred message is tried again: full jitter, a gateway's `Retry-After`, and giving up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::gateway::RetryPolicy;

/// The longest `Retry-After` that is believed.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The next try after attempt number `attempt` (counted from 1).
///
/// Full jitter: somewhere between one second and `first * factor^(attempt - 1)`, at most `max`; never earlier than the gateway asked for.
pub fn next(
    policy: &RetryPolicy,
    attempt: u32,
    retry_after: Option<Duration>,
    now: Timestamp,
    chance: f64,
) -> Timestamp {
    let first = seconds(policy.first.approximate_seconds());
    let longest = seconds(policy.max.approximate_seconds());
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let bound = (first * policy.factor.max(1.0).powi(exponent)).min(longest);
    let jittered = Duration::from_secs_f64((bound * chance.clamp(0.0, 1.0)).max(1.0));
    let wait = match retry_after {
        Some(asked) => asked.min(LONGEST_WAIT) + jittered.min(Duration::from_secs(10)),
        None => jittered,
    };
    now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO)
}

/// Whether a try at `retry_at` would come after the time the policy gives a message.
pub fn gives_up(policy: &RetryPolicy, first_tried_at: Timestamp, retry_at: Timestamp) -> bool {
    let given = SignedDuration::from_secs(policy.give_up_after.approximate_seconds());
    retry_at.duration_since(first_tried_at) > given
}

#[expect(
    clippy::cast_precision_loss,
    reason = "delays are far below 2^52 seconds"
)]
fn seconds(whole: i64) -> f64 {
    whole.max(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(attempt: u32, retry_after: Option<u64>, chance: f64) -> i64 {
        let policy = RetryPolicy::default();
        let asked = retry_after.map(Duration::from_secs);
        let now = Timestamp::UNIX_EPOCH;
        next(&policy, attempt, asked, now, chance).as_second()
    }

    #[test]
    fn waits_grow_to_the_bound_and_are_spread_below_it() {
        assert_eq!(wait(1, None, 1.0), 30);
        assert_eq!(wait(2, None, 1.0), 60);
        assert_eq!(wait(40, None, 1.0), 3600);
        assert_eq!(wait(u32::MAX, None, 1.0), 3600);
        assert_eq!(wait(3, None, 0.5), 60);
        assert_eq!(wait(3, None, 0.0), 1);
    }

    #[test]
    fn a_gateway_is_never_asked_earlier_than_it_said() {
        assert!(wait(1, Some(120), 0.0) >= 120);
        assert!(wait(1, Some(u64::MAX), 0.0) <= 24 * 3600 + 10);
    }

    #[test]
    fn giving_up_counts_from_the_first_try() {
        let policy = RetryPolicy::default();
        let first = Timestamp::UNIX_EPOCH;
        let within = first + SignedDuration::from_hours(72);
        assert!(!gives_up(&policy, first, within));
        assert!(gives_up(
            &policy,
            first,
            within + SignedDuration::from_secs(1)
        ));
    }
}
