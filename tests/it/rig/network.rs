//! Owns islands: network namespaces that reach this machine by two links, one of which loses packets when told to.
//!
//! Addresses are of 198.18.0.0/15, which RFC 2544 (C.2.2) sets aside for tests, one /24 for a sea.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// In the package `iproute2`.
const IP: &str = "/sbin/ip";
/// Before the process that made an island, and its number there.
const NAME: &str = "drumbeat-test-";
/// An address of the link layer that nobody has.
const NOBODY: &str = "02:00:00:00:00:01";

static MADE: AtomicU32 = AtomicU32::new(0);

/// Some islands around this machine; they are gone when this is dropped.
pub(crate) struct Sea {
    pub(crate) islands: Vec<Island>,
}

/// A namespace; what runs in it reaches this machine's two addresses and nothing else.
pub(crate) struct Island {
    /// As `ip netns exec` takes it.
    pub(crate) name: String,
    /// The link that can be cut, and the one that is always there.
    database: Link,
    mail: Link,
}

/// One end is in this machine, the other in the island under the link's own name.
struct Link {
    name: &'static str,
    device: String,
    here: Ipv4Addr,
    there: Ipv4Addr,
}

impl Sea {
    pub(crate) fn with(islands: usize) -> Self {
        clear_away();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let net = u8::try_from((std::process::id() + number) % 251).unwrap();
        let island = |n| Island::make(&format!("{}-{number}-{n}", std::process::id()), net, n);
        let islands: Vec<Island> = (0..islands).map(island).collect();
        let sea = Self { islands };
        for island in &sea.islands[1..] {
            island.reach(sea.database(), &island.database);
            island.reach(sea.mail(), &island.mail);
        }
        sea
    }

    /// This machine's address at the end of the links that can be cut.
    pub(crate) fn database(&self) -> Ipv4Addr {
        self.islands[0].database.here
    }

    /// This machine's address at the end of the others.
    pub(crate) fn mail(&self) -> Ipv4Addr {
        self.islands[0].mail.here
    }

    /// All addresses of islands, as a network.
    pub(crate) fn addresses(&self) -> String {
        let [a, b, c, _] = self.database().octets();
        format!("{a}.{b}.{c}.0/24")
    }
}

impl Island {
    fn make(name: &str, net: u8, n: usize) -> Self {
        let first = u8::try_from(n * 8).unwrap();
        let link = |name: &'static str, first: u8| Link {
            name,
            device: format!("{}{}.{first}", &name[..1], std::process::id()),
            here: Ipv4Addr::new(198, 18, net, first + 1),
            there: Ipv4Addr::new(198, 18, net, first + 2),
        };
        let island = Self {
            name: format!("{NAME}{name}"),
            database: link("database", first),
            mail: link("mail", first + 4),
        };
        ip(&["netns", "add", &island.name]);
        ip(&["-n", &island.name, "link", "set", "lo", "up"]);
        island.lay(&island.database);
        island.lay(&island.mail);
        island
    }

    fn lay(&self, link: &Link) {
        let (name, device) = (self.name.as_str(), link.device.as_str());
        let (here, there) = (format!("{}/30", link.here), format!("{}/30", link.there));
        let peer = ["type", "veth", "peer", "name", link.name, "netns", name];
        ip(&[&["link", "add", device][..], &peer].concat());
        ip(&["address", "add", &here, "dev", device]);
        ip(&["link", "set", device, "up"]);
        ip(&["-n", name, "address", "add", &there, "dev", link.name]);
        ip(&["-n", name, "link", "set", link.name, "up"]);
    }

    fn reach(&self, address: Ipv4Addr, by: &Link) {
        let (address, gate) = (address.to_string(), by.here.to_string());
        ip(&["-n", &self.name, "route", "add", &address, "via", &gate]);
    }

    /// From now on packets vanish both ways, and nobody is told: each end believes the other at an
    /// address of the link layer that nobody has.
    pub(crate) fn cut(&self) {
        let (here, there) = self.ends();
        let nobody = ["lladdr", NOBODY, "nud", "permanent", "dev"];
        let replace = ["neighbour", "replace"];
        let name = ["-n", self.name.as_str()];
        let link = &self.database;
        ip(&[&name[..], &replace, &[&here], &nobody, &[link.name]].concat());
        ip(&[&replace[..], &[&there], &nobody, &[&link.device]].concat());
    }

    pub(crate) fn heal(&self) {
        let (here, there) = self.ends();
        let (name, link) = (self.name.as_str(), &self.database);
        ip(&["-n", name, "neighbour", "del", &here, "dev", link.name]);
        ip(&["neighbour", "del", &there, "dev", &link.device]);
    }

    fn ends(&self) -> (String, String) {
        (
            self.database.here.to_string(),
            self.database.there.to_string(),
        )
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.name]);
    }
}

/// Islands of processes that are no more go with their links.
fn clear_away() {
    let left = |line: &str| {
        let name = line.split_whitespace().next()?;
        let process = name.strip_prefix(NAME)?.split('-').next()?;
        let gone = !Path::new("/proc").join(process).exists();
        gone.then(|| name.to_owned())
    };
    for name in ip(&["netns", "list"]).lines().filter_map(left) {
        ip(&["netns", "delete", &name]);
    }
}

fn ip(arguments: &[&str]) -> String {
    let output = Command::new(IP)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ip starts: install the Debian package `iproute2`");
    let words = String::from_utf8_lossy(&output.stderr);
    let done = output.status.success() || std::thread::panicking();
    assert!(done, "ip {}: {words}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
