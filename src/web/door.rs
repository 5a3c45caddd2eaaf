//! Owns who may tell of visitors: pages of certain origins, each address so often.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::domain::daemon_settings::SiteSettings;
use crate::domain::site::SiteKey;

/// Addresses that are remembered before those who have rested are forgotten.
const ADDRESSES: usize = 10_000;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What is asked of whoever tells of visitors.
pub struct Door {
    pub(super) settings: SiteSettings,
    pub(super) key: Option<SiteKey>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Door {
    pub fn new(settings: SiteSettings, key: Option<SiteKey>) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(settings.rate.per_second));
        let quota = quota.allow_burst(at_least_one(settings.rate.burst));
        Self {
            settings,
            key,
            addresses: DefaultKeyedRateLimiter::keyed(quota),
        }
    }

    /// The origin of a request, if its pages may tell.
    pub(super) fn origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let origin = headers.get(ORIGIN)?.to_str().ok()?;
        let is_known = self.settings.origins.iter().any(|known| known == origin);
        is_known.then_some(origin)
    }

    /// The visitor's address: that of the connection, or what the proxy before us saw.
    pub(super) fn address(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.0.ip());
        if !self.settings.behind_proxy {
            return peer;
        }
        // Whatever stands before the last one was written by whoever asked.
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?;
        let last = forwarded.to_str().ok()?.rsplit(',').next()?.trim();
        last.parse().ok().or(peer)
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// The whole seconds after which the next one is taken.
    pub(super) fn count(&self, address: Option<IpAddr>) -> Result<(), u64> {
        if self.addresses.len() > ADDRESSES {
            self.addresses.retain_recent();
        }
        let address = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network);
        self.addresses.check_key(&address).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            wait.as_secs() + 1
        })
    }
}

/// Whoever has one address of IPv6 has the 2^64 of its network (RFC 6177).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => IpAddr::V6((whole.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::daemon_settings::RequestRate;

    fn door(behind_proxy: bool) -> Door {
        let settings = SiteSettings {
            origins: vec!["https://www.bank.example".to_owned()],
            rate: RequestRate {
                per_second: 1,
                burst: 2,
            },
            keep_address: false,
            behind_proxy,
            identify_secret: None,
        };
        Door::new(settings, None)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn only_exactly_these_origins_may_tell() {
        let door = door(false);
        let of = |origin| door.origin(&headers(&[("origin", origin)])).is_some();
        assert!(of("https://www.bank.example"));
        for other in [
            "null",
            "http://www.bank.example",
            "https://www.bank.example.evil.example",
            "https://bank.example",
            "https://www.bank.example:8443",
        ] {
            assert!(!of(other), "{other}");
        }
        assert_eq!(door.origin(&HeaderMap::new()), None);
    }

    #[test]
    fn behind_a_proxy_its_own_word_counts_and_nobody_elses() {
        let peer = Some(Peer("10.0.0.1:9".parse().unwrap()));
        let forged = headers(&[("x-forwarded-for", "192.0.2.66, 203.0.113.7")]);
        let is = |ip: &str| Some(ip.parse::<IpAddr>().unwrap());
        assert_eq!(door(false).address(&forged, peer), is("10.0.0.1"));
        assert_eq!(door(true).address(&forged, peer), is("203.0.113.7"));
    }

    #[test]
    fn an_address_tells_so_often_and_a_network_of_ipv6_is_one() {
        let door = door(false);
        let count = |ip: &str| door.count(Some(ip.parse().unwrap()));
        assert_eq!(count("2001:db8::1"), Ok(()));
        assert_eq!(count("2001:db8::2"), Ok(()));
        assert!(count("2001:db8::3").is_err());
        assert_eq!(count("2001:db8:0:1::3"), Ok(()));
        assert_eq!(count("192.0.2.1"), Ok(()));
    }
}
