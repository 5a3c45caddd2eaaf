//! Owns reading the source as the machine needs it: without comments and texts, and path by path.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/`.
pub(super) struct Source {
    /// Such as `engine/claim.rs`.
    pub(super) name: String,
    pub(super) text: String,
    /// Without comments and texts, so that only what the compiler reads is looked at.
    pub(super) code: String,
}

impl Source {
    pub(super) fn room(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The path of the module: `engine/claim.rs` is `engine`, `claim`.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self.name.strip_suffix(".rs").unwrap_or(&self.name);
        let path = path.strip_suffix("/mod").unwrap_or(path);
        path.split('/').collect()
    }
}

pub(super) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            Source {
                name: path.strip_prefix(&root).unwrap().display().to_string(),
                code: code(&text),
                text,
            }
        })
        .collect();
    assert!(sources.len() > 50, "the sources are there");
    sources
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// Leaves comments and texts out.
pub(super) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = skip(rest, &code);
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// How long the comment or text is that begins here; 0: none does.
fn skip(rest: &str, before: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
        return rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
    }
    let in_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let hashes = rest
        .strip_prefix('r')
        .map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if !in_word && rest.starts_with('r') && rest[1 + hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let from = 2 + hashes;
        return rest[from..]
            .find(&end)
            .map_or(rest.len(), |at| from + at + end.len());
    }
    if !rest.starts_with('"') {
        return 0;
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}

/// Every path that begins with one of these words, as written, with groups taken apart.
pub(super) fn paths(code: &str, starts: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in starts {
        let sought = format!("{start}::");
        for (at, _) in code.match_indices(&sought) {
            let before = &code[..at];
            let is_inner = before.ends_with("::")
                || before.ends_with("(in ")
                || before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if !is_inner {
                let begun = vec![(*start).to_owned()];
                read(&code[at + start.len()..], begun, &mut found);
            }
        }
    }
    found
}

/// Reads `::a::{b, c::d}` and gives every path in it; how much of the code it was.
fn read(code: &str, begun: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let (mut at, mut path) = (0, begun);
    while let Some(rest) = code[at..].strip_prefix("::") {
        at += 2;
        if rest.starts_with('{') {
            return at + group(rest, &path, found);
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        path.push(rest[..end].to_owned());
        at += end;
    }
    found.push(path);
    at
}

fn group(code: &str, path: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 1;
    while let Some(next) = code[at..].chars().next() {
        match next {
            '}' => return at + 1,
            c if c.is_alphanumeric() || c == '_' => {
                let end = code[at..]
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(code.len() - at);
                let mut inner = path.to_vec();
                inner.push(code[at..at + end].to_owned());
                at += end;
                at += read(&code[at..], inner, found);
            }
            c => at += c.len_utf8(),
        }
    }
    at
}
