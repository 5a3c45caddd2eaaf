//! Owns what makes one store itself: its tag, its link key, its clock's anchor, its version counter.

use aws_lc_rs::rand;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::db::{Home, Store};
use super::error::{Error, Result};
use super::meta;
use super::sql::{query, query_scalar};
use crate::domain::ids::InstanceTag;

pub(super) const TAG: &str = "instance_tag";
const CLOCK: &str = "clock";
const KEY: &str = "SELECT secret FROM link_keys ORDER BY key_no DESC LIMIT 1";
const NEW_KEY: &str =
    "INSERT INTO link_keys (key_no, secret) VALUES (1, $1) ON CONFLICT (key_no) DO NOTHING";
/// Moves when another process has written.
const VERSION: &str = "PRAGMA data_version";
/// Moves when anybody has written.
const WRITTEN: &str = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS BIGINT)";

pub(super) const STATEMENTS: &[&str] = &[KEY, NEW_KEY];

/// Where a scaled clock stood: at machine time `machine` it was flow time `flow`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SavedClock {
    pub machine: Timestamp,
    pub flow: Timestamp,
    /// Seconds of flow time in one second of machine time.
    pub scale: f64,
    /// Whether the daemon that saved it was running, so that flow time goes on.
    pub running: bool,
}

impl Store {
    /// The random tag of this store, made when it is first asked for.
    pub async fn instance_tag(&self) -> Result<InstanceTag> {
        if let Some(tag) = self.get_meta::<u64>(TAG).await? {
            return Ok(InstanceTag::new(tag));
        }
        let mut tx = self.begin().await?;
        let fresh = InstanceTag::new(u64::from_le_bytes(random()?)).get();
        query(meta::SET_ONCE)
            .bind(TAG)
            .bind(meta::written(TAG, &fresh)?)
            .execute(&mut tx)
            .await?;
        let text: String = query_scalar(meta::GET).bind(TAG).fetch_one(&mut tx).await?;
        tx.commit().await?;
        meta::read(TAG, &text).map(InstanceTag::new)
    }

    /// The secret that seals the links in messages, made when it is first asked for; links last as
    /// long as it does.
    pub async fn link_key(&self) -> Result<[u8; 32]> {
        let mut key: Option<Vec<u8>> = query_scalar(KEY).fetch_optional(self.read()).await?;
        if key.is_none() {
            let mut tx = self.begin().await?;
            query(NEW_KEY)
                .bind(random::<32>()?.as_slice())
                .execute(&mut tx)
                .await?;
            key = Some(query_scalar(KEY).fetch_one(&mut tx).await?);
            tx.commit().await?;
        }
        key.and_then(|key| key.try_into().ok())
            .ok_or_else(|| Error::Corrupt("the link key is not 32 bytes".to_owned()))
    }

    pub async fn save_clock(
        &self,
        machine: Timestamp,
        flow: Timestamp,
        scale: f64,
        running: bool,
    ) -> Result<()> {
        let clock = SavedClock {
            machine,
            flow,
            scale,
            running,
        };
        self.set_meta(CLOCK, &clock).await
    }

    pub async fn saved_clock(&self) -> Result<Option<SavedClock>> {
        self.get_meta(CLOCK).await
    }

    /// A number that moves when anybody has written, in this process or another.
    pub async fn data_version(&self) -> Result<i64> {
        match &self.home {
            Home::File { watcher, .. } => {
                Ok(sqlx::query_scalar(VERSION).fetch_one(watcher).await?)
            }
            Home::Server { .. } => query_scalar(WRITTEN).fetch_one(self.read()).await,
        }
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| Error::Unusable("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}
