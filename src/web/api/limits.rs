//! Owns how much may be asked: requests of a token in a second, tokens that an address may guess, bytes of a
//! body.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use jiff::{SignedDuration, Timestamp};

use crate::domain::daemon_settings::RequestRate;
use crate::domain::token::Secret;
use crate::web::door::{Peer, network};

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

/// So many tokens that are no good may come from an address within [`GUESSING_TIME`].
const GUESSES: usize = 20;
const GUESSING_TIME: SignedDuration = SignedDuration::from_mins(1);
/// Addresses that are remembered before those who have rested are forgotten.
const ADDRESSES: usize = 10_000;

/// Counts the requests of each token; the counts are this process's own.
pub(in crate::web) struct Limiter {
    tokens: DefaultKeyedRateLimiter<String>,
    pub(super) guesses: Guesses,
}

/// Counts the tokens that were no good, of each address. One that comes again and again is counted once: a
/// program whose token has ended bars nobody behind the same address.
#[derive(Default)]
pub(super) struct Guesses {
    addresses: Mutex<HashMap<IpAddr, Guessed>>,
}

struct Guessed {
    since: Timestamp,
    hashes: BTreeSet<Vec<u8>>,
}

impl Limiter {
    pub(in crate::web) fn new(rate: RequestRate) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate.per_second));
        let quota = quota.allow_burst(at_least_one(rate.burst));
        Self {
            tokens: DefaultKeyedRateLimiter::keyed(quota),
            guesses: Guesses::default(),
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

impl Guesses {
    /// Whether an address may present a token.
    ///
    /// # Errors
    /// The whole seconds after which it may again.
    pub(super) fn check(&self, peer: Option<Peer>, now: Timestamp) -> Result<(), u64> {
        let addresses = self.addresses();
        let Some(guessed) = addresses.get(&address(peer)) else {
            return Ok(());
        };
        let left = GUESSING_TIME - now.duration_since(guessed.since);
        if guessed.hashes.len() < GUESSES || !left.is_positive() {
            return Ok(());
        }
        Err(left.as_secs().unsigned_abs() + 1)
    }

    /// Counts a token that was no good.
    pub(super) fn failed(&self, peer: Option<Peer>, secret: &Secret, now: Timestamp) {
        let mut addresses = self.addresses();
        let is_recent = |guessed: &Guessed| now.duration_since(guessed.since) < GUESSING_TIME;
        if addresses.len() > ADDRESSES {
            addresses.retain(|_, guessed| is_recent(guessed));
        }
        let fresh = || Guessed {
            since: now,
            hashes: BTreeSet::new(),
        };
        let guessed = addresses.entry(address(peer)).or_insert_with(fresh);
        if !is_recent(guessed) {
            *guessed = fresh();
        }
        guessed.hashes.insert(secret.hash().0);
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Guessed>> {
        // Whoever panicked meanwhile left a count, which is as good as another.
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn address(peer: Option<Peer>) -> IpAddr {
    peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
        network(peer.0.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::CHANCE;

    fn peer(address: &str) -> Peer {
        Peer(format!("{address}:9").parse().unwrap())
    }

    fn secret(chance: u8) -> Secret {
        Secret::new([chance; CHANCE])
    }

    #[test]
    fn an_address_that_guesses_waits_for_the_rest_of_a_minute_and_others_do_not() {
        let guesses = Guesses::default();
        let start: Timestamp = "2026-01-09T10:00:00Z".parse().unwrap();
        let at = |second| start + SignedDuration::from_secs(second);
        for chance in 0..20 {
            assert_eq!(guesses.check(Some(peer("192.0.2.1")), start), Ok(()));
            guesses.failed(Some(peer("192.0.2.1")), &secret(chance), start);
        }
        assert_eq!(guesses.check(Some(peer("192.0.2.1")), at(18)), Err(43));
        assert_eq!(guesses.check(Some(peer("192.0.2.2")), at(18)), Ok(()));
        assert_eq!(guesses.check(Some(peer("192.0.2.1")), at(60)), Ok(()));
        guesses.failed(Some(peer("192.0.2.1")), &secret(0), at(60));
        assert_eq!(guesses.check(Some(peer("192.0.2.1")), at(60)), Ok(()));
    }

    #[test]
    fn the_same_token_again_is_no_guess_and_a_network_of_ipv6_is_one_address() {
        let guesses = Guesses::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..100 {
            guesses.failed(Some(peer("[2001:db8::1]")), &secret(0), now);
        }
        assert_eq!(guesses.check(Some(peer("[2001:db8::1]")), now), Ok(()));
        for chance in 0..20 {
            guesses.failed(
                Some(peer(&format!("[2001:db8::{chance}]"))),
                &secret(chance),
                now,
            );
        }
        assert!(guesses.check(Some(peer("[2001:db8::ffff]")), now).is_err());
        assert_eq!(guesses.check(Some(peer("[2001:db8:0:1::1]")), now), Ok(()));
    }
}
