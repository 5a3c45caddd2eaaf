//! Owns LIKE patterns: the literal text and the globs that people write, with `\` as the escape.

/// The text, to be found exactly as it stands.
pub(super) fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut pattern, c));
    pattern
}

/// A glob: `*` is any run of characters, `?` is one.
pub(super) fn glob(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' => pattern.push('%'),
            '?' => pattern.push('_'),
            _ => push(&mut pattern, c),
        }
    }
    pattern
}

fn push(pattern: &mut String, c: char) {
    if matches!(c, '%' | '_' | '\\') {
        pattern.push('\\');
    }
    pattern.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stars_and_question_marks_are_wild() {
        assert_eq!(glob(r"5%_o?f\*"), r"5\%\_o_f\\%");
        assert_eq!(literal("50%*?"), r"50\%*?");
    }
}
