//! Owns the rule `no-postal-address`: a marketing e-mail that does not say where its sender lives.
//!
//! **What it does.** Refuses a marketing e-mail with a body (HTML or text) that neither uses
//! `organization.postal_address` nor contains it. Categories with `purpose: service` are exempt.
//!
//! **Why.** The law asks for it (15 U.S.C. 7704(a)(5)).
//!
//! **Example.** A template without a footer.
//!
//! **Use instead.** `{{ organization.name }}, {{ organization.postal_address }}` at the end.

use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, part: &str) -> Finding {
    Finding::error(
        "no-postal-address",
        span,
        format!("the {part} of this marketing e-mail has no postal address"),
    )
    .help("use `{{ organization.postal_address }}` in it, and set it in the policy")
}

/// For a policy that has none to use.
pub(crate) fn unset(span: Span) -> Finding {
    Finding::error(
        "no-postal-address",
        span,
        "the policy has no `organization.postal-address`, which marketing e-mails must carry",
    )
    .help("add `organization: { name: …, postal-address: … }` to the policy")
}
