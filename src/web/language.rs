//! Owns the languages of the pages, and which one a person reads.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
}

impl Language {
    /// A language tag's language (`es-MX` is Spanish), when the pages speak it.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    /// The language that the browser prefers (RFC 9110 §12.5.4), when the pages speak any of its.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        accepted
            .split(',')
            .filter_map(weighed)
            .filter(|(_, weight)| *weight > 0.0)
            // `max_by` keeps the last of equals; the header's first is meant.
            .rev()
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .map(|(language, _)| language)
    }

    pub(super) fn code(self) -> &'static str {
        self.say("en", "es")
    }

    /// The text in this language.
    pub(super) fn say<'a>(self, english: &'a str, spanish: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }
}

fn weighed(item: &str) -> Option<(Language, f32)> {
    let mut parts = item.split(';');
    let language = Language::of_tag(parts.next()?)?;
    let weight = parts
        .find_map(|part| part.trim().strip_prefix("q="))
        .map_or(Some(1.0), |weight| weight.parse().ok())?;
    Some((language, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(header: &'static str) -> Option<Language> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
        Language::accepted(&headers)
    }

    #[test]
    fn the_heaviest_language_that_the_pages_speak_is_chosen() {
        assert_eq!(accepted("es-MX,es;q=0.9,en;q=0.8"), Some(Language::Spanish));
        assert_eq!(accepted("fr, en;q=0.4, es;q=0.7"), Some(Language::Spanish));
        assert_eq!(accepted("en, es"), Some(Language::English));
        assert_eq!(accepted("es;q=0, en;q=0.1"), Some(Language::English));
        assert_eq!(accepted("fr, de;q=0.5"), None);
        assert_eq!(accepted("es;q=broken"), None);
    }
}
