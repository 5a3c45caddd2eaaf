//! Owns the rule `secret-in-flows`: a `${…}` reference outside `drumbeat.yaml` and `channels/`.
//!
//! **What it does.** Refuses `${NAME}` and `${credential:NAME}` in flows, campaigns, segments, the data
//! model, the policy and tests, and in every file below `flows/`.
//!
//! **Why.** Marketing's files hold no secrets: what is in them may be shown, logged, and sent to customers.
//!
//! **Example.**
//! ```yaml
//! text: "Your code is ${PROMO_KEY}"
//! ```
//! **Use instead.** Write the value itself when it is no secret; otherwise keep it in `channels/`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::{Node, Span};

pub(crate) fn check(document: &Node, report: &mut impl FnMut(Finding)) {
    document.walk(&mut |node| {
        let Some(reference) = node.text().and_then(reference) else {
            return;
        };
        report(finding(node.span, reference));
    });
}

/// For a template, where only what is plainly a reference is one: `${…}` may be part of a script.
pub(crate) fn check_template(file: u32, text: &str, report: &mut impl FnMut(Finding)) {
    for (start, _) in text.match_indices("${") {
        let Some(found) = reference(&text[start..]).filter(|found| is_plain(found)) else {
            continue;
        };
        let offset = |offset: usize| u32::try_from(offset).unwrap_or_default();
        let span = Span {
            file,
            start: offset(start),
            end: offset(start + found.len()),
        };
        report(finding(span, found));
    }
}

fn is_plain(reference: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let name = &reference[2..reference.len() - 1];
    name.starts_with("credential:") || name.bytes().all(upper)
}

fn finding(span: Span, reference: &str) -> Finding {
    Finding::error(
        "secret-in-flows",
        span,
        format!("`{reference}` refers to a secret, and marketing's files hold no secrets"),
    )
    .help("write the value itself, or move it to `channels/` or `drumbeat.yaml`")
}

/// The first `${NAME}` or `${credential:NAME}` of a text.
pub(crate) fn reference(text: &str) -> Option<&str> {
    let start = text.find("${")?;
    let end = start + text[start..].find('}')?;
    let name = &text[start + 2..end];
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_:-.".contains(&byte));
    named.then(|| &text[start..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_in_the_middle_of_a_text() {
        assert_eq!(reference("a ${CODE} b"), Some("${CODE}"));
        assert_eq!(reference("${credential:smtp}"), Some("${credential:smtp}"));
        assert_eq!(reference("$5 {or} more"), None);
    }
}
