//! Owns templates: what a text may contain, what it names, and its rendering for one customer.
//!
//! The language is minijinja's `{{ }}`, filters, `if` and a `for` over a field of the customer. Nothing
//! in it reads a file, assigns, or grows without bound; a value is never read as a template again.

mod asked;
mod bounds;
mod filters;
mod lint;
mod markup;
mod names;
mod outline;
mod problem;
mod render;
#[cfg(test)]
mod render_tests;
mod sandbox;
mod snippets;
mod walk;

pub use asked::{RenderContext, RenderFailure, Which};
pub use lint::{check, check_expression, uses};
pub use outline::Outline;
pub use problem::TemplateProblem;
pub use render::Templates;
pub use snippets::Snippets;
