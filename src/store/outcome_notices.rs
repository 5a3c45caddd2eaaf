//! Owns telling places of others what became of messages when they were sent.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::Result;
use super::noting::{self, Message};
use super::outcomes::Settled;
use super::tx::Tx;
use crate::domain::webhook::Fate;

/// Tells of outcomes that last.
pub(super) async fn of_outcomes(tx: &mut Tx, settled: &[&Settled], at: Timestamp) -> Result<()> {
    if tx.wants().is_empty() {
        return Ok(());
    }
    let messages = settled.iter().filter_map(|row| {
        Some(Message {
            enrollment: row.enrollment,
            step: row.step,
            due: at,
            fate: Fate::of(row.settlement.state)?,
            body: outcome(row),
        })
    });
    let messages: Vec<Message> = messages.collect();
    noting::of_messages(tx, &messages, at).await
}

fn outcome(row: &Settled) -> Map<String, Value> {
    let mut body = noting::said(row.channel, row.reason);
    body.insert("attempt".to_owned(), json!(row.attempt));
    if let Some(id) = &row.settlement.gateway_id {
        body.insert("gateway_id".to_owned(), json!(id));
    }
    if !row.settlement.detail.is_empty() {
        body.insert("detail".to_owned(), json!(row.settlement.detail));
    }
    body
}
