//! Owns the gateways that write to devices: Firebase, Apple, and the push services of browsers.

mod apns;
mod apns_answer;
mod encryption;
mod fcm;
mod fcm_answer;
mod jwt;
mod lifetime;
mod service_account;
mod webpush;

pub use self::apns::Apns;
pub use self::fcm::Fcm;
pub use self::webpush::Webpush;
