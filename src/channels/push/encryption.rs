//! Owns the encryption of a push message for one browser (RFC 8291, in the coding of RFC 8188).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::domain::device::Subscription;

/// Every push service takes so many bytes (RFC 8030 §7.2).
const RECORD: u32 = 4096;
/// Salt, size of the record, length of the key and the key (RFC 8188 §2.1), the delimiter, the tag.
const OVERHEAD: usize = 16 + 4 + 1 + 65 + 1 + 16;
/// The most bytes that a message may have.
pub(super) const MOST: usize = RECORD as usize - OVERHEAD;

/// The message as only this browser can read it.
///
/// # Errors
/// When the browser's keys are none, or the system gives no random bytes.
pub(super) fn encrypt(message: &[u8], to: &Subscription) -> Result<Vec<u8>, Unspecified> {
    let own = PrivateKey::generate(&ECDH_P256)?;
    let mut salt = [0; 16];
    rand::fill(&mut salt)?;
    encrypt_with(message, to, &own, salt)
}

fn encrypt_with(
    message: &[u8],
    to: &Subscription,
    own: &PrivateKey,
    salt: [u8; 16],
) -> Result<Vec<u8>, Unspecified> {
    let read = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Unspecified);
    let (theirs, auth) = (read(&to.p256dh)?, read(&to.auth)?);
    let public = own.compute_public_key()?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, &theirs);
    let shared = agree(own, peer, Unspecified, |secret| Ok(secret.to_vec()))?;
    let info: [&[u8]; 3] = [b"WebPush: info\0", &theirs, public.as_ref()];
    let secret: [u8; 32] = derived(&Salt::new(HKDF_SHA256, &auth).extract(&shared), &info)?;
    let whole = Salt::new(HKDF_SHA256, &salt).extract(&secret);
    let key: [u8; 16] = derived(&whole, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = derived(&whole, &[b"Content-Encoding: nonce\0"])?;
    // The only record is the last one: 2 ends it (RFC 8188 §2).
    let mut record = [message, &[2]].concat();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let size = RECORD.to_be_bytes();
    Ok([&salt, &size[..], &[65], public.as_ref(), &record].concat())
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn derived<const N: usize>(from: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    from.expand(info, Bytes(N))?.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out_to_the_byte() {
        let read = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let to = Subscription {
            endpoint: String::new(),
            p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
                .to_owned(),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".to_owned(),
        };
        let own = read("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let salt = read("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let message = b"When I grow up, I want to be a watermelon";
        let encrypted = encrypt_with(message, &to, &own, salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(encrypted), expected);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let to = Subscription {
            endpoint: String::new(),
            p256dh: BASE64_URL_SAFE_NO_PAD.encode([4; 65]),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".to_owned(),
        };
        assert!(encrypt(b"hello", &to).is_err());
    }
}
