//! Owns definitions as JSON: written as a YAML document of the language, and read back from it.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value as Json};

use super::node::{Node, Value};
use super::parse;
use crate::domain::definition::DefinitionKind;

/// What a YAML text does not say plainly.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// The YAML document that defines something of this kind and name; `body` has the keys of the language.
pub fn document(kind: DefinitionKind, name: &str, body: &Map<String, Json>) -> String {
    let mut text = String::new();
    match kind {
        DefinitionKind::Field | DefinitionKind::Tag => {
            let map = group(kind);
            let _ = write!(text, "customers:\n  {map}:\n    {}:", scalar(name));
            if body.is_empty() {
                text.push_str(" {}\n");
            } else {
                text.push('\n');
                entries(&mut text, body, 6);
            }
        }
        DefinitionKind::Segment | DefinitionKind::SmartList => {
            let _ = writeln!(text, "{}: {}", kind.as_str(), scalar(name));
            entries(&mut text, body, 0);
        }
    }
    text
}

/// What [`document`] was made from; empty where it is none.
pub fn body(kind: DefinitionKind, name: &str, document: &str) -> Map<String, Json> {
    let read = value(document).unwrap_or_default();
    let found = match kind {
        DefinitionKind::Field | DefinitionKind::Tag => read
            .get("customers")
            .and_then(|model| model.get(group(kind))?.get(name)),
        DefinitionKind::Segment | DefinitionKind::SmartList => Some(&read),
    };
    let mut body = found.and_then(Json::as_object).cloned().unwrap_or_default();
    if matches!(kind, DefinitionKind::Segment | DefinitionKind::SmartList) {
        body.shift_remove(kind.as_str());
    }
    body
}

/// A YAML text as JSON; the error says what is wrong with it.
pub fn value(text: &str) -> Result<Json, String> {
    let mut wrong = None;
    let documents = parse::parse(0, text.as_bytes(), &mut |finding| {
        wrong.get_or_insert(finding.message);
    });
    match (wrong, documents.as_slice()) {
        (Some(message), _) => Err(message),
        (None, [document]) => Ok(json(document)),
        (None, _) => Err("one value is needed".to_owned()),
    }
}

/// Where, in the body of a definition, a place of its document is: a JSON pointer (RFC 6901).
pub(super) fn pointer(kind: DefinitionKind, name: &str, place: &[String]) -> String {
    let inside: &[String] = match kind {
        DefinitionKind::Field | DefinitionKind::Tag => {
            let head = ["customers", group(kind), name];
            let is_inside = place.len() > head.len() && place.iter().zip(head).all(|(a, b)| a == b);
            if is_inside { &place[head.len()..] } else { &[] }
        }
        DefinitionKind::Segment | DefinitionKind::SmartList => place,
    };
    let escaped = |step: &String| format!("/{}", step.replace('~', "~0").replace('/', "~1"));
    inside.iter().map(escaped).collect()
}

fn group(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Tag => "tags",
        _ => "fields",
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Nothing => Json::Null,
        Value::Scalar { text, plain } => plain_value(text, *plain),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let key = |node: &Node| node.text().unwrap_or_default().to_owned();
            let entries = entries.iter().map(|(name, value)| (key(name), json(value)));
            Json::Object(entries.collect())
        }
    }
}

fn plain_value(text: &str, plain: bool) -> Json {
    match text {
        "true" if plain => Json::Bool(true),
        "false" if plain => Json::Bool(false),
        _ => {
            let number = plain.then(|| serde_json::from_str::<Number>(text).ok());
            let number = number.flatten().map(Json::Number);
            number.unwrap_or_else(|| Json::String(text.to_owned()))
        }
    }
}

fn entries(text: &mut String, map: &Map<String, Json>, indent: usize) {
    for (key, value) in map {
        let _ = write!(text, "{:indent$}{}:", "", scalar(key));
        below(text, value, indent);
    }
}

/// What stands after a key or a dash: on its line, or below it.
fn below(text: &mut String, value: &Json, indent: usize) {
    match value {
        Json::Object(map) if !is_short(value) => {
            text.push('\n');
            entries(text, map, indent + 2);
        }
        Json::Array(items) if !is_short(value) => {
            text.push('\n');
            for item in items {
                let _ = write!(text, "{:1$}-", "", indent + 2);
                below(text, item, indent + 2);
            }
        }
        value => drop(writeln!(text, " {}", flow(value))),
    }
}

fn is_scalar(value: &Json) -> bool {
    !value.is_object() && !value.is_array()
}

/// Whether it is readable on one line.
fn is_short(value: &Json) -> bool {
    let is_plain = |value: &Json| match value {
        Json::Array(items) => items.iter().all(is_scalar),
        Json::Object(map) => map.values().all(is_scalar),
        _ => true,
    };
    match value {
        Json::Object(map) => map.values().all(is_plain) && map.len() <= 6,
        other => is_plain(other),
    }
}

fn flow(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => scalar(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let entry =
                |(key, value): (&String, &Json)| format!("{}: {}", scalar(key), flow(value));
            let entries: Vec<String> = map.iter().map(entry).collect();
            if entries.is_empty() {
                return "{}".to_owned();
            }
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text as YAML reads it back: plain where nobody could take it for something else.
fn scalar(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(fits)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_word {
        return text.to_owned();
    }
    let quoted = Json::String(text.to_owned()).to_string();
    let is_hidden = |c: char| {
        c > '\u{7e}' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
    };
    let mut safe = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        if is_hidden(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(value: &Json) -> Map<String, Json> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_field_is_written_as_people_write_it() {
        let body = map(&json!({
            "description": "Instagram Profile",
            "type": "text",
            "validate": [{ "starts-with": "@", "message": "must begin with @" }],
        }));
        let written = document(DefinitionKind::Field, "instagram_profile", &body);
        let expected = "customers:\n  fields:\n    instagram_profile:\n      \
            description: Instagram Profile\n      type: text\n      validate:\n        \
            - { starts-with: \"@\", message: \"must begin with @\" }\n";
        assert_eq!(written, expected);
        assert_eq!(
            super::body(DefinitionKind::Field, "instagram_profile", &written),
            body
        );
    }

    #[test]
    fn a_segment_is_written_as_people_write_it() {
        let body = map(&json!({ "where": { "all": [
            { "field": "city", "in": ["Lyon", "no"] },
            { "not": { "any": [{ "tag": "a: b" }, { "field": "age", "is": 7 }] } },
        ] } }));
        let written = document(DefinitionKind::Segment, "in-lyon", &body);
        let expected = "segment: in-lyon\nwhere:\n  all:\n    - { field: city, in: [Lyon, \"no\"] }\n    \
            -\n      not:\n        any:\n          - { tag: \"a: b\" }\n          - { field: age, is: 7 }\n";
        assert_eq!(written, expected);
        assert_eq!(
            super::body(DefinitionKind::Segment, "in-lyon", &written),
            body
        );
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,12}",
            "[ -~]{0,8}",
            "true|null|0x1f|1_000|~|-|- a|a:|#b|1e3|\u{85}|'|\u{2028}"
        ]
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            texts().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((texts(), inner), 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(name in "\\PC{1,12}", value in values()) {
            let body = map(&json!({ "description": value }));
            for kind in DefinitionKind::ALL {
                let written = document(kind, &name, &body);
                prop_assert_eq!(super::body(kind, &name, &written), body.clone(), "{}", written);
            }
        }
    }
}
