//! Owns the rule `sms-too-long`: a text message of more parts than the channel sends.
//!
//! **What it does.** Counts the parts of each text of a text message, in each language: the longest that its
//! conditions allow, with twelve characters for a value and 120 for a link. It refuses more than the channel's
//! `max-parts` (10 unless set).
//!
//! **Why.** Such a message would be withheld from every customer; and each part is paid for.
//!
//! **Example.**
//! ```yaml
//! sms: { text: "… 200 characters …" }    # with `max-parts: 1` in the channel's file
//! ```
//! **Use instead.** A shorter text, characters of GSM-7 alone, or a larger `max-parts`.

use crate::domain::sms_parts::Sizes;
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn check(span: Span, found: Sizes, most: u32) -> Result<(), Finding> {
    if found.parts <= most as usize {
        return Ok(());
    }
    let message = format!(
        "this text takes about {} parts ({} characters in {}): the channel `sms` sends at most {most}",
        found.parts,
        found.characters,
        found.alphabet.as_str(),
    );
    let help = "shorten it, or set `max-parts` in the channel's file";
    Err(Finding::error("sms-too-long", span, message).help(help))
}
