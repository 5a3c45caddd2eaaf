//! Owns the links in messages: what a link may do for whom, sealed into a token that tells nothing,
//! cannot be forged and never expires.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::channel::Channel;
use super::ids::{CustomerId, DispatchId, NameNo};

/// What a link in a message leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    Unsubscribe,
    Preferences,
    Dismiss,
    /// The picture that tells that a message was opened.
    Open,
    /// A link that leads on to its target.
    Click,
}

impl LinkKind {
    pub const ALL: [Self; 5] = [
        Self::Unsubscribe,
        Self::Preferences,
        Self::Dismiss,
        Self::Open,
        Self::Click,
    ];

    /// The first part of the link's path. Links are kept for years: it never changes.
    pub fn path(self) -> &'static str {
        match self {
            Self::Unsubscribe => "u",
            Self::Preferences => "p",
            Self::Dismiss => "d",
            Self::Open => "o",
            Self::Click => "c",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Unsubscribe => 1,
            Self::Preferences => 2,
            Self::Dismiss => 3,
            Self::Open => 4,
            Self::Click => 5,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// What a token says: which link, for whom, and the message it stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub kind: LinkKind,
    pub customer: CustomerId,
    /// The flow's number (of kind `Flow`).
    pub flow: NameNo,
    /// The number (of kind `Campaign`) of the campaign whose communication the flow reused.
    pub campaign: Option<NameNo>,
    pub channel: Channel,
    pub dispatch: DispatchId,
}

/// `https://credit-union.example/u/TOKEN`; `public_url` has no trailing slash.
pub fn url(public_url: &str, kind: LinkKind, token: &str) -> String {
    format!("{public_url}/{}/{token}", kind.path())
}

const VERSION: u8 = 1;
/// The version and the key's number: in the clear, and authenticated with the rest.
const HEAD: usize = 2;
const NONCE: usize = 12;
const TAG: usize = 16;
const PLAIN: usize = 33;
const SEALED: usize = HEAD + NONCE + PLAIN + TAG;

/// How long every token is: 63 bytes are 84 characters of base64 with no bit to spare.
pub const TOKEN_LENGTH: usize = SEALED.div_ceil(3) * 4;
/// A longer target than this is not followed over us: not every server takes a longer address.
pub const LONGEST_TARGET: usize = 1500;
const LONGEST_TOKEN: usize = (SEALED + LONGEST_TARGET).div_ceil(3) * 4;

/// The key that seals and opens tokens; its schedule is made once.
pub struct LinkKey {
    key: LessSafeKey,
    /// Tells at a glance which of several keys made a token; one byte derived from the key.
    number: u8,
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkKey").finish_non_exhaustive()
    }
}

impl LinkKey {
    pub fn new(secret: [u8; 32]) -> Self {
        Self::derived_from(&secret)
    }

    /// Derives the key from a secret of any length (RFC 5869, SHA-256).
    pub fn derived_from(secret: &[u8]) -> Self {
        let mut derived = [0; 33];
        Salt::new(HKDF_SHA256, b"drumbeat links")
            .extract(secret)
            .expand(&[b"aes-256-gcm key and its number"], Derived)
            .and_then(|material| material.fill(&mut derived))
            .expect("33 bytes are less than the 8160 that HKDF-SHA-256 gives");
        let [number, key @ ..] = derived;
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("the key has the 32 bytes of AES-256");
        Self {
            key: LessSafeKey::new(key),
            number,
        }
    }

    /// Seals a link with AES-256-GCM. The nonce must be drawn at random for every token.
    ///
    /// Token: URL-safe base64 of version ‖ key number ‖ nonce ‖ encrypted link ‖ tag,
    /// [`TOKEN_LENGTH`] characters.
    pub fn seal(&self, link: &Link, nonce: [u8; NONCE]) -> String {
        self.seal_to(link, "", nonce)
    }

    /// The same for a link that leads on to a target, which makes the token longer.
    pub fn seal_to(&self, link: &Link, target: &str, nonce: [u8; NONCE]) -> String {
        let head = [VERSION, self.number];
        let mut bytes = Vec::with_capacity(SEALED + target.len());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&encode(link));
        bytes.extend_from_slice(target.as_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(head), &mut bytes[HEAD + NONCE..])
            .expect("a message is smaller than the 64 GiB that AES-GCM seals");
        bytes.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a token that this key sealed; nothing for any other text.
    pub fn open(&self, token: &str) -> Option<Link> {
        let is_one = token.len() == TOKEN_LENGTH;
        let (link, _) = is_one.then(|| self.open_to(token)).flatten()?;
        Some(link)
    }

    /// Opens a token with the target that it leads on to.
    pub fn open_to(&self, token: &str) -> Option<(Link, String)> {
        let lengths = TOKEN_LENGTH..=LONGEST_TOKEN;
        let mut bytes = lengths
            .contains(&token.len())
            .then(|| URL_SAFE_NO_PAD.decode(token).ok())
            .flatten()?;
        let (head, sealed) = bytes.split_first_chunk_mut::<HEAD>()?;
        if *head != [VERSION, self.number] {
            return None;
        }
        let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(*head), sealed)
            .ok()?;
        let (link, target) = plain.split_at_checked(PLAIN)?;
        Some((decode(link)?, String::from_utf8(target.to_vec()).ok()?))
    }
}

struct Derived;

impl aws_lc_rs::hkdf::KeyType for Derived {
    fn len(&self) -> usize {
        33
    }
}

const HAS_CAMPAIGN: u8 = 0b1000_0000;

/// Kind, campaign and channel in one byte; customer; flow; campaign; dispatch: all big-endian.
fn encode(link: &Link) -> [u8; PLAIN] {
    let has_campaign = if link.campaign.is_some() {
        HAS_CAMPAIGN
    } else {
        0
    };
    let channel = u8::try_from(link.channel.number()).unwrap_or_default();
    let campaign = link.campaign.map_or(0, |number| number.0);
    let mut plain = [0; PLAIN];
    plain[0] = has_campaign | link.kind.number() << 4 | channel;
    plain[1..9].copy_from_slice(&link.customer.0.to_be_bytes());
    plain[9..13].copy_from_slice(&link.flow.0.to_be_bytes());
    plain[13..17].copy_from_slice(&campaign.to_be_bytes());
    plain[17..].copy_from_slice(&link.dispatch.to_bytes());
    plain
}

fn decode(plain: &[u8]) -> Option<Link> {
    let (&[first], rest) = plain.split_first_chunk::<1>()?;
    let (customer, rest) = rest.split_first_chunk::<8>()?;
    let (flow, rest) = rest.split_first_chunk::<4>()?;
    let (campaign, dispatch) = rest.split_first_chunk::<4>()?;
    Some(Link {
        kind: LinkKind::from_number((first & !HAS_CAMPAIGN) >> 4)?,
        customer: CustomerId(i64::from_be_bytes(*customer)),
        flow: NameNo(i32::from_be_bytes(*flow)),
        campaign: (first & HAS_CAMPAIGN != 0).then(|| NameNo(i32::from_be_bytes(*campaign))),
        channel: Channel::from_number(i64::from(first & 0b1111))?,
        dispatch: DispatchId::from_bytes(dispatch.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    fn key() -> LinkKey {
        LinkKey::new([7; 32])
    }

    fn links() -> impl Strategy<Value = Link> {
        let kinds = prop::sample::select(&LinkKind::ALL[..]);
        let channels = prop::sample::select(&Channel::ALL[..]);
        let names = (any::<i32>(), any::<Option<i32>>());
        (kinds, any::<i64>(), names, channels, any::<[u8; 16]>()).prop_map(
            |(kind, customer, (flow, campaign), channel, dispatch)| Link {
                kind,
                customer: CustomerId(customer),
                flow: NameNo(flow),
                campaign: campaign.map(NameNo),
                channel,
                dispatch: DispatchId::from_bytes(dispatch),
            },
        )
    }

    fn link() -> Link {
        Link {
            kind: LinkKind::Unsubscribe,
            customer: CustomerId(77),
            flow: NameNo(1),
            campaign: Some(NameNo(2)),
            channel: Channel::Email,
            dispatch: DispatchId::from_bytes([3; 16]),
        }
    }

    proptest! {
        #[test]
        fn a_sealed_link_opens_to_what_it_was(link in links(), nonce: [u8; 12]) {
            let token = key().seal(&link, nonce);
            prop_assert_eq!(token.len(), TOKEN_LENGTH);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(key().open(&token), Some(link));
        }
    }

    proptest! {
        #[test]
        fn a_target_is_led_on_to_as_it_was(link in links(), target in ".{0,200}", nonce: [u8; 12]) {
            let token = key().seal_to(&link, &target, nonce);
            prop_assert_eq!(key().open_to(&token), Some((link, target.clone())));
            prop_assert_eq!(key().open(&token).is_some(), target.is_empty());
            prop_assert_eq!(LinkKey::new([8; 32]).open_to(&token), None);
        }
    }

    #[test]
    fn ten_thousand_flipped_bits_are_all_refused() {
        let key = key();
        let flips = (links(), any::<[u8; 12]>(), 0..SEALED, 0..8u8);
        let mut runner = TestRunner::new(Config::with_cases(10_000));
        runner
            .run(&flips, |(link, nonce, byte, bit)| {
                let mut bytes = URL_SAFE_NO_PAD.decode(key.seal(&link, nonce)).unwrap();
                bytes[byte] ^= 1 << bit;
                prop_assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(bytes)), None);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn another_key_version_length_or_alphabet_is_refused() {
        let token = key().seal(&link(), [5; 12]);
        assert_eq!(LinkKey::new([8; 32]).open(&token), None);

        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        bytes[0] = VERSION + 1;
        assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(&bytes)), None);

        for text in [
            "",
            &token[..TOKEN_LENGTH - 1],
            &format!("{token}A"),
            &format!("{}=", &token[..TOKEN_LENGTH - 1]),
            &"+".repeat(TOKEN_LENGTH),
            &"é".repeat(TOKEN_LENGTH / 2),
        ] {
            assert_eq!(key().open(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_shows_nothing_of_what_it_holds() {
        let one = key().seal(&link(), [1; 12]);
        let other = key().seal(&link(), [2; 12]);
        let body = |token: &str| URL_SAFE_NO_PAD.decode(token).unwrap()[HEAD + NONCE..].to_vec();
        assert_ne!(body(&one), body(&other));
        let dispatch = [3; 16];
        assert!(!body(&one).windows(16).any(|window| window == dispatch));
    }

    #[test]
    fn the_key_of_a_secret_stays_the_same_over_releases() {
        let token =
            LinkKey::derived_from(b"a secret of at least 32 characters").seal(&link(), [5; 12]);
        insta::assert_snapshot!(token, @"ASMFBQUFBQUFBQUFBQX1enky4MRY4A8S-Fq2F4ji9dKNPq4iyWHokCk4dKYpGkzrBSpzgP_K0sfoX0w9Prmo");
        assert_eq!(
            url(
                "https://credit-union.example",
                LinkKind::Preferences,
                "TOKEN"
            ),
            "https://credit-union.example/p/TOKEN"
        );
    }
}
