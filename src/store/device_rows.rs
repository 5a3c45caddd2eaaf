//! Owns how a device stands in its row: its kind as a number, its token with a digest to find it by.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

use super::error::{Error, Result};
use super::instants::instant;
use super::sql::Row;
use crate::domain::device::{Device, DeviceAddress, DeviceKind, Subscription};
use crate::domain::ids::CustomerId;

pub(super) fn read(row: &Row) -> Result<Device> {
    let token = row.try_get(3)?;
    let address = match row.try_get(2)? {
        0 => DeviceAddress::FcmToken(token),
        1 => DeviceAddress::FcmInstallation(token),
        2 => DeviceAddress::Apns(token),
        3 => DeviceAddress::Webpush(Subscription {
            endpoint: token,
            p256dh: row.try_get::<Option<String>>(4)?.unwrap_or_default(),
            auth: row.try_get::<Option<String>>(5)?.unwrap_or_default(),
        }),
        number => return Err(unknown_kind(number)),
    };
    Ok(Device {
        customer: CustomerId(row.try_get(0)?),
        number: row.try_get(1)?,
        address,
        app: row.try_get(6)?,
        registered_at: instant(row.try_get(7)?)?,
    })
}

pub(super) fn number_of(address: &DeviceAddress) -> i64 {
    match address {
        DeviceAddress::FcmToken(_) => 0,
        DeviceAddress::FcmInstallation(_) => 1,
        DeviceAddress::Apns(_) => 2,
        DeviceAddress::Webpush(_) => 3,
    }
}

pub(super) fn kind_of(number: i64) -> Result<DeviceKind> {
    match number {
        0 | 1 => Ok(DeviceKind::Fcm),
        2 => Ok(DeviceKind::Apns),
        3 => Ok(DeviceKind::Webpush),
        number => Err(unknown_kind(number)),
    }
}

fn unknown_kind(number: i64) -> Error {
    Error::Corrupt(format!("the unknown kind {number} of a device"))
}

pub(super) fn keys(address: &DeviceAddress) -> (Option<&str>, Option<&str>) {
    match address {
        DeviceAddress::Webpush(subscription) => {
            (Some(&subscription.p256dh), Some(&subscription.auth))
        }
        _ => (None, None),
    }
}

pub(super) fn digest_of(address: &DeviceAddress) -> String {
    let whole = format!("{} {}", number_of(address), address.token());
    let hash = digest(&SHA256, whole.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}
