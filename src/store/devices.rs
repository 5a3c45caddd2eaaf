//! Owns the devices where customers get push messages.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::among::numbers;
use super::bind::Bind;
use super::changes;
use super::db::Store;
use super::device_rows::{digest_of, keys, kind_of, number_of, read};
use super::dialect::{ids, rows};
use super::error::Result;
use super::instants::micros;
use super::interactions;
use super::listing::json as text_of;
use super::rows;
use super::sequences;
use super::sql::{query, query_scalar};
use super::tx::{On, Tx};
use crate::domain::audit::{Actor, By, Source};
use crate::domain::device::{Device, DeviceAddress, DeviceKind, MOST};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};

/// Nobody else registers a device until the transaction ends.
const ALONE: &str = "SELECT next FROM sequences WHERE name = $1@alone";
const SEQUENCE: &str = "device-token";
/// Somebody's app registers, and waits for the answer.
const HOLDERS: &str = "@everywhere(people)SELECT d.customer_id, d.device FROM devices AS d \
     WHERE d.bucket BETWEEN 0 AND 1023 AND d.digest = $1";
const ADD: &str = "INSERT INTO devices \
     (bucket, customer_id, device, kind, token, p256dh, auth, app, registered_at, digest) \
     SELECT c.bucket, c.customer_id, CAST($3 AS BIGINT), CAST($4 AS SMALLINT), CAST($5 AS TEXT), \
     CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS BIGINT), CAST($10 AS TEXT) \
     FROM customers AS c WHERE c.bucket = $1 AND c.customer_id = $2@share";
const RENEW: &str = "UPDATE devices SET p256dh = $4, auth = $5, app = $6, registered_at = $7 \
     WHERE bucket = $1 AND customer_id = $2 AND device = $3";
const OF: &str = "SELECT customer_id, device, kind, token, p256dh, auth, app, registered_at \
     FROM devices WHERE bucket = $1 AND customer_id = $2 ORDER BY registered_at DESC, device DESC";
const OF_MANY: &str = concat!(
    "SELECT d.customer_id, d.device, d.kind, d.token, d.p256dh, d.auth, d.app, d.registered_at FROM ",
    ids!(),
    " AS k CROSS JOIN devices AS d WHERE d.bucket = k.bucket AND d.customer_id = k.id \
     ORDER BY d.registered_at DESC, d.device DESC"
);
const REMOVE: &str = "DELETE FROM devices WHERE bucket = $1 AND customer_id = $2 AND device = $3 \
     RETURNING kind";
/// Not those that were registered again meanwhile.
const GONE: &str = concat!(
    "DELETE FROM devices WHERE (bucket, customer_id, device, registered_at) IN \
     (SELECT j.id >> 48, j.id, j.device, j.registered_at FROM ",
    rows!(id BIGINT 0, device BIGINT 1, registered_at BIGINT 2),
    " AS j) RETURNING customer_id, device, kind"
);
const COLUMNS: [(&str, &str); 10] = [
    ("bucket", "BIGINT"),
    ("customer_id", "BIGINT"),
    ("device", "BIGINT"),
    ("kind", "BIGINT"),
    ("registered_at", "BIGINT"),
    ("token", "TEXT"),
    ("p256dh", "TEXT"),
    ("auth", "TEXT"),
    ("app", "TEXT"),
    ("digest", "TEXT"),
];

pub(super) const STATEMENTS: &[&str] = &[ALONE, HOLDERS, ADD, RENEW, OF, OF_MANY, REMOVE, GONE];

/// A device that its provider does not know any more, as it was when it was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoneDevice {
    pub customer: CustomerId,
    pub number: i64,
    pub registered_at: Timestamp,
}

impl From<&Device> for GoneDevice {
    fn from(device: &Device) -> Self {
        Self {
            customer: device.customer,
            number: device.number,
            registered_at: device.registered_at,
        }
    }
}

impl Store {
    /// Registers a device and answers its number, and whether it is new to this customer. If somebody else
    /// has the token it is theirs no more: people share phones. One too many takes the place of the oldest.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for a customer who is not there.
    pub async fn register_device(
        &self,
        customer: CustomerId,
        address: &DeviceAddress,
        app: Option<&str>,
        by: &By,
        at: Timestamp,
    ) -> Result<(i64, bool)> {
        let mut tx = self.begin().await?;
        let _: i64 = query_scalar(ALONE)
            .bind(SEQUENCE)
            .fetch_one(&mut tx)
            .await?;
        let holders = query(HOLDERS).bind(digest_of(address));
        let (mut own, mut lines) = (None, Vec::new());
        for row in &holders.fetch_all(&mut tx).await? {
            let (holder, number) = (CustomerId(row.try_get(0)?), row.try_get(1)?);
            if holder == customer {
                own = Some(number);
            } else if remove(&mut tx, holder, number).await?.is_some() {
                lines.push(removed(holder, number, address.kind(), "moved", by, at));
            }
        }
        let number = if let Some(number) = own {
            renew(&mut tx, customer, number, address, app, at).await?;
            number
        } else {
            let number = sequences::take(&mut tx, "device", 1).await?;
            add(&mut tx, customer, number, address, app, at).await?;
            let what = Kind::DeviceRegistered;
            lines.push(line(customer, number, address.kind(), what, by, at));
            number
        };
        lines.extend(trim(&mut tx, customer, by, at).await?);
        interactions::insert(&mut tx, &lines).await?;
        tx.commit().await?;
        Ok((number, own.is_none()))
    }

    /// The devices of a customer, those registered last first.
    pub async fn devices_of(&self, customer: CustomerId) -> Result<Vec<Device>> {
        of(customer, self.read()).await
    }

    /// The devices of these customers, those registered last first.
    pub async fn devices_of_all(
        &self,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Vec<Device>>> {
        let found = query(OF_MANY).bind(numbers(customers));
        let mut devices: HashMap<CustomerId, Vec<Device>> = HashMap::new();
        for row in &found.fetch_all(self.read()).await? {
            let device = read(row)?;
            devices.entry(device.customer).or_default().push(device);
        }
        Ok(devices)
    }

    /// Removes a device; false when there is none of this number.
    pub async fn remove_device(
        &self,
        customer: CustomerId,
        number: i64,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let Some(kind) = remove(&mut tx, customer, number).await? else {
            return Ok(false);
        };
        let line = removed(customer, number, kind, "asked", by, at);
        interactions::insert(&mut tx, &[line]).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Removes those that their provider does not know any more.
pub(super) async fn forget(tx: &mut Tx, gone: &[GoneDevice], at: Timestamp) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let rows = gone
        .iter()
        .map(|one| (one.customer.0, one.number, micros(one.registered_at)));
    let rows: Vec<(i64, i64, i64)> = rows.collect();
    let found = query(GONE).bind(text_of(&rows)).fetch_all(&mut *tx).await?;
    let by = By::new(Actor::drumbeat(), Source::Gateway);
    let mut lines = Vec::new();
    for row in &found {
        let (customer, number) = (CustomerId(row.try_get(0)?), row.try_get(1)?);
        let kind = kind_of(row.try_get(2)?)?;
        lines.push(removed(customer, number, kind, "gone", &by, at));
    }
    interactions::insert(tx, &lines).await
}

/// Gives the devices of one customer to another as well.
pub(super) async fn carry(
    tx: &mut Tx,
    from: CustomerId,
    into: CustomerId,
    by: &By,
    at: Timestamp,
) -> Result<()> {
    let devices = of(from, &mut *tx).await?.into_iter();
    let cells = devices.map(|device| {
        let (p256dh, auth) = keys(&device.address);
        let whole = [
            i64::from(into.bucket().0),
            into.0,
            device.number,
            number_of(&device.address),
            micros(device.registered_at),
        ];
        let texts = [
            Some(device.address.token().to_owned()),
            p256dh.map(str::to_owned),
            auth.map(str::to_owned),
            device.app.clone(),
            Some(digest_of(&device.address)),
        ];
        let whole = whole.map(|number| Some(Bind::Int(number)));
        whole
            .into_iter()
            .chain(texts.map(|text| text.map(Bind::Text)))
            .collect()
    });
    rows::insert(tx, "devices", &COLUMNS, cells.collect()).await?;
    let lines = trim(tx, into, by, at).await?;
    interactions::insert(tx, &lines).await
}

async fn of<'c>(customer: CustomerId, on: impl Into<On<'c>>) -> Result<Vec<Device>> {
    let found = query(OF)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .fetch_all(on)
        .await?;
    found.iter().map(read).collect()
}

async fn add(
    tx: &mut Tx,
    customer: CustomerId,
    number: i64,
    address: &DeviceAddress,
    app: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    let (p256dh, auth) = keys(address);
    let added = query(ADD)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(number)
        .bind(number_of(address))
        .bind(address.token())
        .bind(p256dh)
        .bind(auth)
        .bind(app)
        .bind(micros(at))
        .bind(digest_of(address))
        .execute(&mut *tx)
        .await?;
    match added {
        0 => Err(changes::unknown(customer)),
        _ => Ok(()),
    }
}

async fn renew(
    tx: &mut Tx,
    customer: CustomerId,
    number: i64,
    address: &DeviceAddress,
    app: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    let (p256dh, auth) = keys(address);
    query(RENEW)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(number)
        .bind(p256dh)
        .bind(auth)
        .bind(app)
        .bind(micros(at))
        .execute(tx)
        .await?;
    Ok(())
}

/// Of which kind the device was that is removed.
async fn remove(tx: &mut Tx, customer: CustomerId, number: i64) -> Result<Option<DeviceKind>> {
    let kind: Option<i64> = query_scalar(REMOVE)
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .bind(number)
        .fetch_optional(tx)
        .await?;
    kind.map(kind_of).transpose()
}

/// Removes the oldest of too many.
async fn trim(
    tx: &mut Tx,
    customer: CustomerId,
    by: &By,
    at: Timestamp,
) -> Result<Vec<Interaction>> {
    let mut lines = Vec::new();
    for device in of(customer, &mut *tx).await?.iter().skip(MOST) {
        remove(tx, customer, device.number).await?;
        let kind = device.address.kind();
        lines.push(removed(
            customer,
            device.number,
            kind,
            "one too many",
            by,
            at,
        ));
    }
    Ok(lines)
}

fn removed(
    customer: CustomerId,
    number: i64,
    kind: DeviceKind,
    why: &str,
    by: &By,
    at: Timestamp,
) -> Interaction {
    let line = line(customer, number, kind, Kind::DeviceRemoved, by, at);
    changes::saying(line, "why", why)
}

fn line(
    customer: CustomerId,
    number: i64,
    kind: DeviceKind,
    what: Kind,
    by: &By,
    at: Timestamp,
) -> Interaction {
    let mut line = changes::line(customer, at, what, by);
    if let Some(detail) = &mut line.detail {
        detail["device"] = json!(number);
        detail["kind"] = json!(kind.as_str());
    }
    line
}
