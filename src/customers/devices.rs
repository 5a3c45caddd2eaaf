//! Owns the devices where customers get push messages: registered, listed, removed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Error;
use super::profiles::id_of;
use crate::domain::audit::By;
use crate::domain::device::{BadDevice, Device, DeviceAddress, DeviceKind, Subscription, app};
use crate::store::Store;

/// A device to register. FCM wants a `token` or a `fid`, APNs a `token`, Web Push a `subscription`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenDevice {
    pub kind: DeviceKind,
    /// FCM: the registration token; APNs: the device token in hexadecimal.
    #[schema(example = "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1")]
    pub token: Option<String>,
    /// FCM: the id of the app's installation.
    pub fid: Option<String>,
    /// Web Push: what the browser gave.
    pub subscription: Option<WrittenSubscription>,
    /// The app or site that it belongs to.
    #[schema(example = "mobile-bank")]
    pub app: Option<String>,
}

/// A `PushSubscription` of a browser as it writes itself (W3C Push API, `toJSON`).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenSubscription {
    #[schema(example = "https://push.example/wpush/v2/gAAAA")]
    pub endpoint: String,
    /// Told by some browsers; nothing is done with it.
    #[serde(rename = "expirationTime")]
    #[schema(value_type = Option<f64>)]
    pub expiration_time: Option<serde_json::Value>,
    pub keys: WrittenKeys,
}

/// The keys of a subscription, base64url (RFC 8291).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenKeys {
    pub p256dh: String,
    pub auth: String,
}

/// A device without what it takes to write to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceFacts {
    /// Its number among the customer's devices.
    pub device: i64,
    pub kind: DeviceKind,
    /// The end of its token or endpoint.
    #[schema(example = "…Q3P1")]
    pub token: String,
    pub app: Option<String>,
    /// When it was registered last.
    pub registered_at: Timestamp,
}

impl DeviceFacts {
    pub fn of(device: &Device) -> Self {
        Self {
            device: device.number,
            kind: device.address.kind(),
            token: device.address.hint(),
            app: device.app.clone(),
            registered_at: device.registered_at,
        }
    }
}

/// A registered device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    pub number: i64,
    /// Whether the customer did not have it yet.
    pub is_new: bool,
}

impl From<BadDevice> for Error {
    fn from(bad: BadDevice) -> Self {
        Self::BadText {
            name: bad.part,
            reason: bad.reason,
        }
    }
}

/// Registers a device; whoever had its token has it no more.
pub async fn register(
    store: &Store,
    customer: &str,
    written: WrittenDevice,
    by: &By,
    at: Timestamp,
) -> Result<Registered, Error> {
    let name = app(written.app.clone())?;
    let address = address(written)?.checked()?;
    let id = id_of(store, customer).await?;
    let (number, is_new) = store
        .register_device(id, &address, name.as_deref(), by, at)
        .await?;
    Ok(Registered { number, is_new })
}

/// The devices of a customer, those registered last first.
pub async fn list(store: &Store, customer: &str) -> Result<Vec<Device>, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.devices_of(id).await?)
}

/// Removes a device; false when there is none of this number.
pub async fn remove(
    store: &Store,
    customer: &str,
    number: i64,
    by: &By,
    at: Timestamp,
) -> Result<bool, Error> {
    let id = id_of(store, customer).await?;
    Ok(store.remove_device(id, number, by, at).await?)
}

fn address(written: WrittenDevice) -> Result<DeviceAddress, BadDevice> {
    let WrittenDevice {
        kind,
        token,
        fid,
        subscription,
        app: _,
    } = written;
    match (kind, token, fid, subscription) {
        (DeviceKind::Fcm, Some(token), None, None) => Ok(DeviceAddress::FcmToken(token)),
        (DeviceKind::Fcm, None, Some(fid), None) => Ok(DeviceAddress::FcmInstallation(fid)),
        (DeviceKind::Apns, Some(token), None, None) => Ok(DeviceAddress::Apns(token)),
        (DeviceKind::Webpush, None, None, Some(subscription)) => {
            Ok(DeviceAddress::Webpush(Subscription {
                endpoint: subscription.endpoint,
                p256dh: subscription.keys.p256dh,
                auth: subscription.keys.auth,
            }))
        }
        (kind, ..) => Err(BadDevice {
            part: "kind",
            reason: match kind {
                DeviceKind::Fcm => "`fcm` takes either a `token` or a `fid`, and nothing else",
                DeviceKind::Apns => "`apns` takes a `token`, and nothing else",
                DeviceKind::Webpush => "`webpush` takes a `subscription`, and nothing else",
            }
            .to_owned(),
        }),
    }
}
