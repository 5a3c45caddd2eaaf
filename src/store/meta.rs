//! Owns the few facts of which a store has one each, as JSON under a key.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db::Store;
use super::error::{Error, Result};
use super::sql::{query, query_scalar};

pub(super) const GET: &str = "SELECT value FROM meta WHERE key = $1";
pub(super) const SET: &str = "INSERT INTO meta (key, value) VALUES ($1, $2) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";
pub(super) const SET_ONCE: &str =
    "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";

pub(super) const STATEMENTS: &[&str] = &[GET, SET, SET_ONCE];

impl Store {
    pub(super) async fn get_meta<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let text: Option<String> = query_scalar(GET)
            .bind(key)
            .fetch_optional(self.read())
            .await?;
        text.map(|text| read(key, &text)).transpose()
    }

    pub(super) async fn set_meta<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<()> {
        let mut tx = self.begin().await?;
        let text = written(key, value)?;
        query(SET).bind(key).bind(text).execute(&mut tx).await?;
        tx.commit().await
    }
}

pub(super) fn read<T: DeserializeOwned>(key: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(format!("`{key}`: {error}")))
}

pub(super) fn written<T: Serialize>(key: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Corrupt(format!("`{key}`: {error}")))
}
