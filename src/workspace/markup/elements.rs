//! Owns which elements MJML has (documentation.mjml.io), and how deep markup may be nested: those who read
//! it go down once for each level.

use std::ops::Range;

use crate::domain::near::near;

const PREFIX: &str = "mj-";
const ELEMENTS: [&str; 36] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
    "mj-html-attributes",
    "mj-selector",
    "mj-html-attribute",
];

/// The first element that MJML does not have: its name's place, and what may be meant.
pub(super) fn unknown(source: &str) -> Option<(Range<usize>, Option<&'static str>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    source.match_indices('<').find_map(|(at, _)| {
        let name = source[at + 1..].split(|c| !is_name(c)).next()?;
        let is_unknown = name.starts_with(PREFIX) && !ELEMENTS.contains(&name);
        is_unknown.then(|| (at + 1..at + 1 + name.len(), near(name, ELEMENTS)))
    })
}

/// Tables within tables of a rich e-mail come to some thirty.
const DEEPEST: usize = 128;
/// Elements without content (HTML Living Standard §13.1.2).
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Where a text is nested too deep.
pub(super) fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        let tag = &text[start..];
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        at = start + 1;
        match kind(&tag[..end]) {
            Kind::Opens => depth += 1,
            Kind::Closes => depth = depth.saturating_sub(1),
            Kind::Neither => {}
        }
        if depth > DEEPEST {
            return Some(start..start + end);
        }
    }
    None
}

enum Kind {
    Opens,
    Closes,
    Neither,
}

fn kind(tag: &str) -> Kind {
    let name = tag.trim_start_matches('<');
    if name.starts_with('/') {
        return Kind::Closes;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let length = name.find(|c| !is_name(c)).unwrap_or(name.len());
    let name = name[..length].to_ascii_lowercase();
    if name.is_empty() || tag.ends_with("/>") || VOID.contains(&name.as_str()) {
        return Kind::Neither;
    }
    Kind::Opens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_that_there_is_not_is_named_with_what_is_meant() {
        assert_eq!(unknown("<mj-text>a <b>c</b></mj-text><p>"), None);
        let found = unknown("<mj-text></mj-text><mj-buton>");
        assert_eq!(found, Some((20..28, Some("mj-button"))));
    }

    #[test]
    fn what_is_closed_again_is_not_deep() {
        assert_eq!(
            too_deep(&"<p>a<br>b</p><img src=x><hr/>".repeat(1_000)),
            None
        );
        assert_eq!(too_deep(&"<b>".repeat(128)), None);
    }

    #[test]
    fn the_first_element_too_deep_is_named() {
        assert_eq!(too_deep(&"<b>".repeat(200)), Some(384..387));
    }
}
