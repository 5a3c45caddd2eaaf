//! Owns what DNS says against those who send a workspace's e-mails.

use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;

use super::names::{Names, Server};
use crate::domain::channel::Channel;
use crate::domain::communication::Content;
use crate::domain::deliverability::Remark;
use crate::domain::deliverability::answers::Answers;
use crate::domain::deliverability::domains::{self, Sender, Signing};
use crate::domain::dkim::DkimKey;
use crate::domain::gateway::{ChannelConfig, Dkim, Gateway};
use crate::domain::revision::Revision;
use crate::settings::Settings;

/// More rounds than any chain of records has that a receiver would follow.
const ROUNDS: usize = 30;

/// What is found about the senders of e-mails that go to a mail server.
pub(crate) fn remarks(
    revision: &Revision,
    settings: &Settings,
    server: Option<Server>,
) -> anyhow::Result<Vec<Remark>> {
    let config = revision.channels.get(&Channel::Email);
    let Some(config) = config.filter(|config| matches!(config.gateway, Gateway::Smtp(_))) else {
        return Ok(Vec::new());
    };
    let senders = senders(revision, config, settings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let names = Names::of(server)?;
        let mut remarks = Vec::new();
        let mut answers = Answers::default();
        for sender in &senders {
            for _ in 0..ROUNDS {
                if let Some(found) = domains::remarks(sender, &answers) {
                    remarks.extend(found);
                    break;
                }
                names.learn(&mut answers).await;
            }
        }
        Ok(remarks)
    })
}

/// The channel's own sender, and those that communications name in its place.
fn senders(revision: &Revision, config: &ChannelConfig, settings: &Settings) -> Vec<Sender> {
    let own = config
        .from
        .as_ref()
        .and_then(|from| settings.text(from).ok());
    let steps = revision.flows.values().flat_map(|flow| &flow.steps);
    let actions = steps.flat_map(|step| &step.actions);
    let contents = actions.flat_map(|action| action.content.ways().map(|(_, content)| content));
    let others = contents.filter_map(|content| match content {
        Content::Email(email) => email.from.clone(),
        _ => None,
    });
    let froms: BTreeSet<String> = own
        .into_iter()
        .chain(others)
        .filter_map(|from| domain(&from))
        .collect();
    let returns = config.email.returns.as_ref();
    let returns = returns.and_then(|returns| domain(&settings.text(&returns.address).ok()?));
    let signing = config.email.dkim.as_ref();
    let signing = signing.and_then(|dkim| signing_of(dkim, settings));
    let senders = froms.into_iter().map(|from| Sender {
        about: format!("channel email, from {from}"),
        return_path: returns.clone().unwrap_or_else(|| from.clone()),
        from,
        signing: signing.clone(),
    });
    senders.collect()
}

/// None when its names are not to be had here; without its key there is still what DNS says.
fn signing_of(dkim: &Dkim, settings: &Settings) -> Option<Signing> {
    let key = settings.reveal(&dkim.key).ok();
    let key = key.and_then(|key| DkimKey::read(key.expose_secret()).ok());
    Some(Signing {
        domain: settings.text(&dkim.domain).ok()?,
        selector: settings.text(&dkim.selector).ok()?,
        record: key.and_then(|key| key.record()),
    })
}

/// Of `Name <address>`, or of an address; none where a customer's values decide.
fn domain(from: &str) -> Option<String> {
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address);
    let (_, domain) = address.trim().trim_end_matches('>').rsplit_once('@')?;
    let fits = !domain.is_empty() && !domain.contains(['{', '}', ' ']);
    fits.then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_domain_is_behind_the_last_at() {
        for (from, expected) in [
            ("Bank <Hello@News.Bank.example>", Some("news.bank.example")),
            ("hello@bank.example", Some("bank.example")),
            ("\"a@b\" <hello@bank.example>", Some("bank.example")),
            ("{{ customer.advisor }}", None),
            ("Advisor <hello@{{ domain }}>", None),
        ] {
            assert_eq!(domain(from).as_deref(), expected, "{from}");
        }
    }
}
