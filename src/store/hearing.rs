//! Owns a dispatch as it stands while receipts are heard, and what is to be known to hear them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::dialect::{listed, rows};
use super::error::{Error, Result};
use super::instants::instant;
use super::listing::{json, listed};
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::Actor;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::field::DataModel;
use crate::domain::gateway::ChannelConfig;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo};
use crate::domain::news::{Fate, Receipt};
use crate::domain::receipt::Heard;

const STANDING: &str = concat!(
    listed!(
        "d.enrollment_id, d.step, d.channel, d.state, d.heard, d.first_at, d.address_hash, \
         e.customer_id, f.name, s.name"
    ),
    rows!(id BIGINT 0, step BIGINT 1),
    " AS j CROSS JOIN dispatches AS d CROSS JOIN enrollments AS e CROSS JOIN names AS f \
     CROSS JOIN names AS s WHERE d.bucket = j.id >> 48 AND d.enrollment_id = j.id \
     AND d.step = j.step AND e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
     AND f.number = e.flow AND s.number = d.step"
);

pub(super) const STATEMENTS: &[&str] = &[STANDING];

/// One fate of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) enrollment: EnrollmentId,
    pub(super) step: NameNo,
    pub(super) fate: Fate,
    /// When it happened, if the gateway says so.
    pub(super) at: Option<Timestamp>,
    pub(super) detail: String,
}

impl Told {
    pub(super) fn of(receipt: &Receipt, enrollment: EnrollmentId, step: NameNo) -> Self {
        Self {
            enrollment,
            step,
            fate: receipt.fate,
            at: receipt.at,
            detail: receipt.detail.clone(),
        }
    }
}

/// What is to be known to hear.
pub(super) struct Hearing<'a> {
    /// Whose gateway tells; none: each the gateway of its own.
    pub(super) channel: Option<Channel>,
    pub(super) addresses: Addresses<'a>,
    /// The person who says it; none: the gateway.
    pub(super) by: Option<&'a Actor>,
    /// Whether the channel is paused when a policy turns a message away.
    pub(super) believes_policy: bool,
    /// Whether a segment asks what was sent.
    pub(super) marks: bool,
    pub(super) now: Timestamp,
}

/// From where the text of an address comes; that it is the one that was written to is seen by its hash.
pub(super) enum Addresses<'a> {
    /// They have just been written to.
    Known(HashMap<EnrollmentId, &'a str>),
    /// What customers have in the channel's field now.
    Present(Option<&'a ChannelConfig>, &'a DataModel),
}

/// Enrollment, step, channel, state, heard, first tried at, address, customer, flow, step's name.
type Row = (
    i64,
    i32,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    i64,
    String,
    String,
);

/// A dispatch as it stands while fates are told.
pub(super) struct Standing {
    pub(super) enrollment: EnrollmentId,
    pub(super) step: NameNo,
    pub(super) channel: Channel,
    pub(super) state: DispatchState,
    pub(super) heard: Heard,
    pub(super) first_at: Timestamp,
    pub(super) address: Option<i64>,
    pub(super) customer: CustomerId,
    pub(super) flow: String,
    pub(super) step_name: String,
    /// What was not heard before.
    pub(super) news: Vec<Told>,
}

/// The dispatches of these enrollments and steps as they stand.
pub(super) async fn read(
    tx: &mut Tx,
    keys: &BTreeSet<(i64, i32)>,
) -> Result<BTreeMap<(EnrollmentId, NameNo), Standing>> {
    let rows: Vec<Row> = listed(query(STANDING).bind(json(keys)), tx).await?;
    let rows = rows.into_iter().map(|row| {
        let standing = standing(row)?;
        Ok(((standing.enrollment, standing.step), standing))
    });
    rows.collect()
}

fn standing(row: Row) -> Result<Standing> {
    let (enrollment, step, channel, state, heard, first_at, address, customer, flow, name) = row;
    let unknown = |what: &str, number: i64| Error::Corrupt(format!("the unknown {what} {number}"));
    Ok(Standing {
        enrollment: EnrollmentId(enrollment),
        step: NameNo(step),
        channel: Channel::from_number(channel).ok_or_else(|| unknown("channel", channel))?,
        state: DispatchState::from_number(state).ok_or_else(|| unknown("state", state))?,
        heard: Heard::from_bits(heard).ok_or_else(|| unknown("set of fates", heard))?,
        first_at: instant(first_at)?,
        address,
        customer: CustomerId(customer),
        flow,
        step_name: name,
        news: Vec::new(),
    })
}

impl Standing {
    /// Where it stands by what is heard now.
    pub(super) fn moved(&self) -> DispatchState {
        self.heard.standing(self.state)
    }

    pub(super) fn has_news(&self, is: impl Fn(Fate) -> bool) -> Option<&Told> {
        self.news.iter().find(|told| is(told.fate))
    }
}
