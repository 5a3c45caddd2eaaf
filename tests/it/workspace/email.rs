//! Owns how the keys of the channel `email` are read from its file, and what of them is refused.

use std::fs;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{
    Dkim, DomainLimit, EmailRules, Gateway, Receipts, Returns, Secretive,
};
use drumbeat::workspace::{self, Checked, Sources};
use secrecy::SecretString;
use tempfile::TempDir;

const CHANNEL: &str = "channel: email
gateway: { smtp: { host: relay.test } }
from: hello@lakeside.example
";

fn sources(rest: &str) -> (TempDir, Sources) {
    written(&format!("{CHANNEL}{rest}"))
}

fn written(channel: &str) -> (TempDir, Sources) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("channels")).unwrap();
    fs::write(folder.path().join("drumbeat.yaml"), "workspace: mail\n").unwrap();
    let file = folder.path().join("channels/email.yaml");
    fs::write(file, channel).unwrap();
    let sources = workspace::load(folder.path()).unwrap();
    (folder, sources)
}

fn checked(rest: &str) -> Checked {
    let (_folder, sources) = sources(rest);
    workspace::check(&sources)
}

/// The code, line, column and message of what is wrong.
fn wrong(checked: &Checked) -> Vec<String> {
    let said = checked.diagnostics.iter();
    said.map(|one| format!("{} {}:{} {}", one.code, one.line, one.column, one.message))
        .collect()
}

/// With these keys of the relay.
fn relay(keys: &str) -> Checked {
    let host = "host: relay.test";
    let (_folder, sources) = written(&CHANNEL.replace(host, &format!("{host}, {keys}")));
    workspace::check(&sources)
}

fn secretive(text: &str) -> Secretive {
    Secretive(text.to_owned())
}

#[test]
fn a_signature_and_a_return_path_are_read() {
    let checked = checked(
        "dkim: { domain: lakeside.example, selector: s1, key: '${credential:dkim}' }
returns: { address: bounces@news.lakeside.example }
",
    );
    let revision = checked
        .revision
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let config = &revision.channels[&Channel::Email];
    let expected = EmailRules {
        dkim: Some(Dkim {
            domain: secretive("lakeside.example"),
            selector: secretive("s1"),
            key: secretive("${credential:dkim}"),
        }),
        returns: Some(Returns {
            address: secretive("bounces@news.lakeside.example"),
            lmtp: None,
            maildir: None,
        }),
    };
    assert_eq!(config.email, expected);
    assert_eq!(config.receipts(), Receipts::ByOurs);
}

#[test]
fn without_a_return_path_a_relay_tells_nothing() {
    let revision = checked("").revision.unwrap();
    let config = &revision.channels[&Channel::Email];
    assert_eq!(config.email, EmailRules::default());
    assert_eq!(config.receipts(), Receipts::None);
}

#[test]
fn what_nobody_can_sign_with_or_write_back_to_is_refused_where_it_stands() {
    for (rest, expected) in [
        (
            "dkim: { domain: 'a b', selector: s1, key: '${DKIM}' }\n",
            "bad-value 4:17 `domain`: `a b` is not a DNS name",
        ),
        (
            "dkim: { domain: lakeside.example, selector: 's;1', key: '${DKIM}' }\n",
            "bad-value 4:45 `selector`: `s;1` is not a DNS name",
        ),
        (
            "dkim: { domain: lakeside.example, selector: s1, key: MIIE }\n",
            "bad-value 4:54 `key` is a private key: it does not stand in a file that others read",
        ),
        (
            "returns: { address: newsletter-bounces@lakeside.example }\n",
            "bad-value 4:21 `newsletter-bounces` is too long: what names the message is added to it, which \
             leaves room for 13 characters before the `@`",
        ),
        (
            "returns: { address: bounces }\n",
            "bad-value 4:21 `bounces` is not an e-mail address: write it as `bounces@news.bank.example`",
        ),
    ] {
        assert_eq!(wrong(&checked(rest)), [expected], "{rest}");
    }
}

#[test]
fn a_key_that_is_known_and_cannot_sign_is_refused_where_it_stands() {
    let file = "dkim: { domain: lakeside.example, selector: s1, key: '${credential:dkim}' }\n";
    let (_folder, sources) = sources(file);
    let known = |text: &Secretive| {
        assert_eq!(text.0, "${credential:dkim}");
        Some(SecretString::from("rubbish"))
    };
    let expected = "bad-value 4:54 `key` cannot sign: it is not a private key in PEM form, such as \
                    `openssl genpkey` writes";
    assert_eq!(wrong(&workspace::check_with(&sources, &known)), [expected]);
    let unknown = workspace::check_with(&sources, &|_| None);
    assert_eq!(wrong(&unknown), Vec::<String>::new());
}

#[test]
fn another_channel_has_neither() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("channels")).unwrap();
    fs::write(folder.path().join("drumbeat.yaml"), "workspace: mail\n").unwrap();
    let file = "channel: sms
gateway: { file: { folder: var } }
returns: { address: bounces@lakeside.example }
";
    fs::write(folder.path().join("channels/sms.yaml"), file).unwrap();
    let checked = workspace::check(&workspace::load(folder.path()).unwrap());
    let expected = "bad-value 3:10 `returns` is a key of the channel `email`, not of `sms`";
    assert_eq!(wrong(&checked), [expected]);
}

#[test]
fn domains_are_limited_by_the_name_they_have_on_the_wire() {
    let checked =
        relay("domains: { Bücher.example: { connections: 2 }, '*': { pace: 5 per minute } }");
    let revision = checked.revision.unwrap();
    let Gateway::Smtp(smtp) = &revision.channels[&Channel::Email].gateway else {
        panic!("{:?}", revision.channels);
    };
    let limits: Vec<_> = smtp.domains.iter().collect();
    let slow = DomainLimit {
        connections: None,
        pace: Some((5, 60).into()),
    };
    let narrow = DomainLimit {
        connections: Some(2),
        pace: None,
    };
    let expected = [("*", slow), ("xn--bcher-kva.example", narrow)];
    let expected = expected.map(|(name, limit)| (name.to_owned(), limit));
    assert_eq!(
        limits,
        expected
            .iter()
            .map(|(name, limit)| (name, limit))
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_is_no_domain_is_refused() {
    let checked = relay("domains: { ana@gmail.com: { connections: 2 } }");
    assert_eq!(
        wrong(&checked),
        ["bad-value 2:49 `ana@gmail.com` is not a domain"]
    );
}
