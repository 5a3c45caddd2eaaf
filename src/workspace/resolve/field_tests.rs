//! Owns reading the tests of fields and moments, each held to the field's type.

use super::context::Context;
use crate::domain::duration::Delay;
use crate::domain::field::{Cardinality, Field, FieldType, ID};
use crate::domain::segment::{Condition, DateTest, ManyTest, Test};
use crate::domain::value::Value;
use crate::workspace::diagnostic::suggestion;
use crate::workspace::document::leaf;
use crate::workspace::node::Node;
use crate::workspace::rules::{condition_mismatch, unknown_field};

const TEXT: [&str; 11] = [
    "is",
    "is-not",
    "in",
    "not-in",
    "starts-with",
    "ends-with",
    "contains",
    "does-not-contain",
    "matches",
    "exists",
    "missing",
];
const NUMBER: [&str; 11] = [
    "is",
    "is-not",
    "in",
    "not-in",
    "less-than",
    "at-most",
    "more-than",
    "at-least",
    "between",
    "exists",
    "missing",
];
const BOOLEAN: [&str; 4] = ["is", "is-not", "exists", "missing"];
const DATE: [&str; 11] = [
    "before",
    "on",
    "after",
    "between",
    "within-last",
    "older-than",
    "exactly-ago",
    "within-next",
    "anniversary",
    "exists",
    "missing",
];
const MANY: [&str; 7] = [
    "includes",
    "includes-any",
    "includes-all",
    "excludes",
    "count-at-least",
    "exists",
    "missing",
];

/// Reads `{ field: NAME, TEST: VALUE }`.
pub(crate) fn field(cx: &Context<'_>, node: &Node, name: &Node) -> Option<Condition> {
    let identifier = name.text()?.to_owned();
    if !cx.holds(unknown_field::check(cx.names, name.span, &identifier)) {
        return None;
    }
    let (kind, many) = match cx.model.field(&identifier) {
        Some(field) => (field.kind, field.cardinality == Cardinality::Many),
        None if identifier == ID => (FieldType::Text, false),
        // Its declaration has a mistake, which is told there.
        None => return None,
    };
    let (key, value) = single_test(cx, node, name)?;
    let test = key.text()?;
    let allowed = if many { &MANY[..] } else { tests_of(kind) };
    if !allowed.contains(&test) {
        let what = if many {
            "a field with many values"
        } else {
            kind.as_str()
        };
        let message = format!("`{test}` does not go with `{identifier}`, which is {what}");
        let help = suggestion(test, "tests", allowed.iter().copied());
        return cx.refuse(condition_mismatch::finding(key.span, message).help(help));
    }
    let typed = Typed {
        cx,
        kind,
        field: cx.model.field(&identifier),
    };
    if many {
        let test = typed.many(test, value)?;
        return Some(Condition::Many {
            field: identifier,
            test,
        });
    }
    let test = match kind {
        FieldType::Date | FieldType::Datetime => Test::Date(date(cx, test, value)?),
        _ => typed.one(test, value)?,
    };
    Some(Condition::Field {
        field: identifier,
        test,
    })
}

/// Reads `created: { TEST: VALUE }` and its like.
pub(crate) fn moment(cx: &Context<'_>, node: &Node) -> Option<DateTest> {
    let [(key, value)] = node.entries() else {
        let message = "one test is needed, such as `{ within-last: 30d }`";
        return cx.refuse(condition_mismatch::finding(node.span, message));
    };
    date(cx, key.text()?, value)
}

fn tests_of(kind: FieldType) -> &'static [&'static str] {
    match kind {
        FieldType::Date | FieldType::Datetime => &DATE,
        FieldType::Boolean => &BOOLEAN,
        FieldType::Integer | FieldType::Number => &NUMBER,
        _ => &TEXT,
    }
}

fn single_test<'a>(cx: &Context<'_>, node: &'a Node, name: &Node) -> Option<&'a (Node, Node)> {
    let mut tests = node
        .entries()
        .iter()
        .filter(|(key, _)| key.text() != Some("field"));
    let Some(test) = tests.next() else {
        let message = format!(
            "what is asked of `{}`? there is no test",
            name.text().unwrap_or_default()
        );
        let finding = condition_mismatch::finding(name.span, message);
        return cx.refuse(finding.help("add one, such as `is:`, `exists: true` or `within-last:`"));
    };
    if let Some((second, _)) = tests.next() {
        let message = "a condition has one test";
        let finding = condition_mismatch::finding(second.span, message);
        return cx.refuse(finding.help("write two conditions under `all:`"));
    }
    Some(test)
}

struct Typed<'a> {
    cx: &'a Context<'a>,
    kind: FieldType,
    field: Option<&'a Field>,
}

impl Typed<'_> {
    fn one(&self, test: &str, node: &Node) -> Option<Test> {
        let text = || node.text().unwrap_or_default().to_owned();
        Some(match test {
            "is" => Test::Is(self.value(node)?),
            "is-not" => Test::IsNot(self.value(node)?),
            "in" => Test::In(self.values(node)?),
            "not-in" => Test::NotIn(self.values(node)?),
            "starts-with" => Test::StartsWith(text()),
            "ends-with" => Test::EndsWith(text()),
            "contains" => Test::Contains(text()),
            "does-not-contain" => Test::DoesNotContain(text()),
            "matches" => Test::Matches(text()),
            "less-than" => Test::LessThan(self.value(node)?),
            "at-most" => Test::AtMost(self.value(node)?),
            "more-than" => Test::MoreThan(self.value(node)?),
            "at-least" => Test::AtLeast(self.value(node)?),
            "between" => {
                let mut ends = self.values(node)?.into_iter();
                Test::Between(ends.next()?, ends.next()?)
            }
            _ if exists(test, node) => Test::Exists,
            _ => Test::Missing,
        })
    }

    fn many(&self, test: &str, node: &Node) -> Option<ManyTest> {
        Some(match test {
            "includes" => ManyTest::Includes(self.value(node)?),
            "includes-any" => ManyTest::IncludesAny(self.values(node)?),
            "includes-all" => ManyTest::IncludesAll(self.values(node)?),
            "excludes" => ManyTest::Excludes(self.value(node)?),
            "count-at-least" => ManyTest::CountAtLeast(node.text()?.parse().ok()?),
            _ if exists(test, node) => ManyTest::Exists,
            _ => ManyTest::Missing,
        })
    }

    fn values(&self, node: &Node) -> Option<Vec<Value>> {
        let read: Vec<Option<Value>> = node.items().iter().map(|item| self.value(item)).collect();
        read.into_iter().collect()
    }

    fn value(&self, node: &Node) -> Option<Value> {
        let text = node.text()?;
        let choices = self
            .field
            .map(|field| field.choices.as_slice())
            .unwrap_or_default();
        let is_choice = self.kind == FieldType::Choice;
        if is_choice && !choices.iter().any(|choice| choice == text) {
            let message = format!("`{text}` is not one of the choices of this field");
            let help = suggestion(text, "choices", choices.iter().map(String::as_str));
            let finding = condition_mismatch::finding(node.span, message).help(help);
            return self.cx.refuse(finding);
        }
        if self.kind == FieldType::Boolean && !matches!(text, "true" | "false") {
            let message = format!("`{text}` is neither `true` nor `false`");
            return self
                .cx
                .refuse(condition_mismatch::finding(node.span, message));
        }
        // A part of an address is compared as text: only a whole one would pass its type's check.
        let kind = if self.kind.is_text() {
            FieldType::Text
        } else {
            self.kind
        };
        match Value::parse(kind, text, &self.cx.zone) {
            Ok(value) => Some(value),
            Err(error) => {
                let finding = condition_mismatch::finding(node.span, error.to_string());
                self.cx.refuse(finding)
            }
        }
    }
}

/// `exists: true` and `missing: false` ask the same.
fn exists(test: &str, node: &Node) -> bool {
    (test == "exists") == (node.text() == Some("true"))
}

fn date(cx: &Context<'_>, test: &str, node: &Node) -> Option<DateTest> {
    let day = |node: &Node| match leaf::day(node.text().unwrap_or_default()) {
        Ok(day) => Some(day),
        Err(message) => cx.refuse(condition_mismatch::finding(node.span, message)),
    };
    let span = |node: &Node| node.text().and_then(|text| text.parse::<Delay>().ok());
    Some(match test {
        "before" => DateTest::Before(day(node)?),
        "on" => DateTest::On(day(node)?),
        "after" => DateTest::After(day(node)?),
        "between" => {
            let [from, until] = node.items() else {
                return None;
            };
            DateTest::Between(day(from)?, day(until)?)
        }
        "within-last" => DateTest::WithinLast(span(node)?),
        "older-than" => DateTest::OlderThan(span(node)?),
        "exactly-ago" => DateTest::ExactlyAgo(span(node)?),
        "within-next" => DateTest::WithinNext(span(node)?),
        "anniversary" => DateTest::Anniversary {
            within_days: anniversary(cx, node)?,
        },
        _ if exists(test, node) => DateTest::Exists,
        _ => DateTest::Missing,
    })
}

fn anniversary(cx: &Context<'_>, node: &Node) -> Option<u32> {
    let Some(within) = node.get("within-next") else {
        return Some(0);
    };
    let span: Delay = within.text()?.parse().ok()?;
    let days = u32::try_from(span.days).ok();
    let days = days.filter(|days| span.months == 0 && span.seconds == 0 && *days <= 366);
    if days.is_none() {
        let message = "an anniversary is counted in days, at most 366, such as `7d`";
        cx.add(condition_mismatch::finding(within.span, message));
    }
    days
}
