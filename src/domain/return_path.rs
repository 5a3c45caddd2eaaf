//! Owns the return path: the envelope sender of each e-mail, which names its dispatch in a form that nobody else can make.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::ids::DispatchId;

/// What stands between the mailbox and the token (RFC 5233 calls what follows a subaddress).
const SEPARATOR: char = '+';
const ID: usize = 16;
/// Of the 256 bits, 72 are kept: a guess costs a mail each.
const SEAL: usize = 9;
/// How long every token is, in characters.
pub const TOKEN_LENGTH: usize = 2 * (ID + SEAL);
/// RFC 5321 §4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// The longest mailbox that has room for a token.
pub const LONGEST_MAILBOX: usize = LONGEST_LOCAL_PART - TOKEN_LENGTH - SEPARATOR.len_utf8();
/// RFC 5321 §4.5.3.1.2.
const LONGEST_DOMAIN: usize = 255;

/// The key that seals tokens, derived from the secret behind all links.
#[derive(Clone)]
pub struct ReturnKey(hmac::Key);

impl fmt::Debug for ReturnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturnKey").finish_non_exhaustive()
    }
}

impl ReturnKey {
    /// Derives the key from a secret of any length (RFC 5869, SHA-256).
    pub fn derived_from(secret: &[u8]) -> Self {
        let mut derived = [0; 32];
        Salt::new(HKDF_SHA256, b"drumbeat return paths")
            .extract(secret)
            .expand(&[b"hmac-sha-256 key"], Derived)
            .and_then(|material| material.fill(&mut derived))
            .expect("32 bytes are less than the 8160 that HKDF-SHA-256 gives");
        Self(hmac::Key::new(HMAC_SHA256, &derived))
    }

    /// Hexadecimal in small letters of dispatch id ‖ seal, [`TOKEN_LENGTH`] characters: the same for
    /// every attempt. The id is no secret, it stands in the `Message-ID`; the seal cannot be made without the key.
    fn token(&self, dispatch: DispatchId) -> String {
        let id = dispatch.to_bytes();
        let seal = hmac::sign(&self.0, &id);
        let bytes = id.iter().chain(&seal.as_ref()[..SEAL]);
        let digits = bytes.flat_map(|byte| [byte >> 4, byte & 15]);
        let letters = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        letters.collect()
    }

    /// Reads a token in letters of any case: mail servers may change it.
    fn open(&self, token: &str) -> Option<DispatchId> {
        let bytes = bytes(token)?;
        let (id, seal) = bytes.split_first_chunk::<ID>()?;
        let expected = hmac::sign(&self.0, id);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..SEAL], seal).ok()?;
        Some(DispatchId::from_bytes(*id))
    }
}

struct Derived;

impl KeyType for Derived {
    fn len(&self) -> usize {
        32
    }
}

fn bytes(token: &str) -> Option<[u8; ID + SEAL]> {
    let digits = token.as_bytes();
    if digits.len() != TOKEN_LENGTH {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = [0; ID + SEAL];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// Where mails come back to: `bounces@news.bank.example` is used as `bounces+TOKEN@news.bank.example`.
#[derive(Debug, Clone)]
pub struct ReturnPath {
    address: ReturnAddress,
    key: ReturnKey,
}

/// What an address that something came back to says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// The message that came back.
    Of(DispatchId),
    /// The address itself, without a token: a feedback loop's reports go there.
    Bare,
    /// It has our form, and not our seal.
    Forged,
    /// It is no address of ours.
    Elsewhere,
}

impl ReturnPath {
    pub fn new(address: ReturnAddress, key: ReturnKey) -> Self {
        Self { address, key }
    }

    pub fn address(&self) -> &ReturnAddress {
        &self.address
    }

    /// The envelope sender of a dispatch, the same for every attempt.
    pub fn of(&self, dispatch: DispatchId) -> String {
        let ReturnAddress { mailbox, domain } = &self.address;
        let token = self.key.token(dispatch);
        format!("{mailbox}{SEPARATOR}{token}@{domain}")
    }

    /// Reads an address, without angle brackets; upper and lower case are the same.
    pub fn read(&self, address: &str) -> Returned {
        let ReturnAddress { mailbox, domain } = &self.address;
        let local = match address.trim().rsplit_once('@') {
            Some((local, at)) if at.eq_ignore_ascii_case(domain) => local,
            _ => return Returned::Elsewhere,
        };
        let (own, token) = match local.split_once(SEPARATOR) {
            Some((own, token)) => (own, Some(token)),
            None => (local, None),
        };
        if !own.eq_ignore_ascii_case(mailbox) {
            return Returned::Elsewhere;
        }
        match token.map(|token| self.key.open(token)) {
            None => Returned::Bare,
            Some(Some(dispatch)) => Returned::Of(dispatch),
            Some(None) => Returned::Forged,
        }
    }
}

/// An address that tokens can be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    mailbox: String,
    domain: String,
}

/// Why an address cannot be a return path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReturnAddress {
    #[error("`{0}` is not an e-mail address: write it as `bounces@news.bank.example`")]
    NoAddress(String),
    #[error(
        "`{mailbox}` is too long: what names the message is added to it, which leaves room for {LONGEST_MAILBOX} \
         characters before the `@`"
    )]
    Long { mailbox: String },
    #[error(
        "`{0}` has a character before the `@` that is none of letters, digits, `.`, `-` and `_`: what names the \
         message is added behind a `+`"
    )]
    Mailbox(String),
    #[error("`{0}` is not a domain that mail can come back to: write it as `news.bank.example`")]
    Domain(String),
}

impl ReturnAddress {
    /// # Errors
    /// When it is no address, or has no room for what names a message.
    pub fn new(address: &str) -> Result<Self, BadReturnAddress> {
        let (mailbox, domain) = address
            .trim()
            .rsplit_once('@')
            .ok_or_else(|| BadReturnAddress::NoAddress(address.to_owned()))?;
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(letter);
        if !mailbox.split('.').all(is_word) {
            return Err(BadReturnAddress::Mailbox(address.to_owned()));
        }
        if mailbox.len() > LONGEST_MAILBOX {
            return Err(BadReturnAddress::Long {
                mailbox: mailbox.to_owned(),
            });
        }
        if !is_domain(domain) {
            return Err(BadReturnAddress::Domain(domain.to_owned()));
        }
        Ok(Self {
            mailbox: mailbox.to_owned(),
            domain: domain.to_ascii_lowercase(),
        })
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl fmt::Display for ReturnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.mailbox, self.domain)
    }
}

/// Letters, digits and hyphens (RFC 5321 §2.3.5), with a dot: mail comes from outside.
fn is_domain(domain: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= LONGEST_DOMAIN && domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(secret: &[u8]) -> ReturnPath {
        let address = ReturnAddress::new("bounces@News.Bank.example").unwrap();
        ReturnPath::new(address, ReturnKey::derived_from(secret))
    }

    fn dispatch() -> DispatchId {
        DispatchId::from_bytes([3; 16])
    }

    proptest! {
        #[test]
        fn an_address_is_read_back_in_any_case(id: [u8; 16], upper: u64) {
            let path = path(b"secret");
            let dispatch = DispatchId::from_bytes(id);
            let address = path.of(dispatch);
            prop_assert!(address.find('@').is_some_and(|at| at <= LONGEST_LOCAL_PART));
            let shouted: String = address
                .chars()
                .enumerate()
                .map(|(at, c)| if upper >> (at % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            prop_assert_eq!(path.read(&shouted), Returned::Of(dispatch));
        }
    }

    proptest! {
        #[test]
        fn another_key_or_a_changed_digit_is_a_forgery(id: [u8; 16], at in 0..TOKEN_LENGTH, by in 1..16u32) {
            let (ours, theirs) = (path(b"ours"), path(b"theirs"));
            let address = ours.of(DispatchId::from_bytes(id));
            prop_assert_eq!(theirs.read(&address), Returned::Forged);
            let mut letters: Vec<char> = address.chars().collect();
            let letter = &mut letters["bounces+".len() + at];
            *letter = char::from_digit(letter.to_digit(16).unwrap() ^ by, 16).unwrap();
            let changed: String = letters.into_iter().collect();
            prop_assert_eq!(ours.read(&changed), Returned::Forged);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "(bounces)?[+]?.{0,60}(@news.bank.example)?") {
            let read = path(b"secret").read(&text);
            prop_assert!(!matches!(read, Returned::Of(_)), "{text}");
        }
    }

    #[test]
    fn what_is_not_ours_is_told_from_what_is_forged() {
        let path = path(b"secret");
        assert_eq!(path.address().to_string(), "bounces@news.bank.example");
        for (address, expected) in [
            ("bounces@news.bank.example", Returned::Bare),
            (" BOUNCES@news.BANK.example ", Returned::Bare),
            ("bounces+@news.bank.example", Returned::Forged),
            ("bounces+é@news.bank.example", Returned::Forged),
            ("bounces+0@news.bank.example", Returned::Forged),
            ("hello@news.bank.example", Returned::Elsewhere),
            ("bounces@bank.example", Returned::Elsewhere),
            ("bounces", Returned::Elsewhere),
            ("", Returned::Elsewhere),
        ] {
            assert_eq!(path.read(address), expected, "{address}");
        }
    }

    #[test]
    fn the_address_of_a_dispatch_stays_the_same_over_releases() {
        let address = path(b"a secret of at least 32 characters").of(dispatch());
        insta::assert_snapshot!(address, @"bounces+03030303030303030303030303030303829210c81e2f7c1617@news.bank.example");
    }

    #[test]
    fn an_address_without_room_for_a_token_is_refused() {
        assert_eq!(LONGEST_MAILBOX, 13);
        assert!(ReturnAddress::new("news.bounces_@a-b.example").is_ok());
        for (address, expected) in [
            ("bounces", BadReturnAddress::NoAddress("bounces".to_owned())),
            (
                "newsletter-bounces@bank.example",
                BadReturnAddress::Long {
                    mailbox: "newsletter-bounces".to_owned(),
                },
            ),
            (
                "a+b@bank.example",
                BadReturnAddress::Mailbox("a+b@bank.example".to_owned()),
            ),
            (
                "a..b@bank.example",
                BadReturnAddress::Mailbox("a..b@bank.example".to_owned()),
            ),
            (
                "bounces@localhost",
                BadReturnAddress::Domain("localhost".to_owned()),
            ),
            (
                "bounces@-a.example",
                BadReturnAddress::Domain("-a.example".to_owned()),
            ),
            (
                "bounces@bänk.example",
                BadReturnAddress::Domain("bänk.example".to_owned()),
            ),
        ] {
            assert_eq!(ReturnAddress::new(address), Err(expected), "{address}");
        }
    }
}
