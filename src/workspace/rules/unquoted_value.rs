//! Owns the rule `unquoted-value`: a time of day or a number with leading zeros without quotes.
//!
//! **What it does.** Refuses an unquoted `9:30` and an unquoted `04400`.
//!
//! **Why.** YAML readers take `9:30` for 570 and `04400` for 4400 or 2304; a spreadsheet or another tool
//! that touches the file would change the value.
//!
//! **Example.**
//! ```yaml
//! at: 9:30
//! ```
//! **Use instead.** `at: "09:30"`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Node;

pub(crate) fn check(document: &Node, report: &mut impl FnMut(Finding)) {
    document.walk(&mut |node| {
        if let Some(text) = node.plain().filter(|text| is_time(text) || has_zeros(text)) {
            let what = if is_time(text) { "a time of day" } else { "a number with a leading zero" };
            report(
                Finding::error("unquoted-value", node.span, format!("{what} needs quotes: `{text}`"))
                    .help(format!("write \"{}\"", padded(text))),
            );
        }
    });
}

/// Whether the tree's check tells of this value, so that nothing more need be said.
pub(crate) fn is_told(node: &Node) -> bool {
    node.plain()
        .is_some_and(|text| is_time(text) || has_zeros(text))
}

/// `9:30` as it must be written.
fn padded(text: &str) -> String {
    match text.split_once(':') {
        Some((hour, _)) if hour.len() == 1 => format!("0{text}"),
        _ => text.to_owned(),
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| part.len() <= 2 && digits(part))
}

fn has_zeros(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && digits(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_leading_zeros_are_told_from_other_texts() {
        assert!(is_time("9:30") && is_time("09:30:00"));
        assert!(!is_time("09:00-18:00") && !is_time("2026-01-05T10:30") && !is_time("a:b"));
        assert!(has_zeros("04400") && !has_zeros("0") && !has_zeros("0.5") && !has_zeros("44"));
    }
}
