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
