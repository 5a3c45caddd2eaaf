//! Owns what is drawn at random: values on and beside the edges that conditions ask about, and people.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Status;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::domain::value::Value;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::oracle::{Act, Person};
use super::rig::{now, text};

const TEXTS: [&str; 8] = [
    "Lyon",
    "LYÓN",
    "São Paulo",
    "san José",
    "Sanford",
    "100%_x\\",
    "ß",
    "ﬁx",
];
const HOURS: [i64; 7] = [-24, -1, 0, 1, 24, 48, 720];
const DAYS: [i32; 6] = [0, 1, 2, 15, 30, 45];
pub(super) const CAMPAIGNS: [&str; 2] = ["gold", "silver"];
pub(super) const ACTS: [Kind; 4] = [
    Kind::Login,
    Kind::Conversion,
    Kind::Transaction,
    Kind::EmailClicked,
];

fn today() -> Date {
    let zone = TimeZone::get("America/New_York").unwrap();
    now().to_zoned(zone).date()
}

pub(super) fn some_text() -> impl Strategy<Value = Value> {
    select(&TEXTS[..]).prop_map(text)
}

pub(super) fn some_day() -> BoxedStrategy<Date> {
    let leap: Date = "2004-02-29".parse().unwrap();
    let end: Date = "1999-02-28".parse().unwrap();
    let near = prop_oneof![-70_i64..70, -3_i64..3, 29_i64..32, -31_i64..-28];
    let near = near.prop_map(|n| today() + Span::new().days(n));
    let earlier = (near.clone(), 0_i64..60).prop_map(|(day, years)| day - Span::new().years(years));
    prop_oneof![near, earlier, Just(leap), Just(end)].boxed()
}

/// On the edge of the hours that conditions ask about, and a microsecond beside it.
pub(super) fn some_instant() -> impl Strategy<Value = Timestamp> {
    (select(&HOURS[..]), -1_i64..=1).prop_map(|(hours, beside)| {
        let at = now().as_microsecond() - hours * 3_600_000_000 + beside;
        Timestamp::from_microsecond(at).unwrap()
    })
}

pub(super) fn some_delay() -> impl Strategy<Value = Delay> {
    prop_oneof![
        select(&DAYS[..]).prop_map(Delay::days),
        select(&[1_i64, 24, 48][..]).prop_map(Delay::hours),
        Just(Delay {
            months: 1,
            days: 2,
            seconds: 90_000
        }),
    ]
}

pub(super) fn some_scope() -> impl Strategy<Value = Scope> {
    let name = || option::of(select(&["a", "b"][..]).prop_map(str::to_owned));
    let channel = option::of(select(&Channel::ALL[..]));
    (name(), name(), channel).prop_map(|(campaign, category, channel)| Scope {
        campaign,
        category,
        group: None,
        channel,
    })
}

pub(super) fn some_fields() -> impl Strategy<Value = Vec<(String, Value)>> {
    (
        option::of(some_text()),
        option::of((0_i64..6).prop_map(Value::Integer)),
        option::of(select(&[-1.5, 0.0, 0.1, 2.0, 1e15][..]).prop_map(Value::Number)),
        option::of(any::<bool>().prop_map(Value::Boolean)),
        option::of(some_day().prop_map(Value::Date)),
        option::of(some_instant().prop_map(Value::Instant)),
    )
        .prop_map(|(city, age, balance, member, joined_on, seen_at)| {
            let named = [
                ("city", city),
                ("age", age),
                ("balance", balance),
                ("member", member),
                ("joined_on", joined_on),
                ("seen_at", seen_at),
            ];
            let there = named
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            there
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
}

pub(super) fn some_person() -> impl Strategy<Value = Person> {
    let hours: Vec<i64> = HOURS.iter().copied().filter(|hours| *hours >= 0).collect();
    let campaign = option::of(select(&CAMPAIGNS[..]).prop_map(str::to_owned));
    let act = (select(&ACTS[..]), select(hours), 0_i64..60, campaign);
    let act = act.prop_map(|(kind, hours, days, campaign)| {
        let age = hours * 3_600_000_000 + days * 3 * 86_400_000_000;
        let at = Timestamp::from_microsecond(now().as_microsecond() - age).unwrap();
        Act { kind, at, campaign }
    });
    (
        some_instant(),
        select(&Status::ALL[..]),
        select(&Consent::ALL[..]),
        some_fields(),
        subsequence(&["Loan", "card", "CASH"][..], 0..=3),
        any::<bool>(),
        vec(act, 0..4),
        vec(some_scope(), 0..3),
        option::of(0_u8..=10),
    )
        .prop_map(
            |(created_at, status, sms, fields, products, vip, acts, given_up, nps)| Person {
                id: CustomerId(0),
                external_id: String::new(),
                created_at,
                status,
                sms,
                fields,
                products: products.into_iter().map(str::to_owned).collect(),
                vip,
                acts,
                given_up,
                nps,
            },
        )
}
