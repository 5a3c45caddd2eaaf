//! Owns reading the name of a header.

use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::At;

/// A header's name is a token (RFC 9110 §5.6.2).
pub(super) fn header(cx: &Context<'_>, name: &At<String>) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(fits) {
        let message = format!("`{}` is not the name of a header", name.value);
        cx.add(bad_value::finding(name.span, message));
    }
}
