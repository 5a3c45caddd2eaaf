//! Owns how many messages went out when: by the hour, the channel and the step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::channel::Channel;
use crate::domain::message::Frozen;

const HOUR: i64 = 3_600;

/// Messages by where they belong.
pub type Tally = BTreeMap<Slot, u64>;

/// One step's messages of one hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Hours since 1970 began, by UTC.
    hour: i64,
    pub channel: Channel,
    pub flow: String,
    pub step: String,
}

impl Slot {
    pub(super) fn of(message: &Frozen) -> Self {
        Self {
            hour: message.at.as_second().div_euclid(HOUR),
            channel: message.rendered.channel(),
            flow: message.origin.flow.clone(),
            step: message.origin.step.clone(),
        }
    }

    /// When its hour begins.
    pub fn begins(&self) -> Timestamp {
        Timestamp::from_second(self.hour * HOUR).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Each day's messages on each channel.
pub fn by_day(tally: &Tally, zone: &TimeZone) -> BTreeMap<Date, BTreeMap<Channel, u64>> {
    let mut days: BTreeMap<Date, BTreeMap<Channel, u64>> = BTreeMap::new();
    for (slot, count) in tally {
        let day = zone.to_datetime(slot.begins()).date();
        *days
            .entry(day)
            .or_default()
            .entry(slot.channel)
            .or_default() += count;
    }
    days
}

/// The hour in which most goes out on each channel, and how much.
pub fn busiest(tally: &Tally) -> BTreeMap<Channel, (Timestamp, u64)> {
    let mut hours: BTreeMap<(Channel, Timestamp), u64> = BTreeMap::new();
    for (slot, count) in tally {
        *hours.entry((slot.channel, slot.begins())).or_default() += count;
    }
    let mut busiest: BTreeMap<Channel, (Timestamp, u64)> = BTreeMap::new();
    for ((channel, hour), count) in hours {
        let most = busiest.entry(channel).or_insert((hour, 0));
        if count > most.1 {
            *most = (hour, count);
        }
    }
    busiest
}
