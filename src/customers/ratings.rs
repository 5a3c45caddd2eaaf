//! Owns how active customers are: counts of everybody, and how one customer's rating changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::error::Error;
use crate::domain::customer::{Customer, Status};
use crate::domain::interaction::{Direction, Kind};
use crate::domain::rating::{RatingCounts, RatingStarts};
use crate::domain::rating_history::{Life, RatingChange, changes};
use crate::domain::revision::Revision;
use crate::store::{HistoryFilter, HistoryLine, Store};

/// How many customers have each rating now, in one pass over everybody.
pub async fn counts(
    store: &Store,
    revision: &Revision,
    now: Timestamp,
) -> Result<RatingCounts, Error> {
    let starts = RatingStarts::of(revision.rating, now, &revision.time_zone());
    Ok(store.rating_counts(starts).await?)
}

/// How a customer's rating changed, the oldest first, as far back as the history reaches.
pub async fn history(
    store: &Store,
    revision: &Revision,
    customer: &Customer,
    now: Timestamp,
) -> Result<Vec<RatingChange>, Error> {
    let all = HistoryFilter::default();
    let lines = store.history(customer.id, &all, usize::MAX).await?;
    let zone = revision.time_zone();
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let active = lines
        .iter()
        .filter(|line| is_activity(line))
        .map(|line| line.at);
    let active: BTreeSet<Date> = active.chain(customer.last_activity_at).map(day).collect();
    let statuses = lines
        .iter()
        .rev()
        .filter_map(|line| Some((day(line.at), status(line)?)));
    let statuses: BTreeMap<Date, Status> = statuses.collect();
    let life = Life {
        begins: day(customer.created_at),
        active,
        statuses,
    };
    Ok(changes(&life, day(now), revision.rating))
}

/// What a customer did, and what was handed to a gateway for them; not what was withheld.
fn is_activity(line: &HistoryLine) -> bool {
    match line.direction {
        Direction::Inbound => true,
        Direction::Change => false,
        Direction::Outbound => ["-sent", "-delivered", "-bounced"]
            .iter()
            .any(|done| line.kind.ends_with(done)),
    }
}

fn status(line: &HistoryLine) -> Option<Status> {
    if line.kind != Kind::StatusChanged.as_str() {
        return None;
    }
    Status::parse(line.detail.as_ref()?.get("is")?.as_str()?)
}
