//! Owns the state of channels beside their configuration: pauses and the breaker of the gateway.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::channel::Channel;

use super::db::Store;
use super::error::Result;
use super::flows::Pause;
use super::instants::{instant, micros, optional_instant};
use super::sql::query;

/// What people see of a channel's gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub pause: Option<Pause>,
    /// `closed`, `open` or `half-open`.
    pub breaker: String,
    pub breaker_at: Option<Timestamp>,
    pub breaker_note: Option<String>,
}

impl Default for ChannelState {
    fn default() -> Self {
        Self {
            pause: None,
            breaker: "closed".to_owned(),
            breaker_at: None,
            breaker_note: None,
        }
    }
}

const STATES: &str = "SELECT channel, paused_at, paused_by, pause_reason, breaker, breaker_at, \
     breaker_note FROM channel_states";
const PAUSE: &str = "INSERT INTO channel_states (channel, paused_at, paused_by, pause_reason) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (channel) DO UPDATE SET paused_at = excluded.paused_at, \
     paused_by = excluded.paused_by, pause_reason = excluded.pause_reason \
     WHERE channel_states.paused_at IS NULL";
const RESUME: &str = "UPDATE channel_states SET paused_at = NULL, paused_by = NULL, \
     pause_reason = NULL WHERE channel = $1 AND paused_at IS NOT NULL";
const BREAKER: &str = "INSERT INTO channel_states (channel, breaker, breaker_at, breaker_note) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (channel) DO UPDATE SET breaker = excluded.breaker, \
     breaker_at = excluded.breaker_at, breaker_note = excluded.breaker_note";

pub(super) const STATEMENTS: &[&str] = &[STATES, PAUSE, RESUME, BREAKER];

impl Store {
    pub async fn channel_states(&self) -> Result<BTreeMap<Channel, ChannelState>> {
        let rows = query(STATES).fetch_all(self.read()).await?;
        let mut states = BTreeMap::new();
        for row in &rows {
            let Some(channel) = Channel::from_number(row.try_get(0)?) else {
                continue;
            };
            let pause = match row.try_get::<Option<i64>>(1)? {
                Some(at) => Some(Pause {
                    at: instant(at)?,
                    by: row.try_get::<Option<String>>(2)?.unwrap_or_default(),
                    reason: row.try_get(3)?,
                }),
                None => None,
            };
            let state = ChannelState {
                pause,
                breaker: row.try_get(4)?,
                breaker_at: optional_instant(row.try_get(5)?)?,
                breaker_note: row.try_get(6)?,
            };
            states.insert(channel, state);
        }
        Ok(states)
    }

    /// Stops claims on a channel; its rows stay due. Whether it was running.
    pub async fn pause_channel(&self, channel: Channel, pause: &Pause) -> Result<bool> {
        let mut tx = self.begin().await?;
        let done = query(PAUSE)
            .bind(channel.number())
            .bind(micros(pause.at))
            .bind(&pause.by)
            .bind(&pause.reason)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done > 0)
    }

    pub async fn resume_channel(&self, channel: Channel) -> Result<bool> {
        let mut tx = self.begin().await?;
        let done = query(RESUME)
            .bind(channel.number())
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(done > 0)
    }

    pub async fn set_breaker(
        &self,
        channel: Channel,
        breaker: &str,
        note: &str,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        query(BREAKER)
            .bind(channel.number())
            .bind(breaker)
            .bind(micros(at))
            .bind(note)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }
}
