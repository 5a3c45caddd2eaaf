//! Owns how a gateway's own words are kept: one line, no control characters, never long.

const LONGEST: usize = 500;

/// The words on one line of at most 500 characters.
pub fn clean(words: &str) -> String {
    let spaced = words.split(|letter: char| letter.is_control());
    let mut line = String::new();
    for part in spaced.map(str::trim).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(part);
    }
    shorten(&line, LONGEST)
}

/// At most so many characters, with `…` where something is missing.
pub fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(longest.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_on_one_short_line() {
        assert_eq!(
            clean("5.1.1 no\r\n such\u{1b}[31m user\0"),
            "5.1.1 no such [31m user"
        );
        assert_eq!(clean(&"ä".repeat(700)).chars().count(), 500);
        assert!(clean(&"ä".repeat(501)).ends_with('…'));
        assert_eq!(clean(&"ä".repeat(500)), "ä".repeat(500));
    }
}
