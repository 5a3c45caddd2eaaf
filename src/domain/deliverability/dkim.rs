//! Owns reading a DKIM key record (RFC 6376 §3.6.1): which key a selector publishes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{tag, tags};

/// What a selector publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// A key that was taken back: `p=` is empty.
    Revoked,
    /// `rsa`: the `SubjectPublicKeyInfo`; `ed25519`: the 32 bytes of the key.
    Key { kind: String, bytes: Vec<u8> },
}

/// Reads a record; none, when it is not one.
pub(super) fn read(text: &str) -> Option<Record> {
    let tags = tags(text)?;
    if tag(&tags, "v").is_some_and(|version| version != "DKIM1") {
        return None;
    }
    let written: String = tag(&tags, "p")?.split_ascii_whitespace().collect();
    if written.is_empty() {
        return Some(Record::Revoked);
    }
    let kind = tag(&tags, "k").unwrap_or("rsa").to_ascii_lowercase();
    let bytes = STANDARD.decode(written).ok()?;
    Some(Record::Key { kind, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_a_key_or_has_taken_it_back() {
        let key = |kind: &str| Record::Key {
            kind: kind.to_owned(),
            bytes: vec![1, 2, 3],
        };
        for (text, expected) in [
            ("v=DKIM1; k=rsa; p=AQID", Some(key("rsa"))),
            ("p=AQ ID", Some(key("rsa"))),
            ("v=DKIM1; k=ed25519; p=AQID;", Some(key("ed25519"))),
            ("v=DKIM1; p=", Some(Record::Revoked)),
            ("v=DKIM1; k=rsa", None),
            ("v=DKIM2; p=AQID", None),
            ("v=DKIM1; p=!", None),
            ("v=spf1 -all", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
