//! Owns how often an address may pretend to be a gateway before nobody listens to it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::web::door::{Peer, network};

/// So many within [`WITHIN`]; whoever has the secret is listened to all the same.
const MOST: u32 = 20;
const WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// Addresses that are remembered before those who have rested are forgotten.
const ADDRESSES: usize = 10_000;

/// Counts requests that are not a gateway's, of each address.
#[derive(Default)]
pub(in crate::web) struct Misses {
    addresses: Mutex<HashMap<IpAddr, Missed>>,
}

#[derive(Clone, Copy)]
struct Missed {
    since: Timestamp,
    count: u32,
}

impl Misses {
    /// Counts one.
    ///
    /// # Errors
    /// The whole seconds after which the address is answered again.
    pub(super) fn count(&self, peer: Option<Peer>, now: Timestamp) -> Result<(), u64> {
        let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
            network(peer.0.ip())
        });
        let is_recent = |missed: &Missed| now.duration_since(missed.since) < WITHIN;
        let mut addresses = self.addresses();
        if addresses.len() > ADDRESSES {
            addresses.retain(|_, missed| is_recent(missed));
        }
        let fresh = Missed {
            since: now,
            count: 0,
        };
        let missed = addresses.entry(address).or_insert(fresh);
        if !is_recent(missed) {
            *missed = fresh;
        }
        missed.count = missed.count.saturating_add(1);
        if missed.count <= MOST {
            return Ok(());
        }
        let left = WITHIN - now.duration_since(missed.since);
        Err(left.as_secs().unsigned_abs() + 1)
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Missed>> {
        // Whoever panicked meanwhile left a count, which is as good as another.
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_misses_twenty_times_a_minute_and_others_are_not_barred_with_it() {
        let misses = Misses::default();
        let start: Timestamp = "2026-01-09T10:00:00Z".parse().unwrap();
        let peer = |address: &str| Some(Peer(format!("{address}:9").parse().unwrap()));
        for _ in 0..20 {
            assert_eq!(misses.count(peer("192.0.2.1"), start), Ok(()));
        }
        let later = start + SignedDuration::from_secs(18);
        assert_eq!(misses.count(peer("192.0.2.1"), later), Err(43));
        assert_eq!(misses.count(peer("192.0.2.2"), later), Ok(()));
        let after = start + WITHIN;
        assert_eq!(misses.count(peer("192.0.2.1"), after), Ok(()));
    }
}
