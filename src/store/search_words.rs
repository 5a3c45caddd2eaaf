//! Owns how words are looked for: what an index is asked, and what a text is compared with.

use super::patterns;
use super::segment_frame::Binds;
use crate::domain::search::{Part, Words, grams};

/// Whether the text `s.text` has the words.
pub(super) fn has(words: &Words, binds: &mut Binds) -> String {
    let mut like = |spelling: &String| {
        let pattern = format!("%{}%", patterns::literal(spelling));
        format!("s.text LIKE {} ESCAPE '\\'", binds.text(&pattern))
    };
    let mut part = |part: &Part| any(part.iter().map(&mut like));
    let alternatives = words.alternatives().iter();
    any(alternatives.map(|parts| all(parts.iter().map(&mut part))))
}

/// What FTS5 looks up: all runs of characters of one of the alternatives (sqlite.org/fts5.html, section 3).
pub(super) fn matched(words: &Words) -> String {
    let quoted = |gram: String| format!("\"{}\"", gram.replace('"', "\"\""));
    let spelling = |spelling: &String| all(grams(spelling).into_iter().map(quoted));
    // A short word beside longer ones has no run of its own.
    let is_known = |part: &&Part| part.iter().all(|spelling| !grams(spelling).is_empty());
    let part = |part: &Part| any(part.iter().map(spelling));
    let alternatives = words.alternatives().iter();
    any(alternatives.map(|parts| all(parts.iter().filter(is_known).map(part))))
}

fn any(parts: impl Iterator<Item = String>) -> String {
    joined(parts, " OR ")
}

fn all(parts: impl Iterator<Item = String>) -> String {
    joined(parts, " AND ")
}

fn joined(parts: impl Iterator<Item = String>, word: &str) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", parts.join(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_never_becomes_syntax() {
        let words = Words::of("a\"b OR* 12-345").unwrap();
        assert_eq!(
            matched(&words),
            "(\"a\"\"b\" AND \"or*\" AND (\"12-\" AND \"345\"))"
        );
        let words = Words::of("(12) 345").unwrap();
        assert_eq!(
            matched(&words),
            "(((\"(12\" AND \"12)\") AND \"345\") OR (\"123\" AND \"345\"))"
        );
    }

    #[test]
    fn a_part_is_there_in_any_of_its_spellings() {
        let words = Words::of("ana 1.2.2003 al").unwrap();
        assert_eq!(
            matched(&words),
            "(\"ana\" AND ((\"1.2\" AND \".20\" AND \"003\") OR (\"200\" AND \"3-0\" AND \"2-0\" AND \"-01\")))"
        );
        let mut binds = Binds::from(1);
        assert_eq!(
            has(&Words::of("al").unwrap(), &mut binds),
            r"(s.text LIKE $1 ESCAPE '\' OR s.text LIKE $2 ESCAPE '\')"
        );
    }
}
