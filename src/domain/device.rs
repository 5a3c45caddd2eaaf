//! Owns devices: the apps and browsers where customers get push messages.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::CustomerId;

/// The most devices of one customer; another one takes the place of the oldest.
pub const MOST: usize = 32;
/// The most characters of a token or an endpoint.
const LONGEST: usize = 4096;
/// The most characters of an app's name.
const LONGEST_APP: usize = 200;

/// Through which provider a device is reached.
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
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// Firebase Cloud Messaging.
    Fcm,
    /// Apple Push Notification service.
    Apns,
    /// A browser (RFC 8030).
    Webpush,
}

impl DeviceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fcm => "fcm",
            Self::Apns => "apns",
            Self::Webpush => "webpush",
        }
    }
}

/// How a device is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DeviceAddress {
    /// An FCM registration token.
    FcmToken(String),
    /// A Firebase installation id.
    FcmInstallation(String),
    /// An APNs device token, hexadecimal.
    Apns(String),
    Webpush(Subscription),
}

/// What a browser gives a page that may push to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subscription {
    pub endpoint: String,
    /// An uncompressed point of P-256, base64url without padding (RFC 8291 §3.1).
    pub p256dh: String,
    /// 16 bytes, base64url without padding (RFC 8291 §3.2).
    pub auth: String,
}

/// One device, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub customer: CustomerId,
    pub number: i64,
    pub address: DeviceAddress,
    /// The app or site that it belongs to.
    pub app: Option<String>,
    /// When it was registered last.
    pub registered_at: Timestamp,
}

/// What is wrong with a device that somebody wants to register: the part of it, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}`: {reason}")]
pub struct BadDevice {
    pub part: &'static str,
    pub reason: String,
}

impl DeviceAddress {
    pub fn kind(&self) -> DeviceKind {
        match self {
            Self::FcmToken(_) | Self::FcmInstallation(_) => DeviceKind::Fcm,
            Self::Apns(_) => DeviceKind::Apns,
            Self::Webpush(_) => DeviceKind::Webpush,
        }
    }

    /// What stands for the device: the token, the id of the installation, or the endpoint.
    pub fn token(&self) -> &str {
        match self {
            Self::FcmToken(token) | Self::FcmInstallation(token) | Self::Apns(token) => token,
            Self::Webpush(subscription) => &subscription.endpoint,
        }
    }

    /// Enough of the token to tell one device from another, and not enough to write to it.
    pub fn hint(&self) -> String {
        let token = self.token();
        let letters = token.chars().count();
        let end: String = token.chars().skip(letters - (letters / 2).min(6)).collect();
        format!("…{end}")
    }

    /// As a person writes it: a token, or the subscription of a browser as JSON.
    pub fn written(kind: DeviceKind, text: &str) -> Self {
        match kind {
            DeviceKind::Fcm => Self::FcmToken(text.to_owned()),
            DeviceKind::Apns => Self::Apns(text.to_owned()),
            DeviceKind::Webpush => {
                let read: Value = serde_json::from_str(text).unwrap_or_default();
                let part = |pointer: &str| {
                    let text = read.pointer(pointer).and_then(Value::as_str);
                    text.unwrap_or_default().to_owned()
                };
                Self::Webpush(Subscription {
                    endpoint: part("/endpoint"),
                    p256dh: part("/keys/p256dh"),
                    auth: part("/keys/auth"),
                })
            }
        }
    }

    /// The same as it is kept: without what may be written in two ways.
    ///
    /// # Errors
    /// When no provider could know it.
    pub fn checked(self) -> Result<Self, BadDevice> {
        Ok(match self {
            Self::FcmToken(token) => Self::FcmToken(visible("token", token)?),
            Self::FcmInstallation(id) => Self::FcmInstallation(visible("fid", id)?),
            Self::Apns(token) => Self::Apns(hexadecimal(token)?),
            Self::Webpush(subscription) => Self::Webpush(subscription.checked()?),
        })
    }
}

impl Subscription {
    fn checked(self) -> Result<Self, BadDevice> {
        let endpoint = visible("subscription/endpoint", self.endpoint)?;
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            let part = "subscription/endpoint";
            return Err(bad(part, "is no address that begins with `https://`"));
        }
        let is_point = |bytes: &[u8]| bytes.len() == 65 && bytes[0] == 4;
        let point = "is no uncompressed point of P-256 in base64url: give what the browser gave";
        let secret = "is not 16 bytes in base64url: give what the browser gave";
        let of_16 = |bytes: &[u8]| bytes.len() == 16;
        Ok(Self {
            endpoint,
            p256dh: bytes("subscription/keys/p256dh", &self.p256dh, is_point, point)?,
            auth: bytes("subscription/keys/auth", &self.auth, of_16, secret)?,
        })
    }
}

/// The name of an app, if it may be one.
pub fn app(name: Option<String>) -> Result<Option<String>, BadDevice> {
    let name = name.filter(|name| !name.trim().is_empty());
    let fits =
        |name: &String| name.chars().count() <= LONGEST_APP && !name.chars().any(char::is_control);
    match name {
        Some(name) if !fits(&name) => Err(bad(
            "app",
            &format!("is not a name of at most {LONGEST_APP} characters on one line"),
        )),
        name => Ok(name.map(|name| name.trim().to_owned())),
    }
}

fn visible(part: &'static str, text: String) -> Result<String, BadDevice> {
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let reason = format!("is not 1 to {LONGEST} visible ASCII characters");
        return Err(bad(part, &reason));
    }
    Ok(text)
}

/// Apple says that a token's length may change, and shows it in hexadecimal.
fn hexadecimal(token: String) -> Result<String, BadDevice> {
    let token = visible("token", token)?;
    let fits = token.len() >= 16 && token.len() <= 400 && token.len().is_multiple_of(2);
    if !fits || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad("token", "is no device token in hexadecimal"));
    }
    Ok(token.to_ascii_lowercase())
}

fn bytes(
    part: &'static str,
    text: &str,
    fits: impl Fn(&[u8]) -> bool,
    otherwise: &str,
) -> Result<String, BadDevice> {
    let text = text.trim_end_matches('=');
    let read = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    match read.filter(|bytes| fits(bytes)) {
        Some(_) => Ok(text.to_owned()),
        None => Err(bad(part, otherwise)),
    }
}

fn bad(part: &'static str, reason: &str) -> BadDevice {
    BadDevice {
        part,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8291, appendix A.
    const POINT: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn subscription(endpoint: &str, p256dh: &str, auth: &str) -> DeviceAddress {
        DeviceAddress::Webpush(Subscription {
            endpoint: endpoint.to_owned(),
            p256dh: p256dh.to_owned(),
            auth: auth.to_owned(),
        })
    }

    #[test]
    fn what_a_provider_could_know_is_kept_in_one_way_of_writing() {
        let token = "00FC13ADFF785122B4AD28809A3420982341241421348097878E577C991DE8F0";
        let kept = DeviceAddress::Apns(token.to_owned()).checked().unwrap();
        assert_eq!(kept.token(), token.to_ascii_lowercase());
        let padded = subscription("https://push.test/1", &format!("{POINT}="), SECRET);
        let plain = subscription("https://push.test/1", POINT, SECRET);
        assert_eq!(padded.checked().unwrap(), plain);
    }

    #[test]
    fn what_no_provider_could_know_is_refused_with_its_place() {
        let long = "a".repeat(LONGEST + 1);
        for (address, part) in [
            (DeviceAddress::FcmToken(String::new()), "token"),
            (DeviceAddress::FcmToken("a b".to_owned()), "token"),
            (DeviceAddress::FcmToken(long), "token"),
            (DeviceAddress::FcmInstallation("ä".to_owned()), "fid"),
            (DeviceAddress::Apns("xyz".repeat(10)), "token"),
            (DeviceAddress::Apns("abc".to_owned()), "token"),
            (
                subscription("push.test", POINT, SECRET),
                "subscription/endpoint",
            ),
            (
                subscription("https://a", "AAAA", SECRET),
                "subscription/keys/p256dh",
            ),
            (
                subscription("https://a", POINT, "AAAA"),
                "subscription/keys/auth",
            ),
        ] {
            let refused = address.clone().checked().unwrap_err();
            assert_eq!(refused.part, part, "{address:?}");
        }
    }

    #[test]
    fn a_hint_gives_nothing_away() {
        let hint = |token: &str| DeviceAddress::FcmToken(token.to_owned()).hint();
        assert_eq!(hint("abcdefghijklmnop"), "…klmnop");
        assert_eq!(hint("abcd"), "…cd");
        assert_eq!(hint("a"), "…");
    }

    #[test]
    fn the_name_of_an_app_is_short_and_on_one_line() {
        assert_eq!(
            app(Some(" Bank ".to_owned())).unwrap(),
            Some("Bank".to_owned())
        );
        assert_eq!(app(Some("  ".to_owned())).unwrap(), None);
        assert_eq!(app(Some("a\nb".to_owned())).unwrap_err().part, "app");
        assert_eq!(app(Some("a".repeat(201))).unwrap_err().part, "app");
    }
}
