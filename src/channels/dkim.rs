//! Owns the signature under an e-mail: DKIM, relaxed/relaxed, by RSA or Ed25519 (RFC 6376, 8301, 8463).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::setup::{BadGateway, Setup};
use crate::domain::dkim::{DkimKey, dns_name};
use crate::domain::gateway::Dkim;

/// Named once more than they are there, so that another one of them breaks the signature too (RFC 6376 §8.15).
/// RFC 8058 §4 wants both headers of one-click unsubscribing among them.
const SIGNED: [&str; 11] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-id",
];
/// Of a line of base64.
const LINE: usize = 70;

/// Signs mail in a domain's name.
#[derive(Debug)]
pub(super) struct Signer {
    domain: String,
    selector: String,
    key: DkimKey,
}

impl Signer {
    /// # Errors
    /// When a reference is not set, a name is none of DNS, or the key is no PEM key that may sign.
    pub(super) fn open(setup: &Setup<'_>, config: &Dkim) -> Result<Self, BadGateway> {
        let name = |key, text| {
            let text = setup.text(key, text)?;
            dns_name(&text).ok_or_else(|| setup.bad(key, &format!("`{text}` is not a DNS name")))
        };
        let pem = setup.secret("dkim.key", &config.key)?;
        let key = DkimKey::read(pem.expose_secret());
        Ok(Self {
            domain: name("dkim.domain", &config.domain)?,
            selector: name("dkim.selector", &config.selector)?,
            key: key.map_err(|why| setup.bad("dkim.key", &why))?,
        })
    }

    /// The mail with its signature on top; nothing when the key does not sign. The same for the same
    /// mail and moment: both algorithms are deterministic.
    pub(super) fn sign(&self, mail: Vec<u8>, at: Timestamp) -> Option<Vec<u8>> {
        let text = String::from_utf8(mail).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let fields = fields(head);
        let names = names(&fields);
        let hash = STANDARD.encode(digest(&SHA256, relaxed_body(body).as_bytes()));
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n bh={hash};\r\n h={};\r\n b=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            at.as_second(),
            names.join(":\r\n "),
        );
        let input = input(&fields, &names, &unsigned);
        let signature = STANDARD.encode(self.key.sign(input.as_bytes())?);
        let signature = folded(&signature);
        Some(format!("{unsigned}{signature}\r\n{text}").into_bytes())
    }
}

/// The header fields, each whole with its folds, in the order in which they stand.
fn fields(head: &str) -> Vec<(String, String)> {
    let mut lines: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match lines.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
        .iter()
        .filter_map(|line| relaxed_field(line))
        .collect()
}

/// RFC 6376 §3.4.2, on an unfolded field.
fn relaxed_field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((
        name.trim_end().to_ascii_lowercase(),
        squeezed(value).trim().to_owned(),
    ))
}

fn names(fields: &[(String, String)]) -> Vec<&'static str> {
    let times = |name: &str| fields.iter().filter(|(other, _)| other == name).count() + 1;
    let named = SIGNED.into_iter();
    named
        .flat_map(|name| std::iter::repeat_n(name, times(name)))
        .collect()
}

/// RFC 6376 §3.7: of each name the last field first; what is named and absent is nothing.
fn input(fields: &[(String, String)], names: &[&'static str], unsigned: &str) -> String {
    let mut left: Vec<&(String, String)> = fields.iter().collect();
    let mut input = String::new();
    for name in names {
        if let Some(last) = left.iter().rposition(|(other, _)| other == name) {
            let (name, value) = left.remove(last);
            input.extend([name.as_str(), ":", value.as_str(), "\r\n"]);
        }
    }
    let unfolded = unsigned.replace("\r\n", "");
    if let Some((name, value)) = relaxed_field(&unfolded) {
        input.extend([name.as_str(), ":", value.as_str()]);
    }
    input
}

/// RFC 6376 §3.4.4: runs of blanks are one, none at the end of a line, no empty lines at the end.
fn relaxed_body(body: &str) -> String {
    let mut text: String = body
        .split("\r\n")
        .flat_map(|line| {
            [
                squeezed(line).trim_end_matches(' ').to_owned(),
                "\r\n".to_owned(),
            ]
        })
        .collect();
    while text.ends_with("\r\n\r\n") {
        text.truncate(text.len() - 2);
    }
    if text == "\r\n" { String::new() } else { text }
}

fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            ' ' | '\t' if squeezed.ends_with(' ') => {}
            ' ' | '\t' => squeezed.push(' '),
            letter => squeezed.push(letter),
        }
    }
    squeezed
}

fn folded(base64: &str) -> String {
    let mut folded = String::with_capacity(base64.len() + base64.len() / LINE * 3);
    for (number, letter) in base64.chars().enumerate() {
        if number > 0 && number % LINE == 0 {
            folded.push_str("\r\n ");
        }
        folded.push(letter);
    }
    folded
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, KeyPair as _, UnparsedPublicKey};

    use super::*;

    /// The private key of RFC 8463 Appendix A.2, in PKCS#8.
    const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const MAIL: &str =
        "From: a@b.test\r\nTo:  c@d.test \r\nSubject: Hi\r\n there\r\n\r\nHello  you \r\n\r\n\r\n";

    fn signer() -> Signer {
        Signer {
            domain: "b.test".to_owned(),
            selector: "s1".to_owned(),
            key: DkimKey::read(ED25519_PEM).unwrap(),
        }
    }

    #[test]
    fn the_canonical_forms_are_those_of_the_standard() {
        // RFC 6376 §3.4.5.
        let fields = fields("A: X\r\nB : Y\t\r\n\tZ  ");
        assert_eq!(fields[0], ("a".to_owned(), "X".to_owned()));
        assert_eq!(fields[1], ("b".to_owned(), "Y Z".to_owned()));
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body("a"), "a\r\n");
    }

    #[test]
    fn a_signature_is_the_same_every_time_and_verifies() {
        let signer = signer();
        let at = Timestamp::UNIX_EPOCH;
        let signed = signer.sign(MAIL.into(), at).unwrap();
        assert_eq!(signed, signer.sign(MAIL.into(), at).unwrap());
        let text = String::from_utf8(signed).unwrap();
        let (header, rest) = text.split_at(text.len() - MAIL.len());
        assert_eq!(rest, MAIL);
        let (unsigned, signature) = header.rsplit_once("b=").unwrap();
        let signature = STANDARD
            .decode(signature.replace("\r\n", "").replace(' ', ""))
            .unwrap();
        let fields = fields(MAIL.split_once("\r\n\r\n").unwrap().0);
        let input = input(&fields, &names(&fields), &format!("{unsigned}b="));
        let hash = digest(&SHA256, input.as_bytes());
        let DkimKey::Ed25519(pair) = &signer.key else {
            panic!("the key is an Ed25519 key");
        };
        let key = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
        key.verify(hash.as_ref(), &signature).unwrap();
        assert!(header.contains("h=from:\r\n from:\r\n to:"), "{header}");
        assert!(header.lines().all(|line| line.len() <= 100), "{header}");
        assert!(!header.contains(" l="), "{header}");
    }
}
