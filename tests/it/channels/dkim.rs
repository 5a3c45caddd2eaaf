//! Owns the proof that others find our signatures good, and bad once a signed header is another.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drumbeat::channels::email::{House, compose};
use drumbeat::channels::setup::BadGateway;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::{DkimConfig, FileGateway, Gateway};
use drumbeat::domain::message::{Rendered, RenderedEmail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{config, email, message, secretive, with_setup};
use crate::rig::counterpart;

/// Says of each mail of the input what mailauth finds, with the record in place of DNS.
const MAILAUTH: &str = r"
const { dkimVerify } = require('mailauth/lib/dkim/verify');
const { record, name, mails } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const resolver = async asked => {
    if (asked !== name) throw new Error('asked for ' + asked);
    return [[record]];
};
(async () => {
    const found = [];
    for (const mail of mails) {
        const { results } = await dkimVerify(Buffer.from(mail), { resolver });
        found.push(results.map(one => one.status.result).join(' '));
    }
    console.log(JSON.stringify(found));
})();
";

struct Keys {
    pem: String,
    record: String,
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn rsa(size: KeySize) -> Keys {
    let pair = RsaKeyPair::generate(size).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    Keys {
        pem: pem(private.as_ref()),
        record: format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public.as_ref())),
    }
}

fn ed25519() -> Keys {
    let pair = Ed25519KeyPair::generate().unwrap();
    let private = pair.to_pkcs8v1().unwrap();
    Keys {
        pem: pem(private.as_ref()),
        record: format!(
            "v=DKIM1; k=ed25519; p={}",
            STANDARD.encode(pair.public_key())
        ),
    }
}

fn house(pem: &str) -> Result<House, BadGateway> {
    let folder = FileGateway {
        folder: String::new(),
    };
    let mut config = config(Channel::Email, Gateway::File(folder));
    config.dkim = Some(DkimConfig {
        domain: secretive("lakeside.test"),
        selector: secretive("s1"),
        key: secretive(pem),
    });
    with_setup(&config, Path::new("/"), House::open)
}

fn signed(keys: &Keys, attempt: u32) -> String {
    let mut message = message(
        1,
        "ana@example.test",
        Rendered::Email(RenderedEmail {
            subject: "¡Bienvenida, Ana! Your new account at Lakeside Credit Union is ready"
                .to_owned(),
            html: Some("<p>Hello  Ana, è pronto</p>\n\n".to_owned()),
            unsubscribe_url: Some("https://lakeside.test/u/abc".to_owned()),
            list_id: Some("onboarding".to_owned()),
            reply_to: Some("help@lakeside.test".to_owned()),
            ..email()
        }),
    );
    message.attempt = attempt;
    let mail = compose(&message, &house(&keys.pem).unwrap()).unwrap();
    String::from_utf8(mail.bytes).unwrap()
}

async fn found(keys: &Keys, mails: &[String]) -> Vec<String> {
    let mut node = Command::new("node")
        .args(["-e", MAILAUTH])
        .env("NODE_PATH", counterpart::node().join("node_modules"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let input = serde_json::json!({
        "record": keys.record, "name": "s1._domainkey.lakeside.test", "mails": mails,
    });
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let ended = tokio::time::timeout(Duration::from_mins(1), node.wait_with_output());
    serde_json::from_slice(&ended.await.unwrap().unwrap().stdout).unwrap()
}

/// The signed mail with each change that must be seen.
fn changed(mail: &str) -> Vec<String> {
    let changes = [
        (
            "List-Unsubscribe: <https://lakeside",
            "List-Unsubscribe: <https://evil",
        ),
        (
            "List-Unsubscribe-Post: List-Unsubscribe=One",
            "List-Unsubscribe-Post: List-Unsubscribe=Two",
        ),
        ("List-ID: <onboarding", "List-ID: <another"),
        ("Reply-To: help", "Reply-To: evil"),
        ("To: ana", "To: ben"),
        ("Hello", "Hallo"),
    ];
    let replaced = changes.into_iter().map(|(from, to)| {
        assert!(mail.contains(from), "{from} in {mail}");
        mail.replace(from, to)
    });
    let added = [
        "From: evil@evil.test",
        "Subject: Other",
        "List-Unsubscribe: <https://evil.test>",
    ];
    let added = added
        .into_iter()
        .map(|field| mail.replacen("\r\nFrom:", &format!("\r\n{field}\r\nFrom:"), 1));
    replaced.chain(added).collect()
}

#[tokio::test]
async fn mailauth_finds_a_signature_good_and_every_change_of_what_is_signed_bad() {
    for keys in [rsa(KeySize::Rsa2048), ed25519()] {
        let mail = signed(&keys, 1);
        assert_eq!(mail, signed(&keys, 4), "a retry is signed anew");
        let mut mails = changed(&mail);
        assert!(mails.iter().all(|other| *other != mail));
        mails.insert(0, mail);
        let found = found(&keys, &mails).await;
        assert_eq!(found.len(), mails.len());
        assert_eq!(found[0], "pass", "{}", mails[0]);
        for (verdict, mail) in found.iter().zip(&mails).skip(1) {
            assert!(
                ["fail", "neutral"].contains(&verdict.as_str()),
                "{verdict}: {mail}"
            );
        }
    }
}

#[test]
fn a_key_that_does_not_sign_mail_is_refused_when_the_channel_opens() {
    let error = house("no key").unwrap_err().to_string();
    assert_eq!(
        error,
        "channel `email`: `dkim.key`: it is not a private key in PEM form"
    );
}
