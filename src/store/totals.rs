//! Owns the sums of a customer's history: messages by channel and what became of them, conversions.

use std::collections::BTreeMap;

use super::db::Store;
use super::error::{Error, Result};
use super::sql::query;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Kind;

const MESSAGES: &str = "SELECT d.channel, d.state, count(*) FROM enrollments AS n \
     CROSS JOIN dispatches AS d WHERE n.bucket = $1 AND n.customer_id = $2 \
     AND d.bucket = n.bucket AND d.enrollment_id = n.enrollment_id GROUP BY d.channel, d.state";
const DOINGS: &str = "SELECT channel, kind, count(*) FROM interactions \
     WHERE bucket = $1 AND customer_id = $2 GROUP BY channel, kind";

pub(super) const STATEMENTS: &[&str] = &[MESSAGES, DOINGS];

/// The sums of one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub channels: BTreeMap<Channel, ChannelTotals>,
    /// What the customer did, on whatever channel.
    pub interactions: u64,
    pub conversions: u64,
}

/// What became of the messages of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ChannelTotals {
    /// Accepted by the gateway, whatever came of them afterwards.
    pub sent: u64,
    pub delivered: u64,
    pub bounced: u64,
    pub withheld: u64,
    /// Refused for good, or tried until there was no time left.
    pub failed: u64,
    pub uncertain: u64,
    /// Claimed, or to be tried again.
    pub open: u64,
    /// What the customer did on this channel: opened, clicked and so on.
    pub interactions: u64,
    pub opened: u64,
    pub clicked: u64,
    /// Those that came by this channel: by the last message of their campaign before them, unless they
    /// name another.
    pub conversions: u64,
}

impl ChannelTotals {
    fn add(&mut self, state: DispatchState, count: u64) {
        match state {
            DispatchState::Accepted => self.sent += count,
            DispatchState::Delivered => {
                self.sent += count;
                self.delivered += count;
            }
            DispatchState::Bounced => {
                self.sent += count;
                self.bounced += count;
            }
            DispatchState::Withheld => self.withheld += count,
            DispatchState::Refused | DispatchState::Expired => self.failed += count,
            DispatchState::Uncertain => self.uncertain += count,
            DispatchState::Claimed | DispatchState::Deferred => self.open += count,
        }
    }
}

impl Totals {
    fn did(&mut self, channel: Option<Channel>, kind: Kind, count: u64) {
        self.interactions += count;
        if kind == Kind::Conversion {
            self.conversions += count;
        }
        let Some(channel) = channel else { return };
        let of = self.channels.entry(channel).or_default();
        of.interactions += count;
        match kind {
            Kind::EmailOpened | Kind::PushOpened => of.opened += count,
            Kind::EmailClicked | Kind::SmsClicked => of.clicked += count,
            _ => {}
        }
    }
}

impl Store {
    /// The sums of one customer; by which channel conversions came is not known here.
    pub async fn totals(&self, customer: CustomerId) -> Result<Totals> {
        let (bucket, number) = (i64::from(customer.bucket().0), customer.0);
        let rows = query(MESSAGES)
            .bind(bucket)
            .bind(number)
            .fetch_all(self.read())
            .await?;
        let mut totals = Totals::default();
        for row in &rows {
            let (channel, state, count): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let known = Channel::from_number(channel).zip(DispatchState::from_number(state));
            let (channel, state) =
                known.ok_or_else(|| Error::Corrupt("a dispatch of no known channel".to_owned()))?;
            totals
                .channels
                .entry(channel)
                .or_default()
                .add(state, count.unsigned_abs());
        }
        let doings = query(DOINGS).bind(bucket).bind(number);
        for row in &doings.fetch_all(self.read()).await? {
            let (kind, count): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            let kind = Kind::from_number(kind).filter(|kind| kind.is_engagement());
            if let Some(kind) = kind {
                let channel: Option<i64> = row.try_get(0)?;
                let channel = channel.and_then(Channel::from_number);
                totals.did(channel, kind, count.unsigned_abs());
            }
        }
        Ok(totals)
    }
}
