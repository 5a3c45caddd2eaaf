//! Owns the rule `field-identifier`: a field whose name is not `snake_case`.
//!
//! **What it does.** Refuses a field identifier that is not made of lower-case letters, digits and `_`,
//! beginning with a letter, at most 48 long.
//!
//! **Why.** It is a column of the store and a name in templates, where `joined-on` would mean "minus".
//!
//! **Example.**
//! ```yaml
//! fields: { joined-on: { type: date } }
//! ```
//! **Use instead.** `joined_on`; what people read is its `description`.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn check(span: Span, field: &str) -> Result<(), Finding> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = field.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins && field.len() <= 48 && field.bytes().all(fits) {
        return Ok(());
    }
    let finding = Finding::error(
        "field-identifier",
        span,
        format!("`{field}` is not a field identifier"),
    );
    let cure: String = field
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    Err(finding.help(format!(
        "use lower-case letters, digits and `_`, such as `{}`",
        cure.trim_matches('_')
    )))
}
