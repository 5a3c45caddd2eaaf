//! Owns the rule `sms-alphabet`: a character that makes a text message much shorter (a warning).
//!
//! **What it does.** Warns at the first character that is not in GSM-7, the short alphabet of text messages, when most
//! letters of the text are. With `transliterate: yes` in the channel's file, characters that have a look-alike are none.
//!
//! **Why.** One such character turns the whole text into UCS-2: 70 characters a message instead of 160.
//!
//! **Example.**
//! ```yaml
//! sms: { text: "It’s here" }
//! ```
//! **Use instead.** `It's here`, or `transliterate: yes`.

use crate::domain::sms_parts::Sizes;
use crate::workspace::diagnostic::Finding;
use crate::workspace::node::Span;

pub(crate) fn finding(span: Span, letter: char, found: Sizes) -> Finding {
    let message = format!(
        "`{letter}` (U+{:04X}) is not in GSM-7: the whole text goes as UCS-2, about {} parts of 67 or 70 characters",
        u32::from(letter),
        found.parts,
    );
    Finding::warning("sms-alphabet", span, message)
        .help("write it with characters of GSM-7, or set `transliterate: yes` in the channel's file")
}
