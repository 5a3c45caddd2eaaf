//! Owns the state of channels beside their configuration: pauses and the breaker of the gateway.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::webhook::Event;

use super::db::Store;
use super::error::Result;
use super::flows::Pause;
use super::instants::{instant, micros, optional_instant};
use super::noting;
use super::sql::{query, query_scalar};
use super::tx::Tx;

/// What people see of a channel's gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub pause: Option<Pause>,
    /// `closed`, `open` or `half-open`.
    pub breaker: String,
    pub breaker_at: Option<Timestamp>,
    pub breaker_note: Option<String>,
    /// How long the gateway is left alone from now on.
    pub breaker_rests: Option<SignedDuration>,
}

/// What the store says to a node that asks for times of a pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// They begin so far ahead.
    Given(SignedDuration),
    /// Others were given so much that asking again sooner is in vain.
    Later(SignedDuration),
}

impl Default for ChannelState {
    fn default() -> Self {
        Self {
            pause: None,
            breaker: "closed".to_owned(),
            breaker_at: None,
            breaker_note: None,
            breaker_rests: None,
        }
    }
}

const STATES: &str = "SELECT channel, paused_at, paused_by, pause_reason, breaker, breaker_at, \
     breaker_note, breaker_until - @now FROM channel_states";
const PAUSE: &str = "INSERT INTO channel_states (channel, paused_at, paused_by, pause_reason) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (channel) DO UPDATE SET paused_at = excluded.paused_at, \
     paused_by = excluded.paused_by, pause_reason = excluded.pause_reason \
     WHERE channel_states.paused_at IS NULL";
const RESUME: &str = "UPDATE channel_states SET paused_at = NULL, paused_by = NULL, \
     pause_reason = NULL WHERE channel = $1 AND paused_at IS NOT NULL";
const BREAKER: &str = "INSERT INTO channel_states (channel, breaker, breaker_at, breaker_note, \
     breaker_until) VALUES ($1, $2, $3, $4, @now + $5) ON CONFLICT (channel) DO UPDATE SET \
     breaker = excluded.breaker, breaker_at = excluded.breaker_at, \
     breaker_note = excluded.breaker_note, breaker_until = excluded.breaker_until";
/// One node probes; one that is not heard of again is not waited for.
const PROBE: &str = "UPDATE channel_states SET breaker = 'half-open', breaker_until = @now + $2 \
     WHERE channel = $1 AND breaker <> 'closed' AND (breaker_until IS NULL OR breaker_until <= @now)";
/// Gives the next times of a channel's pace away, if they are not too far ahead.
const GRANT: &str = "UPDATE channel_states SET paced_to = $2 + \
     (CASE WHEN paced_to > @now THEN paced_to ELSE @now END) \
     WHERE channel = $1 AND paced_to <= @now + $3 RETURNING paced_to - $2 - @now";
const PACED_TO: &str = "SELECT paced_to - @now FROM channel_states WHERE channel = $1";
const KNOWN: &str =
    "INSERT INTO channel_states (channel) VALUES ($1) ON CONFLICT (channel) DO NOTHING";

pub(super) const STATEMENTS: &[&str] = &[STATES, PAUSE, RESUME, BREAKER, PROBE, GRANT, KNOWN];

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
            let rests: Option<i64> = row.try_get(7)?;
            let state = ChannelState {
                pause,
                breaker: row.try_get(4)?,
                breaker_at: optional_instant(row.try_get(5)?)?,
                breaker_note: row.try_get(6)?,
                breaker_rests: rests.map(SignedDuration::from_micros),
            };
            states.insert(channel, state);
        }
        Ok(states)
    }

    /// Stops claims on a channel; its rows stay due. Whether it was running.
    pub async fn pause_channel(&self, channel: Channel, pause: &Pause) -> Result<bool> {
        let mut tx = self.begin().await?;
        let done = pause_within(&mut tx, channel, pause).await?;
        tx.commit().await?;
        Ok(done)
    }

    pub async fn resume_channel(&self, channel: Channel, at: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let done = query(RESUME)
            .bind(channel.number())
            .execute(&mut tx)
            .await?;
        if done > 0 {
            let body = json!({ "channel": channel.as_str() });
            noting::of_channel(&mut tx, channel, Event::ChannelResumed, at, &body).await?;
        }
        tx.commit().await?;
        Ok(done > 0)
    }

    pub async fn set_breaker(
        &self,
        channel: Channel,
        (breaker, rests): (&str, Duration),
        note: &str,
        at: Timestamp,
    ) -> Result<()> {
        let rests = i64::try_from(rests.as_micros()).unwrap_or(i64::MAX);
        let mut tx = self.begin().await?;
        query(BREAKER)
            .bind(channel.number())
            .bind(breaker)
            .bind(micros(at))
            .bind(note)
            .bind(rests)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Whether this node is the one that tries whether a gateway is back.
    pub async fn take_probe(&self, channel: Channel, takes: SignedDuration) -> Result<bool> {
        let probe = query(PROBE).bind(channel.number()).bind(micros_of(takes));
        Ok(probe.execute(&self.writers).await? > 0)
    }

    /// Asks for the next times of a channel's pace, which last for `span`.
    pub async fn grant(
        &self,
        channel: Channel,
        span: SignedDuration,
        within: SignedDuration,
    ) -> Result<Grant> {
        let (span, within) = (micros_of(span), micros_of(within));
        let asked = query_scalar(GRANT).bind(channel.number());
        let given: Option<i64> = asked
            .bind(span)
            .bind(within)
            .fetch_optional(&self.writers)
            .await?;
        if let Some(ahead) = given {
            return Ok(Grant::Given(SignedDuration::from_micros(ahead)));
        }
        let asked = query_scalar(PACED_TO).bind(channel.number());
        let ahead: Option<i64> = asked.fetch_optional(&self.writers).await?;
        if ahead.is_none() {
            let known = query(KNOWN).bind(channel.number());
            known.execute(&self.writers).await?;
        }
        let later = ahead.unwrap_or_default() - within;
        Ok(Grant::Later(SignedDuration::from_micros(later.max(0))))
    }
}

/// The same within a transaction, by the daemon itself.
pub(super) async fn pause(
    tx: &mut Tx,
    channel: Channel,
    by: &By,
    reason: &str,
    at: Timestamp,
) -> Result<bool> {
    let pause = Pause {
        at,
        by: by.actor.to_string(),
        reason: Some(reason.to_owned()),
    };
    pause_within(tx, channel, &pause).await
}

async fn pause_within(tx: &mut Tx, channel: Channel, pause: &Pause) -> Result<bool> {
    let done = query(PAUSE)
        .bind(channel.number())
        .bind(micros(pause.at))
        .bind(&pause.by)
        .bind(&pause.reason)
        .execute(&mut *tx)
        .await?;
    if done > 0 {
        let mut body = json!({ "channel": channel.as_str(), "by": pause.by });
        if let Some(reason) = &pause.reason {
            body["reason"] = json!(reason);
        }
        noting::of_channel(tx, channel, Event::ChannelPaused, pause.at, &body).await?;
    }
    Ok(done > 0)
}

fn micros_of(span: SignedDuration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
