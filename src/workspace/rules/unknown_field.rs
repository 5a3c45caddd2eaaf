//! Owns the rule `unknown-field`: a customer's field that is neither built in nor declared.
//!
//! **What it does.** Refuses a field in a segment, channel or policy that the data model does not have.
//!
//! **Why.** A misspelled field would match nobody.
//!
//! **Example.**
//! ```yaml
//! where: { field: joind_on, within-last: 30d }
//! ```
//! **Use instead.** The field's identifier, or declare it in a `customers:` document.

use crate::workspace::diagnostic::{Finding, suggestion};
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, field: &str) -> Result<(), Finding> {
    if names.fields.contains(field) {
        return Ok(());
    }
    let known = names.fields.iter().map(String::as_str);
    Err(
        Finding::error("unknown-field", span, format!("customers have no field `{field}`"))
            .help(suggestion(field, "fields", known)),
    )
}
