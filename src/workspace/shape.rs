//! Owns holding a document to its schema: every unknown key, wrong type, missing key and bad value.
//!
//! What is wrong is reported and left out, so that the rest is still checked for its meaning.

use serde_json::{Map, Value as Json};

use super::diagnostic::Finding;
use super::document::Kind;
use super::document::leaf::{self, FORM};
use super::node::{Node, Value};
use super::rules::{
    bad_duration, bad_value, boolean, forbidden_action, lead_generation, missing_key,
    not_supported_yet, unknown_key, unknown_zone, unquoted_value, wrong_type,
};
use super::spanned::LATER;

/// Returns the document without its mistakes, or none when nothing useful is left.
pub(crate) fn check(
    document: &Node,
    kind: Kind,
    schema: &Json,
    report: &mut dyn FnMut(Finding),
) -> Option<Node> {
    let mut checker = Checker {
        kind,
        root: schema,
        report,
    };
    checker.node(document, schema, kind.as_str())
}

/// The same for a condition that stands alone.
pub(crate) fn condition(
    document: &Node,
    schema: &Json,
    report: &mut dyn FnMut(Finding),
) -> Option<Node> {
    let mut checker = Checker {
        kind: Kind::Segment,
        root: schema,
        report,
    };
    checker.node(document, schema, "where")
}

/// The key in a schema of a map that means something else when a part of it is left out.
pub(crate) const WHOLE: &str = "x-whole";

struct Checker<'a> {
    kind: Kind,
    root: &'a Json,
    report: &'a mut dyn FnMut(Finding),
}

impl<'a> Checker<'a> {
    /// `key` is the key that the value stands under.
    fn node(&mut self, node: &Node, schema: &'a Json, key: &str) -> Option<Node> {
        let schema = self.resolve(schema);
        if schema.get(LATER).is_some() {
            return self.refuse(not_supported_yet::finding(node.span, key));
        }
        let schema = match schema.get("anyOf").and_then(Json::as_array) {
            Some(branches) => match self.branch(node, branches) {
                Some(branch) => branch,
                None => return self.refuse(self.mismatch(node, branches, key)),
            },
            None => schema,
        };
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            return self.word(node, words, key);
        }
        if !fits(node, schema) {
            return self.refuse(self.mismatch(node, std::slice::from_ref(schema), key));
        }
        match &node.value {
            Value::Nothing => Some(node.clone()),
            Value::Scalar { text, .. } => self.scalar(node, text, schema, key),
            Value::List(items) => self.list(node, items, schema, key),
            Value::Map(_) => self.map(node, schema, key),
        }
    }

    fn refuse<T>(&mut self, finding: Finding) -> Option<T> {
        (self.report)(finding);
        None
    }

    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let Some(reference) = schema.get("$ref").and_then(Json::as_str) else {
            return schema;
        };
        let pointer = reference.trim_start_matches('#');
        self.root.pointer(pointer).unwrap_or(schema)
    }

    fn branch(&self, node: &Node, branches: &'a [Json]) -> Option<&'a Json> {
        branches
            .iter()
            .map(|branch| self.resolve(branch))
            .find(|branch| fits(node, branch))
    }

    fn mismatch(&self, node: &Node, branches: &[Json], key: &str) -> Finding {
        let kinds: Vec<&str> = branches
            .iter()
            .flat_map(|branch| {
                let branch = self.root_of(branch);
                kinds(branch).into_iter().map(named)
            })
            .collect();
        if kinds == [named("boolean")]
            && let Some(text) = node.text()
        {
            return boolean::finding(node.span, &quoted(key), text);
        }
        wrong_type::finding(node, &quoted(key), &kinds.join(" or "))
    }

    fn root_of<'b>(&'b self, schema: &'b Json) -> &'b Json {
        let reference = schema.get("$ref").and_then(Json::as_str);
        reference
            .and_then(|reference| self.root.pointer(reference.trim_start_matches('#')))
            .unwrap_or(schema)
    }

    fn word(&mut self, node: &Node, words: &[Json], key: &str) -> Option<Node> {
        let Some(text) = node.text() else {
            return self.refuse(wrong_type::finding(node, &quoted(key), "a word"));
        };
        if words.iter().any(|word| word == text) {
            return Some(node.clone());
        }
        let known = words.iter().filter_map(Json::as_str);
        self.refuse(bad_value::word(node.span, &quoted(key), text, known))
    }

    fn scalar(&mut self, node: &Node, text: &str, schema: &Json, key: &str) -> Option<Node> {
        if let Some(form) = schema.get(FORM).and_then(Json::as_str)
            && let Err(message) = leaf::read(form, text)
        {
            if unquoted_value::is_told(node) {
                return None;
            }
            return self.refuse(match form {
                "duration" => bad_duration::finding(node.span, message),
                "zone" => unknown_zone::finding(node.span, message),
                _ => bad_value::finding(node.span, message),
            });
        }
        let bound = |name| schema.get(name).and_then(Json::as_f64);
        let number = text.parse::<f64>().ok().filter(|_| is_number(schema));
        let too_small = number.zip(bound("minimum")).is_some_and(|(n, min)| n < min);
        let too_large = number.zip(bound("maximum")).is_some_and(|(n, max)| n > max);
        if too_small || too_large {
            let message = format!("{} cannot be `{text}`: it is out of range", quoted(key));
            return self.refuse(bad_value::finding(node.span, message));
        }
        Some(node.clone())
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'a Json, key: &str) -> Option<Node> {
        let count = |name| schema.get(name).and_then(Json::as_u64);
        let length = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let too_short = count("minItems").is_some_and(|min| length < min);
        if too_short || count("maxItems").is_some_and(|max| length > max) {
            let message = format!("{} has the wrong number of values", quoted(key));
            return self.refuse(bad_value::finding(node.span, message));
        }
        let Some(each) = schema.get("items") else {
            return Some(node.clone());
        };
        let good: Vec<Node> = items
            .iter()
            .filter_map(|item| self.node(item, each, key))
            .collect();
        if self.resolve(each).get(WHOLE).is_some() && good.len() < items.len() {
            return None;
        }
        Some(Node {
            span: node.span,
            value: Value::List(good),
        })
    }

    fn map(&mut self, node: &Node, schema: &'a Json, key: &str) -> Option<Node> {
        let Some(rest) = schema.get("additionalProperties") else {
            return Some(node.clone());
        };
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let mut good = Vec::new();
        for (name, value) in node.entries() {
            let text = name.text().unwrap_or_default();
            let known = properties.and_then(|properties| properties.get(text));
            let checked = match (known, rest) {
                (Some(known), _) => self.node(value, known, text),
                (None, Json::Bool(false)) => {
                    let keys = properties.unwrap_or(&empty).keys().map(String::as_str);
                    let finding = self.unknown(key, name, keys);
                    self.refuse(finding)
                }
                (None, Json::Bool(true)) => Some(value.clone()),
                (None, each) => self.node(value, each, text),
            };
            good.extend(checked.map(|value| (name.clone(), value)));
        }
        let lost = schema.get(WHOLE).is_some() && good.len() < node.entries().len();
        if !self.is_complete(node, &good, schema, key) || lost {
            return None;
        }
        Some(Node {
            span: node.span,
            value: Value::Map(good),
        })
    }

    fn unknown<'b>(&self, key: &str, name: &Node, known: impl Iterator<Item = &'b str>) -> Finding {
        forbidden_action::as_key(self.kind, name)
            .or_else(|| lead_generation::as_key(self.kind, name))
            .or_else(|| not_supported_yet::gateway(self.kind, key, name))
            .unwrap_or_else(|| unknown_key::finding(name, known))
    }

    fn is_complete(
        &mut self,
        node: &Node,
        good: &[(Node, Node)],
        schema: &Json,
        key: &str,
    ) -> bool {
        let required = schema.get("required").and_then(Json::as_array);
        let mut complete = true;
        for needed in required.into_iter().flatten().filter_map(Json::as_str) {
            if node.get(needed).is_none() {
                (self.report)(missing_key::finding(node, &quoted(key), needed));
            }
            complete &= good.iter().any(|(name, _)| name.text() == Some(needed));
        }
        complete
    }
}

fn quoted(key: &str) -> String {
    format!("`{key}`")
}

fn kinds(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ if schema.get("enum").is_some() => vec!["string"],
        _ => Vec::new(),
    }
}

fn named(kind: &str) -> &'static str {
    match kind {
        "object" => "a map of keys",
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "a text",
    }
}

fn is_number(schema: &Json) -> bool {
    kinds(schema)
        .iter()
        .any(|kind| matches!(*kind, "integer" | "number"))
}

fn fits(node: &Node, schema: &Json) -> bool {
    let kinds = kinds(schema);
    let one_fits = |kind: &&str| match (&node.value, *kind) {
        (Value::Scalar { .. }, "string") => true,
        (Value::Scalar { text, plain: true }, "boolean") => text == "true" || text == "false",
        (Value::Scalar { text, plain: true }, "integer") => text.parse::<i64>().is_ok(),
        (Value::Scalar { text, plain: true }, "number") => {
            text.parse::<f64>().is_ok_and(f64::is_finite)
        }
        (Value::List(_), "array") | (Value::Map(_), "object") => true,
        _ => false,
    };
    kinds.iter().any(one_fits) || (kinds.is_empty() && schema.get("enum").is_none())
}
