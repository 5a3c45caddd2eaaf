//! Owns the proof that others find our signatures good, and bad once a signed header is another.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drumbeat::channels::Gateway as _;
use drumbeat::channels::email::{House, compose};
use drumbeat::channels::setup::BadGateway;
use drumbeat::channels::smtp::{Smtp, Timeouts};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dkim::DkimKey;
use drumbeat::domain::gateway::{ChannelConfig, Dkim, FileGateway, Gateway};
use drumbeat::domain::message::{Message, Rendered, RenderedEmail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Marks, config, email, message, plain, said, secretive, with_setup};
use crate::rig::counterpart;
use crate::rig::postfix::Postfix;

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

/// The same by dkimpy.
const DKIMPY: &str = r"
import dkim, json, sys
asked = json.load(sys.stdin)
def dnsfunc(name, timeout=5):
    if name != asked['name'].encode() + b'.':
        raise Exception('asked for ' + repr(name))
    return asked['record'].encode()
found = []
for mail in asked['mails']:
    try:
        found.append('pass' if dkim.verify(mail.encode(), dnsfunc=dnsfunc) else 'fail')
    except dkim.DKIMException:
        found.append('fail')
json.dump(found, sys.stdout)
";

struct Keys {
    pem: String,
    /// What DNS has to say, by our own account.
    record: String,
}

impl Keys {
    fn of(der: &[u8]) -> Self {
        let text = STANDARD.encode(der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        let record = DkimKey::read(&pem).map_or_else(
            |_| String::new(),
            |key| key.record().expect("the key has a public half"),
        );
        Self { pem, record }
    }

    fn rsa(size: KeySize) -> Self {
        let pair = RsaKeyPair::generate(size).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self::of(private.as_ref())
    }

    /// aws-lc makes none so short.
    fn rsa_of_1024() -> String {
        let arguments = [
            "genpkey",
            "-algorithm",
            "rsa",
            "-pkeyopt",
            "rsa_keygen_bits:1024",
        ];
        let made = std::process::Command::new("openssl")
            .args(arguments)
            .output();
        String::from_utf8(made.unwrap().stdout).unwrap()
    }

    fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self::of(pair.to_pkcs8v1().unwrap().as_ref())
    }
}

fn signing(gateway: Gateway, pem: &str) -> ChannelConfig {
    let mut config = config(Channel::Email, gateway);
    config.email.dkim = Some(Dkim {
        domain: secretive("lakeside.test"),
        selector: secretive("s1"),
        key: secretive(pem),
    });
    config
}

fn house(pem: &str) -> Result<House, BadGateway> {
    let folder = FileGateway {
        folder: String::new(),
    };
    let config = signing(Gateway::File(folder), pem);
    with_setup(&config, Path::new("/"), House::open)
}

fn letter(to: &str) -> Message {
    let email = RenderedEmail {
        subject: "¡Bienvenida, Ana! Your new account at Lakeside Credit Union is ready".to_owned(),
        html: Some("<p>Hello  Ana, è pronto</p>\n\n".to_owned()),
        unsubscribe_url: Some("https://lakeside.test/u/abc".to_owned()),
        list_id: Some("onboarding".to_owned()),
        reply_to: Some("help@lakeside.test".to_owned()),
        ..email()
    };
    message(1, to, Rendered::Email(email))
}

fn signed(keys: &Keys, attempt: u32) -> String {
    let message = Message {
        attempt,
        ..letter("ana@example.test")
    };
    let mail = compose(&message, &house(&keys.pem).unwrap()).unwrap();
    String::from_utf8(mail.bytes).unwrap()
}

/// What the verifier says of each mail: `pass`, or something else.
async fn verified(mut verifier: Command, keys: &Keys, mails: &[String]) -> Vec<String> {
    let mut child = verifier
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let input = serde_json::json!({
        "record": keys.record, "name": "s1._domainkey.lakeside.test", "mails": mails,
    });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let ended = tokio::time::timeout(Duration::from_mins(1), child.wait_with_output());
    let said: Vec<String> = serde_json::from_slice(&ended.await.unwrap().unwrap().stdout).unwrap();
    assert_eq!(said.len(), mails.len());
    said
}

fn mailauth() -> Command {
    let mut node = Command::new("node");
    node.args(["-e", MAILAUTH])
        .env("NODE_PATH", counterpart::node().join("node_modules"));
    node
}

fn dkimpy() -> Command {
    let mut python = Command::new(counterpart::python("python.txt", "python"));
    python.args(["-c", DKIMPY]);
    python
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

async fn check(verifier: fn() -> Command, all: &[Keys]) {
    for keys in all {
        let mail = signed(keys, 1);
        assert_eq!(mail, signed(keys, 4), "a retry is signed anew");
        let mut mails = changed(&mail);
        assert!(mails.iter().all(|other| *other != mail));
        mails.insert(0, mail);
        let said = verified(verifier(), keys, &mails).await;
        assert_eq!(said[0], "pass", "{}", mails[0]);
        for (verdict, mail) in said.iter().zip(&mails).skip(1) {
            assert_ne!(verdict, "pass", "{mail}");
        }
    }
}

#[tokio::test]
async fn mailauth_finds_a_signature_good_and_every_change_of_what_is_signed_bad() {
    check(mailauth, &[Keys::rsa(KeySize::Rsa2048), Keys::ed25519()]).await;
}

#[tokio::test]
async fn dkimpy_finds_a_signature_good_and_every_change_of_what_is_signed_bad() {
    check(dkimpy, &[Keys::rsa(KeySize::Rsa2048), Keys::ed25519()]).await;
}

#[tokio::test]
async fn a_signature_is_good_after_the_mail_went_through_postfix() {
    let postfix = Postfix::start().await;
    for (mailbox, keys) in [
        ("ana", Keys::rsa(KeySize::Rsa2048)),
        ("ben", Keys::ed25519()),
    ] {
        let relay = plain(postfix.port);
        let config = signing(Gateway::Smtp(relay.clone()), &keys.pem);
        let gateway = with_setup(&config, Path::new("/"), |setup| {
            Smtp::open_within(setup, &relay, Timeouts::default()).unwrap()
        });
        let marks = Marks::default();
        let letter = letter(&format!("{mailbox}@ok.test"));
        let outcome = said(&gateway.send(&letter, &marks).await);
        assert!(outcome.starts_with("accepted"), "{outcome}");
        let mail = postfix.received(mailbox).await;
        assert!(mail.starts_with("Return-Path: "), "{mail}");
        // A mailbox keeps lines with a line feed alone.
        let mails = [mail.replace('\n', "\r\n")];
        let found = verified(mailauth(), &keys, &mails).await;
        assert_eq!(found, ["pass"], "{mail}");
        let found = verified(dkimpy(), &keys, &mails).await;
        assert_eq!(found, ["pass"], "{mail}");
    }
}

#[test]
fn a_key_that_does_not_sign_mail_is_refused_when_the_channel_opens() {
    let short = Keys::rsa_of_1024();
    for (pem, why) in [
        (
            "no key",
            "it is not a private key in PEM form, such as `openssl genpkey` writes",
        ),
        (
            short.as_str(),
            "it is neither an Ed25519 key nor an RSA key of at least 2048 bits",
        ),
    ] {
        let error = house(pem).unwrap_err().to_string();
        assert_eq!(error, format!("channel `email`: `dkim.key`: {why}"));
    }
}
