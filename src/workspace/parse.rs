//! Owns turning the bytes of a YAML file into trees with spans; the only file that names the YAML crate.
//!
//! YAML 1.2 (<https://yaml.org/spec/1.2.2/>) without anchors, aliases and merge keys.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_yaml::{Error, Location, Options, Spanned};

use super::diagnostic::Finding;
use super::node::{Node, Span, Value};
use super::rules::{
    alias, document_too_complex, duplicate_key, not_utf_8, tab_indentation, unquoted_template,
    yaml_syntax,
};

/// The deepest nesting and the most values that a file may hold.
pub(crate) const DEEPEST: usize = 32;
const MOST_VALUES: usize = 20_000;

/// Reads every document of a file; a file that is not YAML gives one finding and no document.
pub(crate) fn parse(file: u32, bytes: &[u8], report: &mut impl FnMut(Finding)) -> Vec<Node> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            report(not_utf_8::finding(place(file, error.valid_up_to(), 0)));
            return Vec::new();
        }
    };
    match serde_yaml::from_multiple_with_options::<Spanned<Raw>>(text, options()) {
        Ok(documents) => {
            let mut reader = Reader { file, text, report };
            documents.into_iter().map(|raw| reader.node(raw)).collect()
        }
        Err(error) => {
            report(refused(file, text, error.without_snippet()));
            Vec::new()
        }
    }
}

fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_depth: DEEPEST,
            max_nodes: MOST_VALUES,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
    }
}

/// What the YAML crate hands over, before plain scalars get their text back.
enum Raw {
    Nothing,
    /// A text, or none when the crate read a boolean or a number.
    Scalar(Option<String>),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Some(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<Raw>, Spanned<Raw>>()? {
            if !matches!(key.value, Raw::Scalar(_)) {
                return Err(A::Error::custom("a key must be a plain word"));
            }
            entries.push((key, value));
        }
        Ok(Raw::Map(entries))
    }
}

struct Reader<'a, R> {
    file: u32,
    text: &'a str,
    report: &'a mut R,
}

impl<R: FnMut(Finding)> Reader<'_, R> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let mut span = span_of(self.file, self.text, &raw.referenced);
        let value = match raw.value {
            Raw::Nothing => Value::Nothing,
            Raw::Scalar(text) => self.scalar(span, text),
            Raw::List(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            Raw::Map(entries) => Value::Map(self.entries(entries)),
        };
        span.end = span.end.max(end_of(&value));
        Node { span, value }
    }

    fn scalar(&self, span: Span, text: Option<String>) -> Value {
        let written = slice(self.text, span);
        let plain = !written.starts_with(['"', '\'']) && !is_block(self.text, span);
        Value::Scalar {
            text: text.unwrap_or_else(|| written.trim().to_owned()),
            plain,
        }
    }

    fn entries(&mut self, entries: Vec<(Spanned<Raw>, Spanned<Raw>)>) -> Vec<(Node, Node)> {
        let mut read: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
        let mut seen = HashMap::new();
        for (key, value) in entries {
            let (key, value) = (self.node(key), self.node(value));
            let name = key.text().unwrap_or_default().to_owned();
            if let Some(first) = seen.get(&name) {
                (self.report)(duplicate_key::finding(*first, &key));
            } else {
                seen.insert(name, key.span);
                read.push((key, value));
            }
        }
        read
    }
}

/// The span of a block scalar begins with its first line; the `|` or `>` stands before it.
fn is_block(text: &str, span: Span) -> bool {
    let before = &text[..usize::try_from(span.start)
        .unwrap_or_default()
        .min(text.len())];
    let header = before.trim_end_matches([' ', '\n', '\r']);
    let begins_a_line = before[header.len()..].contains('\n');
    let header = header.trim_end_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
    begins_a_line && header.ends_with(['|', '>'])
}

fn end_of(value: &Value) -> u32 {
    match value {
        Value::List(items) => items.last().map_or(0, |item| item.span.end),
        Value::Map(entries) => entries
            .last()
            .map_or(0, |(key, value)| key.span.end.max(value.span.end)),
        _ => 0,
    }
}

fn refused(file: u32, text: &str, error: &Error) -> Finding {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let span = span_of(file, text, &location);
    match error {
        Error::UnknownAnchor { .. }
        | Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        } => return alias::finding(span),
        Error::Budget { .. } => return document_too_complex::finding(span),
        _ => {}
    }
    let message = error.to_string();
    // The scanner has a limit of its own for brackets, and no kind of error for it.
    if message.contains("recursion limit") {
        return document_too_complex::finding(span);
    }
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    // The scanner may stop on the line before the one that it could not read.
    let near = || {
        let lines = text.split_inclusive('\n').enumerate();
        lines.take(line + 1).skip(line.saturating_sub(3))
    };
    if let Some((number, column)) = near()
        .filter_map(|(number, line)| Some((number, tab_in_indentation(line)?)))
        .last()
    {
        return tab_indentation::finding(at_line(file, text, number, column, 1));
    }
    if let Some((number, column)) = near()
        .filter_map(|(number, line)| Some((number, bare_template(line)?)))
        .last()
    {
        return unquoted_template::finding(at_line(file, text, number, column, 2));
    }
    // The place is shown beside the message.
    let what = message
        .lines()
        .next()
        .and_then(|line| line.split(" at line ").next());
    yaml_syntax::finding(span, what.unwrap_or_default())
}

fn tab_in_indentation(line: &str) -> Option<usize> {
    let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
    line[..indentation].find('\t')
}

/// Where a value begins with `{{` and no quote.
fn bare_template(line: &str) -> Option<usize> {
    let found = [": {{", "- {{"].iter().find_map(|start| line.find(start))?;
    Some(found + 2)
}

fn at_line(file: u32, text: &str, number: usize, column: usize, length: usize) -> Span {
    let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
    place(file, start + column, length)
}

fn place(file: u32, start: usize, length: usize) -> Span {
    let offset = |offset: usize| u32::try_from(offset).unwrap_or_default();
    Span {
        file,
        start: offset(start),
        end: offset(start + length),
    }
}

/// The scanner's own errors have a line and a column but no offset.
fn span_of(file: u32, text: &str, location: &Location) -> Span {
    let whole = |number: u64| usize::try_from(number).unwrap_or_default();
    if let Some(start) = location.span().byte_offset().map(whole)
        && start <= text.len()
    {
        let length = location.span().byte_len().map_or(0, whole);
        return place(file, start, length.min(text.len() - start));
    }
    let line = whole(location.line()).saturating_sub(1);
    let column = whole(location.column()).saturating_sub(1);
    let content = text.split('\n').nth(line).unwrap_or_default();
    let bytes = content.chars().take(column).map(char::len_utf8).sum();
    at_line(file, text, line, bytes, 0)
}

fn slice(text: &str, span: Span) -> &str {
    let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
    text.get(whole(span.start)..whole(span.end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Node>, Vec<Finding>) {
        let mut findings = Vec::new();
        let nodes = parse(0, text.as_bytes(), &mut |finding| findings.push(finding));
        (nodes, findings)
    }

    fn written(text: &str, node: &Node) -> String {
        slice(text, node.span).to_owned()
    }

    #[test]
    fn spans_cover_keys_and_values_as_they_are_written() {
        let text = "# á\nflow: ñ-1\nlist:\n  - 04400\n  - \"9:30\"\n  - yes\nmap:\n  a: 1.50\n  b: |\n    text\n    more\n";
        let (nodes, findings) = read(text);
        assert_eq!(findings, []);
        let node = &nodes[0];
        assert_eq!(node.entries()[0].0.text(), Some("flow"));
        assert_eq!(written(text, &node.entries()[0].0), "flow");
        assert_eq!(written(text, &node.entries()[0].1), "ñ-1");
        let list = node.get("list").unwrap();
        assert_eq!(list.items()[0].plain(), Some("04400"));
        assert_eq!(list.items()[1].plain(), None);
        assert_eq!(list.items()[1].text(), Some("9:30"));
        assert_eq!(written(text, &list.items()[1]), "\"9:30\"");
        assert_eq!(list.items()[2].plain(), Some("yes"));
        let map = node.get("map").unwrap();
        assert_eq!(map.get("a").unwrap().plain(), Some("1.50"));
        assert_eq!(map.get("b").unwrap().text(), Some("text\nmore\n"));
        assert_eq!(map.get("b").unwrap().plain(), None);
        assert!(written(text, map).starts_with("a: 1.50"));
    }

    #[test]
    fn what_is_not_accepted_has_a_code_and_a_line() {
        for (text, code, line) in [
            ("a: [1\nb: 2\n", "yaml-syntax", 1),
            ("a:\n\tb: 1\n", "tab-indentation", 2),
            ("a: &x 1\n", "alias", 1),
            ("a: 1\nb: *x\n", "alias", 2),
            ("a: 1\na: 2\n", "duplicate-key", 2),
            ("a: {{ b }}\n", "unquoted-template", 1),
            ("a: {{ b }}, hello\nc: 1\n", "unquoted-template", 1),
        ] {
            let (_, findings) = read(text);
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
            assert_eq!(findings[0].code, code, "{text}: {findings:?}");
            let start = usize::try_from(findings[0].span.start).unwrap();
            assert!(
                text[..start].matches('\n').count() + 1 >= line,
                "{text}: {findings:?}"
            );
        }
    }

    #[test]
    fn absurd_nesting_is_refused_without_reading_it_all() {
        let (_, findings) = read(&"[".repeat(200_000));
        assert_eq!(findings[0].code, "document-too-complex");
        let (_, findings) = read(&"- ".repeat(100_000));
        assert_eq!(findings[0].code, "document-too-complex");
        let (_, findings) = read(&"{a: ".repeat(50_000));
        assert_eq!(findings[0].code, "document-too-complex");
    }
}
