//! Owns networks of addresses: how they are written, and which of them the public internet reaches.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A block of addresses, such as `10.0.0.0/8` or `fd00::/8` (RFC 4632, RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    base: IpAddr,
    /// How many bits all its addresses share.
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a network is written ADDRESS/BITS, such as `10.0.0.0/8`, with no bits behind the prefix")]
pub struct BadNetwork;

/// Why no request is made to an address that others named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("this is no URL: {0}")]
    Unreadable(String),
    #[error("only `https://` is allowed, and `http://` to an allowed network")]
    Scheme,
    #[error("a URL with a name and a password is not allowed")]
    Userinfo,
    #[error("{0} is no public address, and of no allowed network")]
    Address(IpAddr),
    #[error("`{0}` has no public address, and none of an allowed network")]
    Name(String),
}

impl Network {
    const fn v4(octets: [u8; 4], prefix: u8) -> Self {
        let [a, b, c, d] = octets;
        Self {
            base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    /// By its first three groups.
    const fn v6(groups: [u16; 3], prefix: u8) -> Self {
        let [a, b, c] = groups;
        Self {
            base: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
            prefix,
        }
    }

    /// Whether the address is one of the network's. An IPv4 address written as IPv6 (`::ffff:…`) counts as
    /// what it stands for.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (base, width) = bits(self.base);
        let (bits, other) = bits(address.to_canonical());
        width == other && shared(base, bits, width) >= u32::from(self.prefix)
    }
}

/// The bits of an address, at the upper end, and how many they are.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn shared(left: u128, right: u128, width: u32) -> u32 {
    (left ^ right).leading_zeros().min(width)
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (base, prefix) = text.split_once('/').ok_or(BadNetwork)?;
        let base: IpAddr = base.parse().map_err(|_| BadNetwork)?;
        let prefix: u8 = prefix.parse().map_err(|_| BadNetwork)?;
        let (bits, width) = bits(base);
        let rest = bits.checked_shl(u32::from(prefix)).unwrap_or_default();
        let fits = u32::from(prefix) <= width && rest == 0 && base.to_canonical() == base;
        fits.then_some(Self { base, prefix }).ok_or(BadNetwork)
    }
}

impl TryFrom<String> for Network {
    type Error = BadNetwork;

    fn try_from(text: String) -> Result<Self, BadNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// IPv4 networks that are not of the public internet (IANA IPv4 Special-Purpose Address Registry).
const SPECIAL_V4: &[Network] = &[
    Network::v4([0, 0, 0, 0], 8),
    Network::v4([10, 0, 0, 0], 8),
    Network::v4([100, 64, 0, 0], 10),
    Network::v4([127, 0, 0, 0], 8),
    Network::v4([169, 254, 0, 0], 16),
    Network::v4([172, 16, 0, 0], 12),
    Network::v4([192, 0, 0, 0], 24),
    Network::v4([192, 0, 2, 0], 24),
    Network::v4([192, 88, 99, 0], 24),
    Network::v4([192, 168, 0, 0], 16),
    Network::v4([198, 18, 0, 0], 15),
    Network::v4([198, 51, 100, 0], 24),
    Network::v4([203, 0, 113, 0], 24),
    // Multicast, what is reserved, and broadcast.
    Network::v4([224, 0, 0, 0], 3),
];

/// All of IPv6 that is given out to be reached (RFC 4291 §2.4, IANA IPv6 Address Space). Outside stand
/// loopback, link-local and unique local addresses, multicast, mapped IPv4 (`::ffff:…`) and NAT64 (`64:ff9b::`).
const GLOBAL_V6: Network = Network::v6([0x2000, 0, 0], 3);

/// What is special within it (IANA IPv6 Special-Purpose Address Registry).
const SPECIAL_V6: &[Network] = &[
    // Protocol assignments: Teredo, benchmarking, ORCHID.
    Network::v6([0x2001, 0, 0], 23),
    // Documentation.
    Network::v6([0x2001, 0xdb8, 0], 32),
    Network::v6([0x3fff, 0, 0], 20),
    // 6to4 leads to any IPv4 address.
    Network::v6([0x2002, 0, 0], 16),
];

/// Whether the address is one that everybody on the internet reaches, and nobody else's.
pub fn is_public(address: IpAddr) -> bool {
    let special = match address {
        IpAddr::V4(_) => SPECIAL_V4,
        IpAddr::V6(_) if !GLOBAL_V6.contains(address) => return false,
        IpAddr::V6(_) => SPECIAL_V6,
    };
    !special.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2003::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn addresses_of_one_house_or_one_machine_are_not() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456:789a::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn a_network_contains_what_shares_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.9.8.7", "11.0.0.0"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "8.8.8.8", "2001::1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::1/128", "::1", "::2"),
        ] {
            let network: Network = network.parse().expect(network);
            assert!(network.contains(address(inside)), "{network}: {inside}");
            assert!(!network.contains(address(outside)), "{network}: {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10/8",
            "fd00::1/8",
            "::ffff:10.0.0.0/104",
            "::/129",
            "localhost/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork), "{text}");
        }
    }
}
