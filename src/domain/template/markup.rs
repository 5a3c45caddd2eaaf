//! Owns where in HTML a value stands, and what a customer's text could do there.

/// Whether the value at `start` is written inside of a tag and outside of quotes, where a
/// customer's text could add attributes of its own.
pub(super) fn is_unquoted(source: &str, start: usize) -> bool {
    matches!(place(source, start), Place::Tag)
}

/// Whether the value at `start` is the beginning of a link's target, where a customer's text could
/// name another scheme than https, such as `javascript:`.
pub(super) fn begins_link(source: &str, start: usize) -> bool {
    let Place::Quotes(attribute) = place(source, start) else {
        return false;
    };
    let name = attribute.trim_end().trim_end_matches('=').trim_end();
    ["href", "src", "action", "background"].iter().any(|link| {
        let from = name.len().saturating_sub(link.len());
        name.get(from..)
            .is_some_and(|end| end.eq_ignore_ascii_case(link))
    })
}

enum Place<'a> {
    Text,
    /// Inside of a tag, outside of quotes.
    Tag,
    /// At the very beginning of a quoted value; the tag up to its quote.
    Quotes(&'a str),
    /// Further on in a quoted value.
    Value,
}

fn place(source: &str, start: usize) -> Place<'_> {
    let before = source[..start].trim_end_matches(['{', '-', '+', ' ']);
    // A `<` in a quoted value is rare, and then only a problem is missed.
    let Some(tag) = before.rfind('<').map(|tag| &before[tag + 1..]) else {
        return Place::Text;
    };
    if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Place::Text;
    }
    let mut open: Option<(usize, char)> = None;
    for (at, c) in tag.char_indices() {
        match (open, c) {
            (None, '>') => return Place::Text,
            (None, '"' | '\'') => open = Some((at, c)),
            (Some((_, quote)), _) if quote == c => open = None,
            _ => {}
        }
    }
    match open {
        None => Place::Tag,
        Some((at, _)) if at + 1 == tag.len() => Place::Quotes(&tag[..at]),
        Some(_) => Place::Value,
    }
}
