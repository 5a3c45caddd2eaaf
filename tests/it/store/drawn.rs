//! What chance draws for segments: conditions of every kind, and what happens to the people in them.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Status;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::rating::Rating;
use drumbeat::domain::segment::{Condition, DateTest, Did, Moment};
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::domain::value::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::chance::{ACTS, some_delay, some_fields, some_scope};
use super::edges::conditions;
use super::property::some_condition;

/// How many segments there are; the first half may be named by others.
pub(super) const SEGMENTS: usize = 36;

/// What happens to one of the people.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Fields(Vec<(String, Value)>),
    Cleared(&'static str),
    Products(Vec<&'static str>),
    Tagged,
    Consent(Channel, Consent),
    Status(Status),
    GivenUp(Scope),
    TakenBack(Scope),
    Acted(Kind, i64),
    Answered(u8),
    Sent(Channel),
    Entered,
    Left,
}

pub(super) fn some_change() -> BoxedStrategy<Change> {
    let products = vec(select(&["Loan", "card", "cash"][..]), 0..3);
    let consent = (select(&Channel::ALL[..]), select(&Consent::ALL[..]));
    prop_oneof![
        4 => some_fields().prop_map(Change::Fields),
        1 => select(&["city", "joined_on", "seen_at", "age"][..]).prop_map(Change::Cleared),
        1 => products.prop_map(Change::Products),
        1 => Just(Change::Tagged),
        2 => consent.prop_map(|(channel, is)| Change::Consent(channel, is)),
        1 => select(&Status::ALL[..]).prop_map(Change::Status),
        1 => some_scope().prop_map(Change::GivenUp),
        1 => some_scope().prop_map(Change::TakenBack),
        3 => (select(&ACTS[..]), -1_i64..40).prop_map(|(kind, hours)| Change::Acted(kind, hours)),
        1 => (0_u8..=10).prop_map(Change::Answered),
        2 => select(&Channel::ALL[..]).prop_map(Change::Sent),
        1 => Just(Change::Entered),
        1 => Just(Change::Left),
    ]
    .boxed()
}

/// Conditions of every kind, also about other segments, flows and what was sent.
pub(super) fn some_segment() -> BoxedStrategy<Condition> {
    let sent = (
        select(&[Kind::EmailSent, Kind::SmsSent][..]),
        some_delay(),
        1_u32..3,
    );
    let sent = sent.prop_map(|(kind, within_last, at_least)| {
        Condition::Did(Did {
            kind,
            campaign: None,
            flow: None,
            step: None,
            channel: None,
            within_last: Some(within_last),
            at_least,
        })
    });
    let named = (0..SEGMENTS / 2).prop_map(|n| Condition::Segment(format!("s{n}")));
    let leaf = prop_oneof![
        3 => some_condition(),
        1 => sent,
        1 => Just(Condition::InFlow("welcome".to_owned())),
        2 => named,
    ];
    let not = |part| Condition::Not(Box::new(part));
    prop_oneof![
        leaf.clone(),
        leaf.clone().prop_map(not),
        vec(leaf.clone(), 1..3).prop_map(Condition::All),
        vec(leaf, 1..3).prop_map(Condition::Any),
    ]
    .boxed()
}

/// What chance may leave out.
pub(super) fn certain() -> Vec<Condition> {
    let ratings = Rating::ALL.iter().copied().map(Condition::Rating);
    let scope = Scope {
        campaign: Some("a".to_owned()),
        ..Scope::default()
    };
    let more = [
        Condition::Subscribed(scope),
        Condition::Tag("vip".to_owned()),
    ];
    every_axis()
        .into_iter()
        .chain(ratings)
        .chain(more)
        .collect()
}

/// Edges of every axis.
pub(super) fn every_axis() -> Vec<Condition> {
    let did = |kind| {
        Condition::Did(Did {
            kind,
            campaign: None,
            flow: None,
            step: None,
            channel: None,
            within_last: Some(Delay::days(3)),
            at_least: 1,
        })
    };
    let mut all = conditions();
    all.extend([did(Kind::Login), did(Kind::EmailSent)]);
    let old = DateTest::OlderThan(Delay::hours(70));
    let moments = [Moment::Created, Moment::LastEngagement];
    all.extend(moments.map(|moment| Condition::Moment {
        moment,
        test: old.clone(),
    }));
    all
}
