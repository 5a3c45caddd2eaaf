//! Owns a second reading of conditions, in plain code over people in memory. The store's only
//! reading is its SQL; this one exists to disagree with it.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Status;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::rating::{Rating, RatingBounds};
use drumbeat::domain::segment::{Condition, DateTest, Did, ManyTest, Moment, Test};
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::domain::value::{Value, fold};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Something a person did.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) kind: Kind,
    pub(super) at: Timestamp,
    pub(super) campaign: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: CustomerId,
    pub(super) external_id: String,
    pub(super) created_at: Timestamp,
    pub(super) status: Status,
    pub(super) sms: Consent,
    /// One-valued fields that are there.
    pub(super) fields: Vec<(String, Value)>,
    pub(super) products: Vec<String>,
    pub(super) vip: bool,
    pub(super) acts: Vec<Act>,
    pub(super) given_up: Vec<Scope>,
    /// The latest answer.
    pub(super) nps: Option<u8>,
}

impl Person {
    /// Whoever answered did so just now.
    fn answered(&self, now: Timestamp) -> Option<Timestamp> {
        self.nps.map(|_| now)
    }
}

pub(super) struct Oracle {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
}

impl Oracle {
    fn today(&self) -> Date {
        self.day_of(self.now)
    }

    fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    pub(super) fn meets(&self, person: &Person, condition: &Condition) -> bool {
        let last = |wanted: fn(Kind) -> bool| {
            let acts = person.acts.iter().filter(|act| wanted(act.kind));
            acts.map(|act| act.at).max()
        };
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.meets(person, part)),
            Condition::Any(parts) => parts.iter().any(|part| self.meets(person, part)),
            Condition::Not(part) => !self.meets(person, part),
            Condition::Field { field, test } if field == "id" => {
                identifier(&person.external_id, test)
            }
            Condition::Field { field, test } => {
                let value = person.fields.iter().find(|(name, _)| name == field);
                self.one(value.map(|(_, value)| value), test)
            }
            Condition::Many { test, .. } => many(&person.products, test),
            Condition::Tag(_) => person.vip,
            Condition::Rating(rating) => {
                let last = person.answered(self.now).max(last(Kind::is_activity));
                let last = last.map(|at| self.day_of(at));
                let bounds = RatingBounds::default();
                Rating::of(person.status, last, self.today(), bounds) == *rating
            }
            Condition::Status(status) => person.status == *status,
            Condition::Identified(is) => *is,
            Condition::Moment { moment, test } => {
                let at = match moment {
                    Moment::Created => Some(person.created_at),
                    Moment::LastActivity => person.answered(self.now).max(last(Kind::is_activity)),
                    Moment::LastEngagement => {
                        person.answered(self.now).max(last(Kind::is_engagement))
                    }
                    Moment::LastTransaction => last(|kind| kind == Kind::Transaction),
                };
                self.instant(at, test)
            }
            Condition::Consent { channel, is } => match channel {
                Channel::Sms => person.sms == *is,
                _ => *is == Consent::Subscribed,
            },
            Condition::Subscribed(scope) => !person
                .given_up
                .iter()
                .any(|given_up| scope.is_within(given_up)),
            Condition::Did(did) => self.did(person, did),
            Condition::Random(share) => sticky(person.id) < u64::from(*share),
            Condition::Nps(test) => person
                .nps
                .is_some_and(|score| (test.least..=test.most).contains(&score)),
            Condition::List(_) | Condition::Segment(_) | Condition::InFlow(_) => false,
        }
    }

    fn one(&self, value: Option<&Value>, test: &Test) -> bool {
        match (value, test) {
            (None, Test::Missing | Test::Date(DateTest::Missing)) => true,
            (None, _) => false,
            (Some(_), Test::Missing) => false,
            (Some(_), Test::Exists) => true,
            (Some(value), Test::Is(other)) => same(value, other),
            (Some(value), Test::IsNot(other)) => !same(value, other),
            (Some(value), Test::In(others)) => others.iter().any(|other| same(value, other)),
            (Some(value), Test::NotIn(others)) => !others.iter().any(|other| same(value, other)),
            (Some(Value::Date(day)), Test::Date(test)) => self.date(*day, test),
            (Some(Value::Instant(at)), Test::Date(test)) => self.instant(Some(*at), test),
            (Some(Value::Text(text)), test) => part(&fold(text), test),
            (Some(value), test) => ordered(number(value), test),
        }
    }

    fn date(&self, day: Date, test: &DateTest) -> bool {
        let today = self.today();
        let ago = |delay: &Delay| today - span(*delay);
        match test {
            DateTest::Before(other) => day < *other,
            DateTest::On(other) => day == *other,
            DateTest::After(other) => day > *other,
            DateTest::Between(low, high) => *low <= day && day <= *high,
            DateTest::WithinLast(delay) => ago(delay) <= day && day <= today,
            DateTest::OlderThan(delay) => day < ago(delay),
            DateTest::ExactlyAgo(delay) => day == ago(delay),
            DateTest::WithinNext(delay) => today <= day && day <= today + span(*delay),
            DateTest::Anniversary { within_days } => self.comes_round(day, *within_days),
            DateTest::Exists => true,
            DateTest::Missing => false,
        }
    }

    fn instant(&self, at: Option<Timestamp>, test: &DateTest) -> bool {
        let Some(at) = at else {
            return *test == DateTest::Missing;
        };
        let age = self.now.as_microsecond() - at.as_microsecond();
        let length = |delay: &Delay| delay.approximate_seconds() * 1_000_000;
        match test {
            DateTest::WithinLast(delay) => 0 <= age && age < length(delay),
            DateTest::OlderThan(delay) => age >= length(delay),
            DateTest::WithinNext(delay) => 0 < -age && -age <= length(delay),
            other => self.date(self.day_of(at), other),
        }
    }

    fn comes_round(&self, day: Date, within_days: u32) -> bool {
        let today = self.today();
        (0..=i64::from(within_days)).any(|n| {
            let then = today + Span::new().days(n);
            let leap_day = (day.month(), day.day()) == (2, 29) && !then.in_leap_year();
            let on = if leap_day { 28 } else { day.day() };
            (then.month(), then.day()) == (day.month(), on) && day.year() <= today.year()
        })
    }

    fn did(&self, person: &Person, did: &Did) -> bool {
        let since = did
            .within_last
            .map(|delay| self.now.as_microsecond() - delay.approximate_seconds() * 1_000_000);
        let acts = person.acts.iter().filter(|act| {
            act.kind == did.kind
                && since.is_none_or(|since| act.at.as_microsecond() > since)
                && (did.campaign.is_none() || did.campaign == act.campaign)
        });
        acts.count() >= usize::try_from(did.at_least).unwrap()
    }
}

fn span(delay: Delay) -> Span {
    Span::new()
        .months(delay.months)
        .days(i64::from(delay.days) + delay.seconds / 86_400)
}

/// The share of ten thousand at which a customer begins to belong.
fn sticky(id: CustomerId) -> u64 {
    let (bucket, sequence) = (
        u64::from(id.bucket().0),
        id.0.unsigned_abs() & ((1 << 48) - 1),
    );
    let prime = 2_147_483_647;
    let first = (sequence % prime * 48_271 + bucket * 40_014) % prime;
    first * 69_621 % prime % 10_000
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => fold(one) == fold(other),
        _ => one == other,
    }
}

fn number(value: &Value) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "the people's numbers are small")]
        Value::Integer(number) => *number as f64,
        Value::Number(number) => *number,
        _ => f64::NAN,
    }
}

fn ordered(value: f64, test: &Test) -> bool {
    match test {
        Test::LessThan(other) => value < number(other),
        Test::AtMost(other) => value <= number(other),
        Test::MoreThan(other) => value > number(other),
        Test::AtLeast(other) => value >= number(other),
        Test::Between(low, high) => number(low) <= value && value <= number(high),
        _ => false,
    }
}

/// Tests of a part of a text; the text is folded already, the parts are not.
fn part(text: &str, test: &Test) -> bool {
    match test {
        Test::StartsWith(part) => text.starts_with(&fold(part)),
        Test::EndsWith(part) => text.ends_with(&fold(part)),
        Test::Contains(part) => text.contains(&fold(part)),
        Test::DoesNotContain(part) => !text.contains(&fold(part)),
        Test::Matches(glob) => {
            let (text, glob): (Vec<char>, Vec<char>) =
                (text.chars().collect(), fold(glob).chars().collect());
            glob_matches(&text, &glob)
        }
        _ => false,
    }
}

fn glob_matches(text: &[char], glob: &[char]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|n| glob_matches(&text[n..], rest)),
        Some((c, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| (*c == '?' || c == first) && glob_matches(text, rest)),
    }
}

/// The identifier is compared as it is written, its parts without case.
fn identifier(id: &str, test: &Test) -> bool {
    let is = |value: &Value| *value == Value::Text(id.to_owned());
    match test {
        Test::Is(value) => is(value),
        Test::IsNot(value) => !is(value),
        Test::In(values) => values.iter().any(is),
        Test::NotIn(values) => !values.iter().any(is),
        Test::Exists => true,
        other => part(&id.to_lowercase(), other),
    }
}

fn many(values: &[String], test: &ManyTest) -> bool {
    let has = |wanted: &Value| values.iter().any(|v| same(&Value::Text(v.clone()), wanted));
    match test {
        ManyTest::Includes(value) => has(value),
        ManyTest::IncludesAny(wanted) => wanted.iter().any(has),
        ManyTest::IncludesAll(wanted) => wanted.iter().all(has),
        ManyTest::Excludes(value) => !has(value),
        ManyTest::CountAtLeast(count) => values.len() >= usize::try_from(*count).unwrap(),
        ManyTest::Exists => !values.is_empty(),
        ManyTest::Missing => values.is_empty(),
    }
}
