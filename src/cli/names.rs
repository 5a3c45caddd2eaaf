//! Owns asking DNS for the TXT records of names.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use crate::domain::deliverability::answers::{Answer, Answers};

const LIMIT: Duration = Duration::from_secs(3);
const PORT: u16 = 53;

/// A DNS server as it is written: `192.0.2.53`, or with its port `192.0.2.53:5353`, `[2001:db8::1]:5353`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server(SocketAddr);

impl std::str::FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
        let address = text.parse().or_else(|_| alone());
        let help = "expected an address such as `192.0.2.53` or `192.0.2.53:5353`";
        address.map(Self).map_err(|_| help.to_owned())
    }
}

/// Asks the server, or those of the system.
pub(crate) struct Names(TokioResolver);

impl Names {
    pub(crate) fn of(server: Option<Server>) -> anyhow::Result<Self> {
        let mut builder = match server {
            Some(Server(address)) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let connections = connections.map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (LIMIT, 2);
        Ok(Self(builder.build()?))
    }

    /// Asks for all that is wanted, at once.
    pub(crate) async fn learn(&self, answers: &mut Answers) {
        let wanted = answers.wanted().into_iter();
        let asked = wanted.map(async |name| {
            let answer = self.texts(&name).await;
            (name, answer)
        });
        for (name, answer) in join_all(asked).await {
            answers.learn(name, answer);
        }
    }

    async fn texts(&self, name: &str) -> Answer {
        // A dot at the end: no search list is tried.
        let found = self
            .0
            .txt_lookup(format!("{}.", name.trim_end_matches('.')))
            .await;
        let lookup = match found {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => {
                return Answer::Texts(Vec::new());
            }
            Err(error) => return Answer::Silence(error.to_string()),
        };
        let texts = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                // A record's strings are joined without a space (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
                RData::TXT(txt) => Some(txt.txt_data.concat()),
                _ => None,
            });
        let texts = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Answer::Texts(texts.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_an_address_and_perhaps_a_port() {
        for (text, expected) in [
            ("192.0.2.53", Some("192.0.2.53:53")),
            ("192.0.2.53:5353", Some("192.0.2.53:5353")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("dns.example", None),
            ("", None),
        ] {
            let expected = expected.map(|text| Server(text.parse().unwrap()));
            assert_eq!(text.parse::<Server>().ok(), expected, "{text}");
        }
    }
}
