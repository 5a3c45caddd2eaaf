//! Owns the consents that a batch of customers brings: their columns, and the lines they leave.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::changes;
use super::customer_known::ConsentChange;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::subscription::Consent;

/// What every new customer has alike.
pub(super) fn shared(
    wanted: &BTreeMap<Channel, Consent>,
    at: Timestamp,
) -> Vec<(&'static str, i64)> {
    let at = at.as_microsecond();
    let moved = first_consents(wanted).next().is_some();
    let mut shared = vec![("created_at", at), ("updated_at", at)];
    shared.push(("consent_rev", i64::from(moved)));
    let consents = wanted.iter();
    shared.extend(consents.map(|(channel, is)| (consent_column(*channel), is.number())));
    shared
}

/// The consents of those who are new that are not everybody's first.
pub(super) fn first_consents(
    wanted: &BTreeMap<Channel, Consent>,
) -> impl Iterator<Item = ConsentChange> {
    let was = Consent::default();
    let change = move |(channel, is): (&Channel, &Consent)| ConsentChange {
        channel: *channel,
        was,
        is: *is,
    };
    wanted.iter().map(change).filter(|change| change.differs())
}

/// The line of a consent that changed.
pub(super) fn line(
    id: CustomerId,
    change: ConsentChange,
    (by, at): (&By, Timestamp),
) -> Interaction {
    let ConsentChange { channel, was, is } = change;
    let line = changes::line(id, at, Kind::ConsentChanged, by);
    let line = changes::saying(line, "was", was.as_str());
    Interaction {
        channel: Some(channel),
        ..changes::saying(line, "is", is.as_str())
    }
}

/// The column of a channel's consent.
pub(super) fn consent_column(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email_consent",
        Channel::Sms => "sms_consent",
        Channel::Push => "push_consent",
    }
}
