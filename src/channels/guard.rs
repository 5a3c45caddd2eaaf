//! Owns the guard of requests to addresses that others named: they reach the public internet, or networks
//! that the operator allowed, and nothing else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, RequestBuilder, Url};
use tokio::net::lookup_host;

use super::exchange;
use crate::domain::network::{Forbidden, Network, is_public};

/// How many of them to one place are kept open when nothing is asked.
const CONNECTIONS: usize = 8;

/// Makes requests whose place was checked.
///
/// The address that was checked is the one that is connected: between the two nobody asks for it again, so a
/// name that means something else a moment later gains nothing.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Arc<[Network]>,
    secured: Client,
    /// Without TLS: to allowed networks only.
    plain: Client,
}

impl Guard {
    /// `limit` bounds each request from the first look-up to the last byte of the answer.
    pub fn new(allowed: &[Network], limit: Duration) -> reqwest::Result<Self> {
        let system: Arc<dyn Resolve> = Arc::new(System);
        Self::with_resolver(allowed, limit, &system)
    }

    /// The same, asking `resolver` what names mean.
    pub fn with_resolver(
        allowed: &[Network],
        limit: Duration,
        resolver: &Arc<dyn Resolve>,
    ) -> reqwest::Result<Self> {
        let allowed: Arc<[Network]> = allowed.into();
        let open = |is_secured| {
            let checked = Checked {
                rule: Rule {
                    allowed: Arc::clone(&allowed),
                    is_secured,
                },
                resolver: Arc::clone(resolver),
            };
            client(limit, checked)
        };
        Ok(Self {
            secured: open(true)?,
            plain: open(false)?,
            allowed,
        })
    }

    /// A request to `url`, if it may be made. What its name means is checked when it is connected.
    ///
    /// # Errors
    /// When the URL alone shows that it may not.
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, Forbidden> {
        let url = Url::parse(url).map_err(|error| Forbidden::Unreadable(error.to_string()))?;
        let rule = self.rule(&url)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Userinfo);
        }
        // An address in the URL is connected without asking a resolver. The parser has turned all ways of
        // writing one (decimal, octal, hexadecimal) into the usual one.
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if let Some(address) = literal.filter(|address| !rule.fits(*address)) {
            return Err(Forbidden::Address(address));
        }
        let client = if rule.is_secured {
            &self.secured
        } else {
            &self.plain
        };
        Ok(client.request(method, url))
    }

    fn rule(&self, url: &Url) -> Result<Rule, Forbidden> {
        let is_secured = match url.scheme() {
            "https" => true,
            "http" if !self.allowed.is_empty() => false,
            _ => return Err(Forbidden::Scheme),
        };
        Ok(Rule {
            allowed: Arc::clone(&self.allowed),
            is_secured,
        })
    }
}

/// Redirects would lead past the check, and a proxy would connect for us.
fn client(limit: Duration, checked: Checked) -> reqwest::Result<Client> {
    let client = exchange::client(limit, CONNECTIONS);
    client.dns_resolver(Arc::new(checked)).build()
}

/// What addresses may be connected.
#[derive(Debug, Clone)]
struct Rule {
    allowed: Arc<[Network]>,
    is_secured: bool,
}

impl Rule {
    fn fits(&self, address: IpAddr) -> bool {
        let is_allowed = self.allowed.iter().any(|some| some.contains(address));
        is_allowed || (self.is_secured && is_public(address))
    }
}

/// Passes on only those addresses of a name that may be connected.
struct Checked {
    rule: Rule,
    resolver: Arc<dyn Resolve>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.rule.clone();
        let forbidden = Forbidden::Name(name.as_str().to_owned());
        let found = self.resolver.resolve(name);
        Box::pin(async move {
            let fitting: Vec<SocketAddr> =
                found.await?.filter(|place| rule.fits(place.ip())).collect();
            if fitting.is_empty() {
                return Err(forbidden.into());
            }
            Ok(Box::new(fitting.into_iter()) as Addrs)
        })
    }
}

/// Names as the system knows them.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    /// Why it was stopped at the look-up.
    fn stopped(error: &reqwest::Error) -> Option<&Forbidden> {
        let causes = std::iter::successors(error.source(), |cause| (**cause).source());
        causes.into_iter().find_map(|cause| cause.downcast_ref())
    }

    const LIMIT: Duration = Duration::from_secs(10);

    fn guard(allowed: &[&str]) -> Guard {
        let allowed: Vec<Network> = allowed
            .iter()
            .map(|text| text.parse().expect(text))
            .collect();
        Guard::new(&allowed, LIMIT).unwrap()
    }

    fn verdict(guard: &Guard, url: &str) -> Result<(), Forbidden> {
        guard.request(Method::POST, url).map(drop)
    }

    #[test]
    fn every_way_of_writing_an_address_of_ones_own_is_refused() {
        let guard = guard(&[]);
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "0xa.0.0.1",
            "169.254.169.254",
            "2852039166",
            "192.168.0.1",
            "172.16.0.1",
            "100.64.0.1",
            "１２７.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "[2001:db8::1]",
        ] {
            let url = format!("https://{host}/hook");
            let verdict = verdict(&guard, &url);
            assert!(
                matches!(verdict, Err(Forbidden::Address(_))),
                "{url}: {verdict:?}"
            );
        }
    }

    #[test]
    fn only_https_is_taken_and_no_name_and_password() {
        let guard = guard(&[]);
        for (url, expected) in [
            ("http://partner.example/hook", Forbidden::Scheme),
            ("ftp://partner.example/hook", Forbidden::Scheme),
            ("file:///etc/passwd", Forbidden::Scheme),
            ("https://a:b@partner.example/", Forbidden::Userinfo),
            ("https://a@partner.example/", Forbidden::Userinfo),
        ] {
            assert_eq!(verdict(&guard, url), Err(expected), "{url}");
        }
        assert_eq!(verdict(&guard, "https://partner.example/hook"), Ok(()));
        assert_eq!(verdict(&guard, "https://8.8.8.8/hook"), Ok(()));
        assert!(matches!(
            verdict(&guard, "partner"),
            Err(Forbidden::Unreadable(_))
        ));
    }

    #[test]
    fn an_allowed_network_may_be_reached_without_tls_and_no_other() {
        let guard = guard(&["10.1.0.0/16", "::1/128"]);
        for url in [
            "http://10.1.2.3/",
            "https://10.1.2.3/",
            "http://[::1]:8080/",
            "http://[::ffff:10.1.2.3]/",
        ] {
            assert_eq!(verdict(&guard, url), Ok(()), "{url}");
        }
        for url in [
            "http://8.8.8.8/",
            "http://10.2.0.1/",
            "https://10.2.0.1/",
            "https://127.0.0.1/",
        ] {
            let verdict = verdict(&guard, url);
            assert!(matches!(verdict, Err(Forbidden::Address(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_of_ones_own_machine_is_stopped_before_it_is_connected() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let url = format!("https://localhost:{port}/");
        let request = guard(&[]).request(Method::POST, &url).unwrap();
        let error = request.send().await.unwrap_err();
        let expected = Forbidden::Name("localhost".to_owned());
        assert_eq!(stopped(&error), Some(&expected), "{error:?}");
    }

    /// Says another address each time: a public one first.
    struct Rebinding(AtomicUsize);

    impl Resolve for Rebinding {
        fn resolve(&self, _: Name) -> Resolving {
            let address = match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => [198, 18, 0, 1],
                _ => [127, 0, 0, 1],
            };
            let found = std::iter::once(SocketAddr::from((address, 0)));
            Box::pin(async move { Ok(Box::new(found) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_meaning_is_checked_each_time() {
        let resolver = Arc::new(Rebinding(AtomicUsize::new(0)));
        let shared: Arc<dyn Resolve> = Arc::<Rebinding>::clone(&resolver);
        let guard = Guard::with_resolver(&[], LIMIT, &shared).unwrap();
        for asked in 1..=3 {
            let request = guard.request(Method::GET, "https://rebinding.example/");
            let error = request.unwrap().send().await.unwrap_err();
            assert!(stopped(&error).is_some(), "{error:?}");
            assert_eq!(resolver.0.load(Ordering::SeqCst), asked);
        }
    }

    #[tokio::test]
    async fn of_the_addresses_of_a_name_only_those_that_fit_are_connected() {
        struct Both;
        impl Resolve for Both {
            fn resolve(&self, _: Name) -> Resolving {
                let found = [[127, 0, 0, 9], [127, 0, 0, 1]].map(|ip| SocketAddr::from((ip, 0)));
                Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
            }
        }
        let forbidden = TcpListener::bind("127.0.0.9:0").await.unwrap();
        let port = forbidden.local_addr().unwrap().port();
        let allowed = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let networks = ["127.0.0.1/32".parse().unwrap()];
        let both: Arc<dyn Resolve> = Arc::new(Both);
        let guard = Guard::with_resolver(&networks, LIMIT, &both).unwrap();
        let url = format!("http://both.example:{port}/");
        let sent = tokio::spawn(guard.request(Method::GET, &url).unwrap().send());
        let (_, from) = tokio::select! {
            taken = allowed.accept() => taken.unwrap(),
            _ = forbidden.accept() => panic!("the forbidden address was connected"),
        };
        assert!(from.ip().is_loopback());
        sent.abort();
    }
}
