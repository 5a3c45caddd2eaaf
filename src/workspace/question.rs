//! Owns reading one condition that stands alone, as a person types it or a program sends it, against a revision.

use serde_json::Value as Json;

use super::diagnostic::{Diagnostic, Finding, Report, Severity};
use super::locate::{located, visible};
use super::node::{Node, Span, Value};
use super::parse::{self, DEEPEST};
use super::resolve;
use super::rules::{condition_mismatch, nul_character, text_cut, unquoted_value};
use super::schema;
use super::shape;
use super::source::Sources;
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;

/// A question is asked at once, and waited for.
const MOST_CONDITIONS: usize = 100;
/// In bytes; SQLite refuses patterns from 50,000 on (sqlite.org/limits.html).
const LONGEST_TEXT: usize = 10_000;

/// Something that is wrong with a condition that was sent as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: a JSON pointer (RFC 6901) into the condition; empty for the whole.
    pub pointer: String,
    /// What, and what to do about it.
    pub message: String,
}

/// Reads a condition in YAML, or in JSON as far as that is YAML.
///
/// # Errors
/// Every mistake, with the line and column in `text`; the file is called `where`.
pub fn condition(text: &str, revision: &Revision) -> Result<Condition, Vec<Diagnostic>> {
    let sources = Sources::of_text("where", text);
    let mut report = Report::default();
    let documents = parse::parse(0, text.as_bytes(), &mut |finding| report.add(finding));
    let read = match documents.as_slice() {
        [document] => {
            let mut add = |finding| report.add(finding);
            unquoted_value::check(document, &mut add);
            text_cut::check(document, text, &mut add);
            read(document, revision, &sources, &mut report)
        }
        _ if report.has_errors() => None,
        _ => {
            let message = "one condition is expected, such as `{ tag: vip }`";
            report.add(condition_mismatch::finding(Span::default(), message));
            None
        }
    };
    let is_right = !report.has_errors();
    if let Some(condition) = read.filter(|_| is_right) {
        return Ok(condition);
    }
    let mut wrong = located(&sources, report);
    wrong.retain(|one| one.severity == Severity::Error);
    Err(wrong)
}

/// Reads a condition in JSON.
///
/// # Errors
/// Every mistake, with its place.
pub fn condition_of_json(json: &Json, revision: &Revision) -> Result<Condition, Vec<Mistake>> {
    let mut tree = Tree::default();
    let mut report = Report::default();
    let Some(document) = tree.node(json, "", 0) else {
        let message = format!("is nested too deeply: at most {DEEPEST} levels");
        return Err(vec![Mistake {
            pointer: String::new(),
            message,
        }]);
    };
    let sources = Sources::of_text("where", "");
    let read = read(&document, revision, &sources, &mut report);
    let is_right = !report.has_errors();
    match read.filter(|_| is_right) {
        Some(condition) => Ok(condition),
        None => Err(tree.mistakes(report)),
    }
}

fn read(
    document: &Node,
    revision: &Revision,
    sources: &Sources,
    report: &mut Report,
) -> Option<Condition> {
    nul_character::check(document, &mut |finding| report.add(finding));
    document.walk(&mut |node| report.findings.extend(too_long(node)));
    if report.has_errors() {
        return None;
    }
    let schema = schema::of_condition();
    let checked = shape::condition(document, schema, &mut |finding| report.add(finding))?;
    let condition = resolve::condition(&checked, revision, sources, report)?;
    let mut count = 0;
    condition.walk(&mut |_| count += 1);
    if count > MOST_CONDITIONS {
        let message = format!("{count} conditions are too many at once: at most {MOST_CONDITIONS}");
        report.add(condition_mismatch::finding(document.span, message));
        return None;
    }
    Some(condition)
}

fn too_long(node: &Node) -> Option<Finding> {
    let text = node.text().filter(|text| text.len() > LONGEST_TEXT)?;
    let message = format!("the text has {} bytes: at most {LONGEST_TEXT}", text.len());
    Some(condition_mismatch::finding(node.span, message))
}

/// A tree whose places are the numbers of its values, each with its pointer.
#[derive(Default)]
struct Tree {
    pointers: Vec<String>,
}

impl Tree {
    fn node(&mut self, json: &Json, pointer: &str, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let span = self.span(pointer);
        let value = match json {
            Json::Null => Value::Nothing,
            Json::Bool(_) | Json::Number(_) => scalar(&json.to_string(), true),
            Json::String(text) => scalar(text, false),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                let items = items
                    .map(|(place, item)| self.node(item, &format!("{pointer}/{place}"), depth + 1));
                Value::List(items.collect::<Option<_>>()?)
            }
            Json::Object(map) => {
                let mut entries = Vec::new();
                for (key, value) in map {
                    let escaped = key.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{pointer}/{escaped}");
                    let name = Node {
                        span: self.span(&pointer),
                        value: scalar(key, false),
                    };
                    entries.push((name, self.node(value, &pointer, depth + 1)?));
                }
                Value::Map(entries)
            }
        };
        Some(Node { span, value })
    }

    fn span(&mut self, pointer: &str) -> Span {
        let place = u32::try_from(self.pointers.len()).unwrap_or(u32::MAX);
        self.pointers.push(pointer.to_owned());
        Span {
            file: 0,
            start: place,
            end: place,
        }
    }

    fn mistakes(&self, report: Report) -> Vec<Mistake> {
        let errors = report.findings.into_iter();
        let errors = errors.filter(|finding| finding.severity == Severity::Error);
        let mistake = |finding: Finding| {
            let place = usize::try_from(finding.span.start).ok();
            let pointer = place.and_then(|place| self.pointers.get(place));
            let help = finding.help.map(|help| format!(" ({help})"));
            Mistake {
                pointer: pointer.cloned().unwrap_or_default(),
                message: visible(&(finding.message + &help.unwrap_or_default())),
            }
        };
        let mut mistakes: Vec<Mistake> = errors.map(mistake).collect();
        mistakes.dedup();
        mistakes
    }
}

fn scalar(text: &str, plain: bool) -> Value {
    Value::Scalar {
        text: text.to_owned(),
        plain,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::domain::field::{DataModel, built_in_fields};
    use crate::domain::segment::{DateTest, Moment, Segment};

    fn revision() -> Revision {
        let vip = Segment {
            id: "vips".to_owned(),
            description: None,
            condition: Condition::Tag("vip".to_owned()),
        };
        Revision {
            data_model: DataModel {
                fields: built_in_fields(),
                ..DataModel::default()
            },
            segments: [("vips".to_owned(), vip)].into(),
            ..Revision::default()
        }
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = "all:\n  - { segment: vips }\n  - field: city\n    starts-with: San\n";
        let json = json!({"all": [{"segment": "vips"}, {"field": "city", "starts-with": "San"}]});
        let read = condition(yaml, &revision()).unwrap();
        assert_eq!(condition_of_json(&json, &revision()).unwrap(), read);
        assert_eq!(condition(&json.to_string(), &revision()).unwrap(), read);
    }

    #[rstest]
    #[case(json!("2026-01-31"))]
    #[case(json!("31.01.2026"))]
    #[case(json!("31.1.2026"))]
    fn a_day_is_written_in_either_way(#[case] day: Json) {
        let json = json!({"last-activity": {"before": day}});
        let expected = Condition::Moment {
            moment: Moment::LastActivity,
            test: DateTest::Before(date(2026, 1, 31)),
        };
        assert_eq!(condition_of_json(&json, &revision()), Ok(expected));
    }

    #[rstest]
    #[case(json!({"all": [{"tag": "vip"}, {"field": "citty", "is": "x"}]}), "/all/1/field", "did you mean `city`?")]
    #[case(json!({"segment": "vipz"}), "/segment", "vips")]
    #[case(json!({"tag": 5, "rating": "old"}), "/rating", "old")]
    #[case(json!({"not": {"field": "city", "startswith": "x"}}), "/not/startswith", "starts-with")]
    #[case(json!({"created": {"on": "32.01.2026"}}), "/created/on", "not a date")]
    #[case(json!({"field": "city", "is": "a\u{0}"}), "/is", "NUL")]
    #[case(json!({"list": {"file": "x"}}), "/list", "")]
    #[case(json!([]), "", "")]
    #[case(json!("x"), "", "")]
    #[case(Json::Null, "", "")]
    #[case(json!({}), "", "asks nothing")]
    fn a_mistake_has_its_place(#[case] json: Json, #[case] pointer: &str, #[case] told: &str) {
        let mistakes = condition_of_json(&json, &revision()).unwrap_err();
        assert_eq!(mistakes[0].pointer, pointer, "{mistakes:?}");
        assert!(mistakes[0].message.contains(told), "{mistakes:?}");
    }

    #[test]
    fn a_mistake_in_yaml_has_its_line() {
        let wrong = condition(
            "any:\n  - { tag: vip }\n  - { segment: vipz }\n",
            &revision(),
        );
        let wrong = wrong.unwrap_err();
        assert_eq!((wrong[0].line, wrong[0].column), (3, 16), "{wrong:?}");
        for text in ["", "a: [", "{ tag: a }\n---\n{ tag: b }", "zip: 04400"] {
            assert!(condition(text, &revision()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_question_has_bounds() {
        let many = vec![json!({"tag": "a"}); 100];
        let deep = (0..40).fold(json!({"tag": "a"}), |inner, _| json!({ "not": inner }));
        let long = json!({"field": "city", "contains": "x".repeat(10_001)});
        for json in [json!({ "any": many }), deep, long] {
            assert_eq!(condition_of_json(&json, &revision()).unwrap_err().len(), 1);
        }
    }
}
