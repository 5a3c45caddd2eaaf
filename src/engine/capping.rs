//! Owns whether a frequency cap stands in the way of a message.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::calendar;
use crate::domain::channel::Channel;
use crate::domain::gate::CapState;
use crate::domain::policy::FrequencyCap;

/// A message that caps are asked about.
pub(super) struct Capped<'a> {
    pub(super) channel: Channel,
    pub(super) planned: Timestamp,
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
}

/// The strictest of the caps, by what the customer was sent lately.
pub(super) fn state(
    caps: &[FrequencyCap],
    recent: &[(Channel, Timestamp)],
    message: &Capped<'_>,
) -> CapState {
    let own = caps
        .iter()
        .filter(|cap| cap.channels.contains(&message.channel));
    let states = own.map(|cap| cap_state(cap, recent, message));
    states
        .max_by_key(|state| match state {
            CapState::Free => (0, Timestamp::MIN),
            CapState::RetryAt(at) => (1, *at),
            CapState::Reached => (2, Timestamp::MIN),
        })
        .unwrap_or(CapState::Free)
}

fn cap_state(
    cap: &FrequencyCap,
    recent: &[(Channel, Timestamp)],
    message: &Capped<'_>,
) -> CapState {
    let (now, zone) = (message.now, message.zone);
    let mut expiries: Vec<Timestamp> = recent
        .iter()
        .filter(|(channel, _)| cap.channels.contains(channel))
        .map(|(_, at)| calendar::after(*at, cap.per, zone))
        .filter(|expiry| *expiry > now)
        .collect();
    let limit = cap.limit as usize;
    if expiries.len() < limit {
        return CapState::Free;
    }
    expiries.sort_unstable();
    let frees_at = expiries.get(expiries.len() - limit).copied().unwrap_or(now);
    match cap
        .retry_for
        .map(|span| calendar::after(message.planned, span, zone))
    {
        Some(last) if now < last => CapState::RetryAt(frees_at.min(last)),
        _ => CapState::Reached,
    }
}
