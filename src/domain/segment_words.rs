//! Owns a segment's condition in plain words, as the console and `explain` show it.

use super::duration::Delay;
use super::field::DataModel;
use super::nps::NpsTest;
use super::segment::{Condition, DateTest, Did, ManyTest, Moment, Test};
use super::subscription::Scope;
use super::value::Value;

/// One sentence without a full stop, such as `Joined on is within the last 30 days and City starts
/// with “San”`. Fields are called by their descriptions.
pub fn words(condition: &Condition, model: &DataModel) -> String {
    match condition {
        Condition::All(parts) => joined(parts, " and ", "everyone", model),
        Condition::Any(parts) => joined(parts, " or ", "no one", model),
        Condition::Not(part) => format!("not ({})", words(part, model)),
        Condition::Field { field, test } => format!("{} {}", called(field, model), tested(test)),
        Condition::Many { field, test } => format!("{} {}", called(field, model), counted(test)),
        Condition::Tag(tag) => format!("is tagged “{tag}”"),
        Condition::List(list) => format!("is on the list “{list}”"),
        Condition::Segment(segment) => format!("is in the segment “{segment}”"),
        Condition::Rating(rating) => format!("is rated {}", rating.as_str()),
        Condition::Status(status) => format!("has the status {}", status.as_str()),
        Condition::Identified(true) => "is identified".to_owned(),
        Condition::Identified(false) => "is anonymous".to_owned(),
        Condition::Moment { moment, test } => format!("{} {}", moment_named(*moment), dated(test)),
        Condition::Consent { channel, is } => format!("{channel} consent is {}", is.as_str()),
        Condition::Subscribed(scope) => format!("has not unsubscribed from {}", scoped(scope)),
        Condition::Did(did) => done(did),
        Condition::InFlow(flow) => format!("is in the flow “{flow}”"),
        Condition::Nps(test) => answered(*test),
        Condition::Random(share) => format!("is among a random {}", percent(*share)),
    }
}

fn answered(test: NpsTest) -> String {
    match (test.group(), test.least, test.most) {
        (Some(group), _, _) => format!("is a {}", group.as_str()),
        _ if test == NpsTest::ANSWERED => "has a net promoter score".to_owned(),
        (None, NpsTest::LOWEST, most) => format!("has a net promoter score of at most {most}"),
        (None, least, NpsTest::HIGHEST) => format!("has a net promoter score of at least {least}"),
        (None, least, most) if least == most => format!("has a net promoter score of {least}"),
        (None, least, most) => format!("has a net promoter score between {least} and {most}"),
    }
}

fn joined(parts: &[Condition], by: &str, none: &str, model: &DataModel) -> String {
    match parts {
        [] => none.to_owned(),
        [only] => words(only, model),
        _ => {
            let parts: Vec<String> = parts.iter().map(|part| bracketed(part, model)).collect();
            parts.join(by)
        }
    }
}

/// Several conditions inside of several others stand in brackets.
fn bracketed(part: &Condition, model: &DataModel) -> String {
    let words = words(part, model);
    match part {
        Condition::All(parts) | Condition::Any(parts) if parts.len() > 1 => format!("({words})"),
        _ => words,
    }
}

fn called<'a>(field: &'a str, model: &'a DataModel) -> &'a str {
    let known = model.field(field).map(|field| field.description.as_str());
    known.filter(|text| !text.is_empty()).unwrap_or(field)
}

fn tested(test: &Test) -> String {
    match test {
        Test::Is(value) => format!("is {}", quoted(value)),
        Test::IsNot(value) => format!("is not {}", quoted(value)),
        Test::In(values) => format!("is {}", listed(values, "or")),
        Test::NotIn(values) => format!("is neither {}", listed(values, "nor")),
        Test::StartsWith(text) => format!("starts with “{text}”"),
        Test::EndsWith(text) => format!("ends with “{text}”"),
        Test::Contains(text) => format!("contains “{text}”"),
        Test::DoesNotContain(text) => format!("does not contain “{text}”"),
        Test::Matches(pattern) => format!("matches “{pattern}”"),
        Test::LessThan(value) => format!("is less than {}", quoted(value)),
        Test::AtMost(value) => format!("is at most {}", quoted(value)),
        Test::MoreThan(value) => format!("is more than {}", quoted(value)),
        Test::AtLeast(value) => format!("is at least {}", quoted(value)),
        Test::Between(low, high) => format!("is between {} and {}", quoted(low), quoted(high)),
        Test::Date(test) => dated(test),
        Test::Exists => "is known".to_owned(),
        Test::Missing => "is missing".to_owned(),
    }
}

fn dated(test: &DateTest) -> String {
    match test {
        DateTest::Before(day) => format!("is before {day}"),
        DateTest::On(day) => format!("is on {day}"),
        DateTest::After(day) => format!("is after {day}"),
        DateTest::Between(first, last) => format!("is from {first} to {last}"),
        DateTest::WithinLast(delay) => format!("is within the last {}", spelled(*delay)),
        DateTest::OlderThan(delay) => format!("is more than {} ago", spelled(*delay)),
        DateTest::ExactlyAgo(delay) => format!("is exactly {} ago", spelled(*delay)),
        DateTest::WithinNext(delay) => format!("is within the next {}", spelled(*delay)),
        DateTest::Anniversary { within_days: 0 } => "has its anniversary today".to_owned(),
        DateTest::Anniversary { within_days } => {
            let days = plural(i64::from(*within_days), "day");
            format!("has its anniversary within the next {days}")
        }
        DateTest::Exists => "is known".to_owned(),
        DateTest::Missing => "is missing".to_owned(),
    }
}

fn counted(test: &ManyTest) -> String {
    match test {
        ManyTest::Includes(value) => format!("includes {}", quoted(value)),
        ManyTest::IncludesAny(values) => format!("includes {}", listed(values, "or")),
        ManyTest::IncludesAll(values) => format!("includes {}", listed(values, "and")),
        ManyTest::Excludes(value) => format!("does not include {}", quoted(value)),
        ManyTest::CountAtLeast(count) => {
            format!("has at least {}", plural(i64::from(*count), "value"))
        }
        ManyTest::Exists => "has a value".to_owned(),
        ManyTest::Missing => "has no value".to_owned(),
    }
}

fn moment_named(moment: Moment) -> &'static str {
    match moment {
        Moment::Created => "the creation",
        Moment::LastActivity => "the last activity",
        Moment::LastEngagement => "the last engagement",
        Moment::LastTransaction => "the last transaction",
    }
}

fn scoped(scope: &Scope) -> String {
    let named = |kind: &str, name: &Option<String>| {
        name.as_ref().map(|name| format!("the {kind} “{name}”"))
    };
    let parts = [
        named("campaign", &scope.campaign),
        named("category", &scope.category),
        named("group", &scope.group),
        scope
            .channel
            .map(|channel| format!("the channel {channel}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join(" with ")
    }
}

fn done(did: &Did) -> String {
    let named =
        |kind: &str, name: &Option<String>| name.as_ref().map(|name| format!("{kind} “{name}”"));
    let filters = [
        named("campaign", &did.campaign),
        named("flow", &did.flow),
        named("step", &did.step),
        did.channel.map(|channel| format!("channel {channel}")),
    ];
    let filters: Vec<String> = filters.into_iter().flatten().collect();
    let which = match filters.as_slice() {
        [] => String::new(),
        filters => format!(" ({})", filters.join(", ")),
    };
    let often = match did.at_least {
        0 | 1 => String::new(),
        times => format!(" at least {}", plural(i64::from(times), "time")),
    };
    let lately = did
        .within_last
        .map(|delay| format!(" within the last {}", spelled(delay)));
    let kind = did.kind.as_str();
    format!("did {kind}{which}{often}{}", lately.unwrap_or_default())
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("“{text}”"),
        other => other.to_string(),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn listed(values: &[Value], last: &str) -> String {
    let mut words: Vec<String> = values.iter().map(quoted).collect();
    let end = words.pop().unwrap_or_default();
    if words.is_empty() {
        end
    } else {
        format!("{} {last} {end}", words.join(", "))
    }
}

/// `1 month and 12 hours`.
fn spelled(delay: Delay) -> String {
    let seconds = delay.seconds;
    let parts = [
        (i64::from(delay.months), "month"),
        (i64::from(delay.days), "day"),
        (seconds / 3600, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number != 0);
    let words: Vec<String> = parts.map(|(number, unit)| plural(number, unit)).collect();
    if words.is_empty() {
        plural(0, "day")
    } else {
        words.join(" and ")
    }
}

fn plural(number: i64, unit: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{ending}")
}

/// Hundredths of a percent as a percentage without needless zeros.
fn percent(share: u32) -> String {
    let decimals = format!("{}.{:02}", share / 100, share % 100);
    format!("{} %", decimals.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::super::channel::Channel;
    use super::super::interaction::Kind;
    use super::super::rating::Rating;
    use super::super::subscription::Consent;
    use super::*;
    use jiff::civil::date;
    use rstest::rstest;

    fn field(field: &str, test: Test) -> Condition {
        Condition::Field {
            field: field.to_owned(),
            test,
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn within_last(days: i32) -> Test {
        Test::Date(DateTest::WithinLast(Delay::days(days)))
    }

    #[test]
    fn a_whole_segment_reads_as_one_sentence() {
        let many = Condition::Many {
            field: "products".to_owned(),
            test: ManyTest::IncludesAny(vec![text("checking"), text("loan")]),
        };
        let opened = Condition::Did(Did {
            kind: Kind::EmailOpened,
            campaign: Some("gold-card".to_owned()),
            flow: None,
            step: None,
            channel: None,
            within_last: Some(Delay::days(14)),
            at_least: 2,
        });
        let condition = Condition::All(vec![
            field("joined_on", within_last(30)),
            many,
            Condition::Any(vec![
                field("city", Test::StartsWith("San".to_owned())),
                field("zip", Test::In(vec![text("44"), text("45"), text("46")])),
            ]),
            Condition::Not(Box::new(Condition::Tag("staff".to_owned()))),
            Condition::Not(Box::new(opened)),
        ]);
        assert_eq!(
            words(&condition, &DataModel::default()),
            "joined_on is within the last 30 days and products includes “checking” or “loan” \
             and (City starts with “San” or Zip code is “44”, “45” or “46”) \
             and not (is tagged “staff”) \
             and not (did email-opened (campaign “gold-card”) at least 2 times within the last 14 days)"
        );
    }

    #[rstest]
    #[case(Condition::All(Vec::new()), "everyone")]
    #[case(Condition::Any(Vec::new()), "no one")]
    #[case(Condition::Rating(Rating::Dormant), "is rated dormant")]
    #[case(Condition::Identified(false), "is anonymous")]
    #[case(Condition::Random(1000), "is among a random 10 %")]
    #[case(Condition::Random(25), "is among a random 0.25 %")]
    #[case(Condition::Consent { channel: Channel::Sms, is: Consent::OptedIn }, "sms consent is opted-in")]
    #[case(
        Condition::Subscribed(Scope::EVERYTHING),
        "has not unsubscribed from everything"
    )]
    #[case(Condition::Moment { moment: Moment::LastActivity, test: DateTest::OlderThan(Delay { months: 1, days: 0, seconds: 43_200 }) }, "the last activity is more than 1 month and 12 hours ago")]
    #[case(field("born_on", Test::Date(DateTest::Anniversary { within_days: 0 })), "Date of birth has its anniversary today")]
    #[case(
        field(
            "born_on",
            Test::Date(DateTest::Between(date(1990, 1, 1), date(1999, 12, 31)))
        ),
        "Date of birth is from 1990-01-01 to 1999-12-31"
    )]
    #[case(field("born_on", Test::Missing), "Date of birth is missing")]
    #[case(field("id", Test::NotIn(vec![text("a"), text("b")])), "id is neither “a” nor “b”")]
    #[case(
        field("age", Test::Between(Value::Integer(1), Value::Integer(2))),
        "age is between 1 and 2"
    )]
    fn each_condition_has_its_words(#[case] condition: Condition, #[case] expected: &str) {
        assert_eq!(words(&condition, &DataModel::default()), expected);
    }

    #[test]
    fn an_answer_is_told_by_its_group_or_its_bounds() {
        for (least, most, expected) in [
            (9, 10, "is a promoter"),
            (0, 6, "is a detractor"),
            (0, 10, "has a net promoter score"),
            (8, 10, "has a net promoter score of at least 8"),
            (0, 3, "has a net promoter score of at most 3"),
            (5, 5, "has a net promoter score of 5"),
            (3, 5, "has a net promoter score between 3 and 5"),
        ] {
            let condition = Condition::Nps(NpsTest { least, most });
            assert_eq!(words(&condition, &DataModel::default()), expected);
        }
    }

    #[test]
    fn a_scope_names_each_of_its_dimensions() {
        let scope = Scope {
            category: Some("cards".to_owned()),
            channel: Some(Channel::Email),
            ..Scope::default()
        };
        let condition = Condition::Subscribed(scope);
        let expected = "has not unsubscribed from the category “cards” with the channel email";
        assert_eq!(words(&condition, &DataModel::default()), expected);
    }
}
