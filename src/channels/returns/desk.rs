//! Owns what is needed wherever mail comes in: whose addresses are ours, and where what is told is brought.

use tokio::time::timeout;

use super::limits::Limits;
use crate::channels::Ear;
use crate::domain::news::News;
use crate::domain::return_path::ReturnPath;

pub(super) struct Desk<'a> {
    pub(super) path: &'a ReturnPath,
    pub(super) ear: &'a dyn Ear,
    pub(super) limits: Limits,
}

impl Desk<'_> {
    /// Whether the news are stored.
    pub(super) async fn hear(&self, news: Vec<News>) -> bool {
        match timeout(self.limits.storing, self.ear.hear(news)).await {
            Ok(Ok(())) => true,
            Ok(Err(unheard)) => {
                tracing::warn!(why = %unheard, "what came back by mail was not stored");
                false
            }
            Err(_) => {
                tracing::warn!("what came back by mail was not stored in time");
                false
            }
        }
    }
}
