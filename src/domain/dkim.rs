//! Owns the keys that e-mails are signed with: reading one, signing with it, and what DNS has to say of it.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// In octets: 2048 bits (RFC 8301 §3.2).
const SHORTEST_MODULUS: usize = 256;

/// A private key of DKIM (RFC 6376, RFC 8463).
pub enum DkimKey {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why a text is no key to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDkimKey {
    #[error("it is not a private key in PEM form, such as `openssl genpkey` writes")]
    NoPem,
    /// Of RSA none shorter is read: receivers do not trust it.
    #[error("it is neither an Ed25519 key nor an RSA key of at least 2048 bits")]
    OtherKind,
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.algorithm()).finish_non_exhaustive()
    }
}

impl DkimKey {
    /// Reads PKCS#8 (`BEGIN PRIVATE KEY`) of either kind, or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    pub fn read(pem: &str) -> Result<Self, BadDkimKey> {
        let der = PrivateKeyDer::from_pem_slice(pem.trim().as_bytes());
        match &der.map_err(|_| BadDkimKey::NoPem)? {
            PrivateKeyDer::Pkcs1(key) => strong(RsaKeyPair::from_der(key.secret_pkcs1_der()).ok()),
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8(der) {
                    Ok(key) => Ok(Self::Ed25519(key)),
                    Err(_) => strong(RsaKeyPair::from_pkcs8(der).ok()),
                }
            }
            _ => Err(BadDkimKey::OtherKind),
        }
    }

    /// The value of `a=`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Signs; always the same for the same input. None: the library failed.
    pub fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    input,
                    &mut signature,
                )
                .ok()?;
                Some(signature)
            }
            // RFC 8463 §3: what Ed25519 signs is the hash.
            Self::Ed25519(key) => {
                let hash = digest(&SHA256, input);
                Some(key.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }

    /// What DNS has to say at `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.6.1).
    pub fn record(&self) -> Option<String> {
        let (kind, public) = match self {
            Self::Rsa(key) => {
                let der: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
                ("rsa", STANDARD.encode(der.as_ref()))
            }
            Self::Ed25519(key) => ("ed25519", STANDARD.encode(key.public_key())),
        };
        Some(format!("v=DKIM1; k={kind}; p={public}"))
    }
}

fn strong(key: Option<RsaKeyPair>) -> Result<DkimKey, BadDkimKey> {
    let key = key.ok_or(BadDkimKey::OtherKind)?;
    if key.public_modulus_len() < SHORTEST_MODULUS {
        return Err(BadDkimKey::OtherKind);
    }
    Ok(DkimKey::Rsa(Box::new(key)))
}

/// The name as DNS has it, if it is one: a domain, or a selector of one or more labels.
pub fn dns_name(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text).ok()?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    (ascii.len() <= 253 && ascii.split('.').all(label)).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private key of RFC 8463 Appendix A.2, in PKCS#8.
    const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_says_what_dns_has_to_say() {
        let key = DkimKey::read(ED25519_PEM).unwrap();
        // The record of RFC 8463 Appendix A.2.
        let expected = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        assert_eq!(key.record().as_deref(), Some(expected));
        assert_eq!(key.algorithm(), "ed25519-sha256");
    }

    #[test]
    fn what_is_no_key_for_signing_says_why() {
        let why = |pem: &str| DkimKey::read(pem).err();
        assert_eq!(why("k"), Some(BadDkimKey::NoPem));
        assert_eq!(why(""), Some(BadDkimKey::NoPem));
        let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(why(junk), Some(BadDkimKey::OtherKind));
    }

    #[test]
    fn a_name_is_written_as_dns_has_it() {
        assert_eq!(dns_name("mail.example").as_deref(), Some("mail.example"));
        assert_eq!(
            dns_name("bücher.example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        for text in ["a b;d=x", "", "a..b", "s1;", "a\r\nb"] {
            assert_eq!(dns_name(text), None, "{text}");
        }
    }
}
