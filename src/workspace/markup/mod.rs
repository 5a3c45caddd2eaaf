//! Owns making the HTML of an e-mail from what people write: MJML laid out, CSS put into the tags. It
//! happens when the files are checked; placeholders are out of sight meanwhile.

mod elements;
mod includes;
mod mjml;
mod problem;
mod styles;
mod veil;

pub(crate) use self::includes::Includes;
pub(crate) use self::mjml::{Mjml, mjml};
pub(crate) use self::problem::MarkupProblem;
pub(crate) use self::styles::styled;
