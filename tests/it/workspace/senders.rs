//! Owns the tests of what DNS says against the senders of e-mails, asked of a real server.

use std::process::Command;

use serde_json::Value;

use super::folder::{CHANNELS, Folder};
use crate::rig::dnsmasq::Dnsmasq;
use crate::rig::port;
use crate::rig::postfix::openssl;

const CHANNEL: &str = "channel: email
gateway:
  smtp: { host: 127.0.0.1, port: 25, security: none }
from: Bank <hello@news.bank.test>
returns: { address: bounces@bounces.bank.test }
dkim: { domain: bank.test, selector: s1, key: '${DKIM_KEY}' }
";

fn folder() -> Folder {
    let (_, others) = CHANNELS.split_once("---").unwrap();
    Folder::good().with("channels/all.yaml", format!("{CHANNEL}---{others}"))
}

/// What is found of the senders: how bad, and what.
fn found(folder: &Folder, key: &str, server: u16) -> (Option<i32>, Vec<(String, String)>) {
    let answer = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(["check", folder.path().to_str().unwrap()])
        .args(["--deliverability", "--format", "json"])
        .args(["--dns", &format!("127.0.0.1:{server}")])
        .env("DKIM_KEY", key)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&answer.stderr);
    let json: Value = serde_json::from_slice(&answer.stdout).expect(&words);
    let remarks = json["deliverability"].as_array().unwrap().iter();
    let of_senders = remarks.filter(|one| one["about"] == "channel email, from news.bank.test");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = of_senders.map(|one| (text(&one["severity"]), text(&one["message"])));
    (answer.status.code(), told.collect())
}

/// A private key, and what DNS has to say of it.
fn key() -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    openssl(
        root,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
    );
    openssl(root, "pkey -in key.pem -pubout -out public.pem");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let public: String = read("public.pem")
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    (read("key.pem"), format!("v=DKIM1; k=rsa; p={public}"))
}

#[tokio::test]
async fn records_that_agree_are_not_spoken_of_and_each_that_does_not_is() {
    let (private, public) = key();
    let folder = folder();
    let right = Dnsmasq::start(&[
        ("bounces.bank.test", "v=spf1 include:_spf.bank.test -all"),
        ("_spf.bank.test", "v=spf1 ip4:192.0.2.1 ~all"),
        ("s1._domainkey.bank.test", &public),
        ("_dmarc.bank.test", "v=DMARC1; p=quarantine"),
    ])
    .await;
    assert_eq!(found(&folder, &private, right.port), (Some(0), vec![]));
    let wrong = Dnsmasq::start(&[
        ("bounces.bank.test", "v=spf1 include:_spf.bank.test -all"),
        ("s1._domainkey.bank.test", &key().1),
        ("_dmarc.bank.test", "v=DMARC1; p=none"),
    ])
    .await;
    let (status, told) = found(&folder, &private, wrong.port);
    assert_eq!(status, Some(1));
    let beginnings = [
        (
            "error",
            "the SPF record of `bounces.bank.test` includes `_spf.bank.test`, which has none",
        ),
        ("error", "`s1._domainkey.bank.test` holds another key"),
        ("warning", "DMARC of `news.bank.test` asks nothing"),
    ];
    assert_eq!(told.len(), beginnings.len(), "{told:?}");
    for ((severity, message), (expected, begins)) in told.iter().zip(beginnings) {
        assert_eq!(severity, expected, "{message}");
        assert!(message.starts_with(begins), "{message}");
    }
}

#[test]
fn without_a_server_nothing_is_held_against_anybody() {
    let folder = folder();
    let (_, told) = found(&folder, &key().0, port::free());
    assert_eq!(told.len(), 3, "{told:?}");
    for (severity, message) in told {
        assert_eq!(severity, "warning");
        assert!(message.starts_with("DNS does not say what"), "{message}");
    }
}
