//! Owns JSON Web Tokens that are signed with a key of our own (RFC 7519, RFC 7518 §3.3 and §3.4).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// What signs.
pub(super) enum Signer {
    /// ES256.
    Curve(EcdsaKeyPair),
    /// RS256.
    Rsa(RsaKeyPair),
}

/// The key cannot be used; its text is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no private key of {0}")]
pub(super) struct BadKey(&'static str);

impl Signer {
    /// A key of P-256 in PKCS#8, as PEM.
    pub(super) fn curve(pem: &str) -> Result<Self, BadKey> {
        let bad = || BadKey("P-256 in PKCS#8, as PEM");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad())?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der());
        pair.map(Self::Curve).map_err(|_| bad())
    }

    /// A key of P-256 by its number and its point.
    pub(super) fn point(private: &[u8], public: &[u8]) -> Result<Self, BadKey> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public);
        pair.map(Self::Curve)
            .map_err(|_| BadKey("P-256, 32 bytes in base64url"))
    }

    /// An RSA key in PKCS#8, as PEM.
    pub(super) fn rsa(pem: &str) -> Result<Self, BadKey> {
        let bad = || BadKey("RSA in PKCS#8, as PEM");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad())?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der());
        pair.map(Self::Rsa).map_err(|_| bad())
    }

    /// The point of a key of P-256, uncompressed.
    pub(super) fn public_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Curve(pair) => Some(pair.public_key().as_ref().to_vec()),
            Self::Rsa(_) => None,
        }
    }

    /// A token with these claims; none when the system gives no random bytes.
    pub(super) fn token(&self, key_id: Option<&str>, claims: &Value) -> Option<String> {
        let mut header = json!({ "typ": "JWT", "alg": self.algorithm() });
        if let Some(key_id) = key_id {
            header["kid"] = json!(key_id);
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.sign(signed.as_bytes())?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Some(format!("{signed}.{signature}"))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Curve(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Curve(pair) => Some(pair.sign(&random, bytes).ok()?.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    // RFC 7515, appendix A.3.
    const NUMBER: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn a_token_is_signed_so_that_the_public_key_proves_it() {
        let point = [vec![4], bytes(X), bytes(Y)].concat();
        let signer = Signer::point(&bytes(NUMBER), &point).unwrap();
        let claims = json!({ "iss": "TEAM" });
        let token = signer.token(Some("KEY"), &claims).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let read = |part: &str| serde_json::from_slice::<Value>(&bytes(part)).unwrap();
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": "KEY" });
        assert_eq!((read(parts[0]), read(parts[1])), (header, claims));
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        let signed = format!("{}.{}", parts[0], parts[1]);
        key.verify(signed.as_bytes(), &bytes(parts[2])).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            for refused in [Signer::curve(text).err(), Signer::rsa(text).err()] {
                let told = refused.unwrap().to_string();
                assert!(told.starts_with("is no private key of "), "{told}");
            }
        }
    }
}
