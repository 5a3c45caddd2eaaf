//! Owns how much a token may ask: requests in a second, and bytes in a body.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::domain::daemon_settings::RequestRate;

/// The bytes of a body, unless an endpoint takes more.
pub(super) const BODY: usize = 1024 * 1024;
/// The bytes of a body with many customers.
pub(super) const LARGE_BODY: usize = 8 * 1024 * 1024;
/// After it a caller is better told to come back: more than the store waits for a lock.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(20);

/// The same for a file, which is long on its way.
pub(super) const FILE_TIME: Duration = Duration::from_mins(15);
/// Whoever sends nothing of a file for so long has gone.
pub(super) const FILE_PAUSE: Duration = Duration::from_secs(30);

/// Counts the requests of each token; the counts are this process's own.
pub(in crate::web) struct Limiter {
    tokens: DefaultKeyedRateLimiter<String>,
}

impl Limiter {
    pub(in crate::web) fn new(rate: RequestRate) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate.per_second));
        let quota = quota.allow_burst(at_least_one(rate.burst));
        Self {
            tokens: DefaultKeyedRateLimiter::keyed(quota),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The whole seconds after which the next one is taken.
    pub(super) fn count(&self, token: &str) -> Result<(), u64> {
        let counted = self.tokens.check_key(&token.to_owned());
        counted.map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            wait.as_secs() + 1
        })
    }
}
