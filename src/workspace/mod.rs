//! Owns the way from YAML files to a revision; nothing past it has seen YAML.

mod deserialize;
mod diagnostic;
mod document;
mod documents;
mod git;
mod locate;
mod markup;
mod names;
mod node;
mod parse;
mod question;
pub mod render;
mod resolve;
mod rules;
mod schema;
mod shape;
mod source;
mod spanned;
mod watch;
mod written;

use std::collections::BTreeSet;

use secrecy::SecretString;

pub use self::diagnostic::{Diagnostic, Severity};
pub use self::document::Kind;
pub use self::question::{Mistake, condition, condition_of_json};
pub use self::rules::pages as rule_pages;
pub use self::source::{Sources, load};
pub use self::watch::Watch;
pub use self::written::{body, document, value};

use self::diagnostic::{Finding, Report};
use self::documents::{Documents, kind_of};
use self::locate::located;
use self::names::Names;
use self::node::{Node, Span};
use self::resolve::Resolved;
use self::rules::{
    bad_value, duplicate_id, file_too_large, file_wins, not_utf_8, nul_character, secret_in_flows,
    segment_circle, text_cut, unquoted_value,
};
use self::source::SourceFile;
use crate::domain::daemon_settings::DaemonSettings;
use crate::domain::definition::DefinitionKind;
use crate::domain::gateway::Secretive;
use crate::domain::revision::Revision;
use crate::domain::scenario::Scenario;

/// What the files say, and everything that is wrong with them.
#[derive(Debug, Clone)]
pub struct Checked {
    /// None exactly when there is an error.
    pub revision: Option<Revision>,
    /// The defaults where the settings cannot be read.
    pub settings: DaemonSettings,
    /// The workspace's own tests, those without mistakes.
    pub scenarios: Vec<Scenario>,
    /// Sorted by file, line and column.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// The JSON Schema (2020-12) of a kind of document, by its first key.
pub fn schema(kind: &str) -> Option<serde_json::Value> {
    Kind::parse(kind).map(|kind| schema::of(kind).clone())
}

/// Checks all files in one pass: every mistake of every file is reported.
pub fn check(sources: &Sources) -> Checked {
    check_with(sources, &|_| None)
}

/// The same without the workspace's own tests: of files that a test has edited they may be wrong.
pub fn check_flows(sources: &Sources) -> Checked {
    check_some(sources, &|_| None, &|kind| kind != Kind::Test)
}

/// The same where the values of some references are known: what they stand for is checked, too.
pub fn check_with(
    sources: &Sources,
    reveal: &dyn Fn(&Secretive) -> Option<SecretString>,
) -> Checked {
    check_some(sources, reveal, &|_| true)
}

fn check_some(
    sources: &Sources,
    reveal: &dyn Fn(&Secretive) -> Option<SecretString>,
    takes_part: &dyn Fn(Kind) -> bool,
) -> Checked {
    let mut report = Report::default();
    let mut documents = Documents::default();
    let (mut made, mut of_files) = (BTreeSet::new(), 0);
    for (number, file) in sources.all() {
        // What is in the store comes after all files.
        if let Some((kind, name)) = &file.made {
            if let Some(span) = file_wins::namesake(&documents.written[..of_files], *kind, name) {
                report.add(file_wins::finding(beginning(number), *kind, name, span));
                continue;
            }
            made.insert((*kind, name.clone()));
        }
        let read = read(number, file, &mut report).into_iter();
        for document in read.filter(|document| kind_of(document).is_none_or(takes_part)) {
            documents.add(document, &mut |finding| report.add(finding));
        }
        if file.made.is_none() {
            of_files = documents.written.len();
        }
    }
    let names = Names::of(&documents.written);
    duplicate_id::check(&documents.written, &mut |finding| report.add(finding));
    segment_circle::check(&documents.written, &mut |finding| report.add(finding));
    let Resolved {
        mut revision,
        settings,
        scenarios,
    } = resolve::resolve(sources, &documents, &names, reveal, &mut report);
    revision.made = made;
    let has_errors = report.has_errors();
    Checked {
        revision: (!has_errors).then_some(revision),
        settings,
        scenarios,
        diagnostics: located(sources, report),
    }
}

fn beginning(file: u32) -> Span {
    Span {
        file,
        start: 0,
        end: 0,
    }
}

/// The file that defines something, if one does.
pub fn defining_file(sources: &Sources, kind: DefinitionKind, name: &str) -> Option<String> {
    let files = sources
        .all()
        .filter(|(_, file)| file.made.is_none() && file.is_yaml());
    let mut documents = files.flat_map(|(number, file)| {
        let nodes = parse::parse(number, &file.bytes, &mut |_| {});
        nodes
            .into_iter()
            .filter_map(|node| Some((kind_of(&node)?, node)))
    });
    let span = documents.find_map(|document| file_wins::namesake(&[document], kind, name))?;
    sources.file(span.file).map(|file| file.name.clone())
}

/// Where in the body of a definition in the store a diagnostic is: its kind, its name, a JSON pointer.
pub fn pointer(
    sources: &Sources,
    diagnostic: &Diagnostic,
) -> Option<(DefinitionKind, String, String)> {
    let file = sources.file(diagnostic.span.file)?;
    let (kind, name) = file.made.clone()?;
    let documents = parse::parse(diagnostic.span.file, &file.bytes, &mut |_| {});
    let place = documents
        .first()
        .map(|document| document.place_of(diagnostic.span));
    let pointer = written::pointer(kind, &name, &place.unwrap_or_default());
    Some((kind, name, pointer))
}

/// The documents of a YAML file, with what can be said of their scalars; none for a template.
fn read(number: u32, file: &SourceFile, report: &mut Report) -> Vec<Node> {
    let mut add = |finding| report.add(finding);
    let start = beginning(number);
    if file.is_too_large() {
        add(file_too_large::finding(start, file.size));
        return Vec::new();
    }
    if !file.is_yaml() {
        template(number, file, &mut add);
        return Vec::new();
    }
    let documents = parse::parse(number, &file.bytes, &mut add);
    let text = std::str::from_utf8(&file.bytes).unwrap_or_default();
    for document in &documents {
        nul_character::check(document, &mut add);
        unquoted_value::check(document, &mut add);
        text_cut::check(document, text, &mut add);
        let is_of_it = kind_of(document).is_some_and(Kind::is_of_it);
        if is_of_it && !file.is_under_flows() {
            bad_value::references(document, &mut add);
        } else {
            secret_in_flows::check(document, &mut add);
        }
    }
    documents
}

fn template(number: u32, file: &SourceFile, report: &mut impl FnMut(Finding)) {
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => secret_in_flows::check_template(number, text, report),
        Err(error) => {
            let offset = u32::try_from(error.valid_up_to()).unwrap_or_default();
            report(not_utf_8::finding(Span {
                file: number,
                start: offset,
                end: offset,
            }));
        }
    }
}
