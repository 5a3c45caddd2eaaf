//! Owns tokens of the API: what one may do, and the text that proves who asks.
//!
//! `drb_` + 16 hexadecimal digits (the public id) + 43 characters (32 random bytes) + 6 characters (a
//! checksum), both in base64url (RFC 4648 §5). The checksum tells a mistyped token from an unknown one
//! without a look into the store, and lets scanners tell a leaked token from chance.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::duration::{BadDuration, Delay};

const PREFIX: &str = "drb_";
const ID: usize = 16;
const SECRET: usize = 43;
const CHECK: usize = 6;
const MAX_NAME: usize = 100;
/// The bytes of an id and of a secret that are drawn by chance.
pub const CHANCE: usize = 8 + 32;

/// What a token may do. Writing does not include reading: a feed that brings customers in needs to see
/// none of them.
#[derive(
    utoipa::ToSchema,
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
pub enum TokenScope {
    /// Looks at customers, their histories, and who is in a segment.
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// Adds, changes and deletes customers, and what they agree to.
    #[serde(rename = "customers:write")]
    CustomersWrite,
    /// Reports what customers did.
    #[serde(rename = "interactions:write")]
    InteractionsWrite,
    /// Looks at flows, segments, fields and tags.
    #[serde(rename = "definitions:read")]
    DefinitionsRead,
    /// Changes what is not in files: fields, lists.
    #[serde(rename = "definitions:write")]
    DefinitionsWrite,
    /// Looks at what runs.
    #[serde(rename = "operations:read")]
    OperationsRead,
    /// Pauses and resumes.
    #[serde(rename = "operations:write")]
    OperationsWrite,
    /// Everything, and the tokens themselves.
    #[serde(rename = "admin")]
    Admin,
}

impl TokenScope {
    pub const ALL: [Self; 8] = [
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::InteractionsWrite,
        Self::DefinitionsRead,
        Self::DefinitionsWrite,
        Self::OperationsRead,
        Self::OperationsWrite,
        Self::Admin,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::InteractionsWrite => "interactions:write",
            Self::DefinitionsRead => "definitions:read",
            Self::DefinitionsWrite => "definitions:write",
            Self::OperationsRead => "operations:read",
            Self::OperationsWrite => "operations:write",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token as the store keeps it: everything but what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its public part.
    pub id: String,
    /// The actor that its changes carry.
    pub name: String,
    pub scopes: Vec<TokenScope>,
    pub created_at: Timestamp,
    pub created_by: String,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What a token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<TokenScope>,
    pub expires_at: Option<Timestamp>,
}

/// Whether a name can be an actor's: histories show it.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() || name.trim() != name {
        return Err("must not be blank, nor begin or end with a blank");
    }
    if name.chars().count() > MAX_NAME {
        return Err("must have 100 characters at most");
    }
    if name.chars().any(char::is_control) {
        return Err("must hold no control character");
    }
    Ok(())
}

/// When a token ends that is good for `90d` from now on; a day is 24 hours.
///
/// # Errors
/// What is wrong with the span.
pub fn end_of(span: &str, now: Timestamp) -> Result<Timestamp, String> {
    let span: Delay = span.parse().map_err(|bad: BadDuration| bad.to_string())?;
    if span.is_zero() {
        return Err("must be some time".to_owned());
    }
    now.checked_add(SignedDuration::from_secs(span.approximate_seconds()))
        .map_err(|_| "is further away than time goes".to_owned())
}

impl Token {
    pub fn may(&self, scope: TokenScope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&TokenScope::Admin)
    }

    /// Whether it is taken at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The text that proves a token. It is shown once and never written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
}

/// SHA-256 of the whole text. The secret is 256 bits of chance, which nobody can guess from its hash:
/// a slow hash, made for what people choose, would only cost time.
#[derive(Clone)]
pub struct SecretHash(pub Vec<u8>);

impl Secret {
    pub fn new(chance: [u8; CHANCE]) -> Self {
        let (id, secret) = chance.split_at(8);
        let id: u64 = id.iter().fold(0, |id, byte| id << 8 | u64::from(*byte));
        let mut text = format!("{PREFIX}{id:016x}{}", URL_SAFE_NO_PAD.encode(secret));
        let check = checksum(&text);
        text.push_str(&check);
        Self { text }
    }

    /// A text that has the form of a token and the right checksum.
    pub fn parse(text: &str) -> Option<Self> {
        let whole = PREFIX.len() + ID + SECRET + CHECK;
        if text.len() != whole || !text.is_ascii() || !text.starts_with(PREFIX) {
            return None;
        }
        let (body, check) = text.split_at(whole - CHECK);
        (checksum(body) == check).then(|| Self {
            text: text.to_owned(),
        })
    }

    /// The public part, by which it is found.
    pub fn id(&self) -> &str {
        &self.text[PREFIX.len()..PREFIX.len() + ID]
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash(digest(&SHA256, self.text.as_bytes()).as_ref().to_vec())
    }

    /// The whole text, for the one time that it is shown.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({PREFIX}{}…)", self.id())
    }
}

impl SecretHash {
    /// Compares in constant time.
    pub fn is_of(&self, secret: &Secret) -> bool {
        verify_slices_are_equal(&self.0, &secret.hash().0).is_ok()
    }
}

fn checksum(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new(std::array::from_fn(|n| u8::try_from(n * 5).unwrap()))
    }

    #[test]
    fn a_secret_reads_back_and_one_with_a_slip_does_not() {
        let secret = secret();
        let text = secret.reveal();
        assert!(text.starts_with("drb_00050a0f14191e23"), "{text}");
        assert_eq!(Secret::parse(text), Some(secret.clone()));
        assert_eq!(secret.id(), "00050a0f14191e23");
        for place in [3, 4, 30, text.len() - 1] {
            let mut slip = text.as_bytes().to_vec();
            slip[place] = if slip[place] == b'A' { b'B' } else { b'A' };
            let slip = String::from_utf8(slip).unwrap();
            assert_eq!(Secret::parse(&slip), None, "{slip}");
        }
        assert_eq!(Secret::parse(&text[..text.len() - 1]), None);
        assert_eq!(Secret::parse(""), None);
        assert_eq!(Secret::parse(&"ñ".repeat(text.len() / 2)), None);
    }

    #[test]
    fn a_hash_is_of_its_secret_alone() {
        let other = Secret::new([7; CHANCE]);
        assert!(secret().hash().is_of(&secret()));
        assert!(!secret().hash().is_of(&other));
    }

    #[test]
    fn a_secret_is_not_shown_for_debugging() {
        let secret = secret();
        let shown = format!("{secret:?}");
        assert!(!shown.contains(&secret.reveal()[20..]), "{shown}");
    }

    #[test]
    fn an_admin_may_everything_and_the_end_is_not_included() {
        let mut token = Token {
            id: "0".repeat(16),
            name: "feed".to_owned(),
            scopes: vec![TokenScope::CustomersWrite],
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "ana".to_owned(),
            expires_at: Some("2026-01-02T00:00:00Z".parse().unwrap()),
            revoked_at: None,
            last_used_at: None,
        };
        assert!(token.may(TokenScope::CustomersWrite));
        assert!(!token.may(TokenScope::CustomersRead));
        assert!(token.is_live("2026-01-01T23:59:59Z".parse().unwrap()));
        assert!(!token.is_live("2026-01-02T00:00:00Z".parse().unwrap()));
        token.scopes = vec![TokenScope::Admin];
        assert!(TokenScope::ALL.into_iter().all(|scope| token.may(scope)));
    }

    #[test]
    fn a_name_is_one_line_of_some_length() {
        assert!(check_name("core banking, nightly").is_ok());
        for name in ["", " ", " a", "a ", "a\nb", &"a".repeat(101)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn scopes_are_written_alike_everywhere() {
        for scope in TokenScope::ALL {
            assert_eq!(TokenScope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
    }
}
