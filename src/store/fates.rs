//! Owns what receipts do to the dispatches they are about: where these stand, the history, channels that are
//! paused.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::audit;
use super::dead_addresses;
use super::dialect::rows;
use super::dirty;
use super::dispatches;
use super::error::Result;
use super::gateways;
use super::hearing::{self, Hearing, Standing, Told};
use super::identity::TAG;
use super::interactions;
use super::listing::json as text_of;
use super::meta;
use super::noting::{self, Message};
use super::sql::{query, query_scalar};
use super::tx::Tx;
use super::uncertain;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::{DispatchId, InstanceTag};
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::news::{Bounce, Fate};
use crate::domain::touched::Touched;
use crate::domain::webhook;

const HEAR: &str = concat!(
    "UPDATE dispatches SET heard = j.heard, state = j.state FROM ",
    rows!(id BIGINT 0, step BIGINT 1, heard BIGINT 2, state BIGINT 3),
    " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
     AND dispatches.step = j.step"
);
pub(super) const STATEMENTS: &[&str] = &[HEAR];

/// What was new.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) fates: Vec<Fate>,
    /// Of no dispatch of the channel.
    pub(super) strange: usize,
    pub(super) paused: bool,
}

/// Hears fates within a transaction that keeps the buckets of their dispatches.
pub(super) async fn apply(tx: &mut Tx, told: &[Told], hearing: &Hearing<'_>) -> Result<Applied> {
    let keys = told.iter().map(|one| (one.enrollment.0, one.step.0));
    let mut standing = hearing::read(tx, &keys.collect()).await?;
    if let Some(channel) = hearing.channel {
        standing.retain(|_, one| one.channel == channel);
    }
    let mut applied = Applied::default();
    for one in told {
        match standing.get_mut(&(one.enrollment, one.step)) {
            None => applied.strange += 1,
            Some(standing) if standing.heard.has(one.fate) => {}
            Some(standing) => {
                standing.heard = standing.heard.with(one.fate);
                standing.news.push(one.clone());
                applied.fates.push(one.fate);
            }
        }
    }
    standing.retain(|_, one| !one.news.is_empty());
    if standing.is_empty() {
        return Ok(applied);
    }
    let standing: Vec<Standing> = standing.into_values().collect();
    move_all(tx, &standing, hearing.marks).await?;
    tell(tx, &standing, hearing).await?;
    dead_addresses::suppress(tx, &standing, hearing).await?;
    if hearing.believes_policy {
        applied.paused = pause(tx, &standing, hearing.now).await?;
    }
    Ok(applied)
}

async fn move_all(tx: &mut Tx, standing: &[Standing], marks: bool) -> Result<()> {
    let moved = standing.iter().filter(|one| one.moved() != one.state);
    if marks {
        let marked = moved.map(|one| (one.customer, Touched::DISPATCHES));
        dirty::mark_each(tx, marked).await?;
    }
    let rows: Vec<_> = standing
        .iter()
        .map(|one| {
            let (heard, state) = (one.heard.bits(), one.moved().number());
            (one.enrollment.0, one.step.0, heard, state)
        })
        .collect();
    query(HEAR).bind(text_of(&rows)).execute(&mut *tx).await?;
    // What is certain now is not sent again.
    let settled = standing.iter().filter(|one| {
        one.state == DispatchState::Uncertain && one.moved() != DispatchState::Uncertain
    });
    let settled: Vec<(i64, i32)> = settled.map(|one| (one.enrollment.0, one.step.0)).collect();
    dispatches::thaw(tx, &settled).await?;
    uncertain::remove(tx, &settled).await
}

/// Dispatches that were settled just now, of which something had been heard before.
pub(super) async fn refold(tx: &mut Tx, keys: &BTreeSet<(i64, i32)>) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let standing = hearing::read(tx, keys).await?;
    let standing: Vec<Standing> = standing.into_values().collect();
    move_all(tx, &standing, false).await
}

/// A line of the history for each fate that was new; that the gateway has what it took says nothing new.
async fn tell(tx: &mut Tx, standing: &[Standing], hearing: &Hearing<'_>) -> Result<()> {
    let now = hearing.now;
    let tag: Option<String> = query_scalar(meta::GET)
        .bind(TAG)
        .fetch_optional(&mut *tx)
        .await?;
    let tag = tag.map(|text| meta::read(TAG, &text)).transpose()?;
    let tag = InstanceTag::new(tag.unwrap_or_default());
    let lines: Vec<Interaction> = standing
        .iter()
        .flat_map(|one| {
            let news = one.news.iter();
            news.filter_map(move |told| line(one, told, tag, hearing))
        })
        .collect();
    interactions::insert(tx, &lines).await?;
    let messages = standing.iter().flat_map(|one| {
        let news = one.news.iter();
        news.filter_map(move |told| message(one, told, now))
    });
    let messages: Vec<Message> = messages.collect();
    noting::of_messages(tx, &messages, now).await
}

/// What places of others are told of it.
fn message(of: &Standing, told: &Told, now: Timestamp) -> Option<Message> {
    let fate = match told.fate {
        Fate::Accepted if of.state != DispatchState::Uncertain => return None,
        Fate::Accepted => webhook::Fate::Accepted,
        Fate::Delivered => webhook::Fate::Delivered,
        Fate::Bounced(_) => webhook::Fate::Bounced,
        Fate::Complained => webhook::Fate::Complained,
        Fate::Expired => webhook::Fate::Expired,
        Fate::Failed => webhook::Fate::Refused,
    };
    let mut body = noting::said(of.channel, None);
    if let Fate::Bounced(bounce) = told.fate {
        body.insert("bounce".to_owned(), json!(bounce.as_str()));
    }
    if !told.detail.is_empty() {
        body.insert("detail".to_owned(), json!(told.detail));
    }
    Some(Message {
        enrollment: of.enrollment,
        step: of.step,
        due: now,
        fate,
        body,
    })
}

fn line(
    of: &Standing,
    told: &Told,
    tag: InstanceTag,
    hearing: &Hearing<'_>,
) -> Option<Interaction> {
    let now = hearing.now;
    let kind = match told.fate {
        Fate::Accepted if of.state != DispatchState::Uncertain => return None,
        Fate::Accepted => Kind::Confirmed,
        Fate::Delivered => Kind::Delivered,
        Fate::Bounced(_) => Kind::Bounced,
        Fate::Complained => Kind::Complained,
        Fate::Expired | Fate::Failed => Kind::GivenUp,
    };
    let mut detail = Map::new();
    let id = DispatchId::new(tag, of.enrollment, of.step);
    detail.insert("dispatch".to_owned(), json!(id.to_string()));
    if let Fate::Bounced(bounce) = told.fate {
        detail.insert("bounce".to_owned(), json!(bounce.as_str()));
    }
    if kind == Kind::GivenUp {
        detail.insert("reason".to_owned(), json!(told.fate.as_str()));
    }
    if !told.detail.is_empty() {
        detail.insert("detail".to_owned(), json!(told.detail));
    }
    // A gateway's clock is not ours: nothing comes back before it went out.
    let at = told.at.filter(|at| (of.first_at..=now).contains(at));
    let by_hand = by_hand::reuse(&of.flow);
    let is_of_flow = by_hand.is_none();
    let step = of.step_name.rsplit('/').next().unwrap_or(&of.step_name);
    Some(Interaction {
        channel: Some(of.channel),
        campaign: by_hand.map(|sent| sent.campaign),
        flow: is_of_flow.then(|| of.flow.clone()),
        step: is_of_flow.then(|| step.to_owned()),
        actor: hearing.by.map(Actor::to_string),
        detail: Some(Value::Object(detail)),
        ..Interaction::new(of.customer, at.unwrap_or(now), kind)
    })
}

/// A channel whose messages a policy turns away is paused, until a person has seen to it.
async fn pause(tx: &mut Tx, standing: &[Standing], now: Timestamp) -> Result<bool> {
    let policy = Fate::Bounced(Bounce::Policy);
    let mut paused = false;
    for one in standing {
        if let Some(told) = one.has_news(|fate| fate == policy) {
            paused |= pause_for_policy(tx, one.channel, &told.detail, now).await?;
        }
    }
    Ok(paused)
}

/// Pauses a channel because its messages are turned away; false: it is paused already.
pub(super) async fn pause_for_policy(
    tx: &mut Tx,
    channel: Channel,
    said: &str,
    now: Timestamp,
) -> Result<bool> {
    let by = By::new(Actor::drumbeat(), Source::Gateway);
    let reason = format!("turned away by a policy of the recipients' side: {said}");
    let paused = gateways::pause(tx, channel, &by, &reason, now).await?;
    if paused {
        let detail = json!({ "channel": channel.as_str(), "reason": reason });
        audit::add(tx, &by, "pause", Some(&detail.to_string()), now).await?;
    }
    Ok(paused)
}
