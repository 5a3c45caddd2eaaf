//! Owns what is left to do for customers since the data model changed: a list that outlives a crash.

use super::db::Store;
use super::error::Result;
use super::meta;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::model_work::ModelWork;

const KEY: &str = "model_works";

impl Store {
    /// What is left to do, in the order in which it came to be.
    pub async fn model_works(&self) -> Result<Vec<ModelWork>> {
        Ok(self.get_meta(KEY).await?.unwrap_or_default())
    }

    /// One of them is done.
    pub async fn finish_model_work(&self, done: &ModelWork) -> Result<()> {
        let mut tx = self.write().await?;
        let mut works = read(&mut tx).await?;
        works.retain(|work| work != done);
        write(&mut tx, &works).await?;
        tx.commit().await
    }
}

/// Adds to what is left to do.
pub(super) async fn add(tx: &mut Tx, new: &[ModelWork]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let mut works = read(tx).await?;
    works.extend_from_slice(new);
    write(tx, &works).await
}

async fn read(tx: &mut Tx) -> Result<Vec<ModelWork>> {
    let text: Option<String> = query_scalar(meta::GET).bind(KEY).fetch_optional(tx).await?;
    let works = text.map(|text| meta::read(KEY, &text)).transpose()?;
    Ok(works.unwrap_or_default())
}

async fn write(tx: &mut Tx, works: &[ModelWork]) -> Result<()> {
    let text = meta::written(KEY, &works)?;
    query(meta::SET).bind(KEY).bind(text).execute(tx).await?;
    Ok(())
}
