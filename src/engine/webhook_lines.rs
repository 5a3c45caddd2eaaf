//! Owns what people see of the places that are told what happens.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{Result, Store};

/// One place, and how it takes what it is told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookLine {
    #[schema(example = "crm")]
    pub webhook: String,
    /// How much it is still to be told.
    pub waiting: u64,
    /// When the oldest of it happened.
    pub oldest: Option<Timestamp>,
    /// How much it took, ever.
    pub taken: u64,
    /// How much was given up, ever.
    pub given_up: u64,
    /// It answered 410 Gone, and is told nothing until its settings change.
    pub gone: bool,
    /// Why it did not take something, the last time.
    #[schema(example = "503 Service Unavailable")]
    pub failure: Option<String>,
    pub failed_at: Option<Timestamp>,
}

/// All of them, by name.
pub async fn of(store: &Store) -> Result<Vec<WebhookLine>> {
    let states = store.webhooks().await?;
    if states.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = store.notices_waiting().await?;
    let lines = states.into_iter().map(|state| {
        let backlog = waiting.get(&state.number).copied().unwrap_or_default();
        WebhookLine {
            webhook: state.name,
            waiting: backlog.waiting,
            oldest: backlog.oldest,
            taken: state.taken,
            given_up: state.given_up,
            gone: state.rests,
            failure: state.failure,
            failed_at: state.failed_at,
        }
    });
    Ok(lines.collect())
}
