//! Owns the default alphabet of text messages, GSM 7-bit: which characters it has, and their codes.

/// 3GPP TS 23.038 §6.2.1; 0x1B leads to the extension.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// 3GPP TS 23.038 §6.2.1.1.
const EXTENSION: &[(u8, char)] = &[
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
const ESCAPE: u8 = 0x1B;

/// Whether every character of the text has a code.
pub(super) fn has(text: &str) -> bool {
    text.chars().all(|letter| septets(letter).is_some())
}

/// The codes of a character, one byte each: two when the escape leads to it.
pub(super) fn septets(letter: char) -> Option<Vec<u8>> {
    let basic = BASIC.chars().position(|known| known == letter);
    if let Some(at) = basic.and_then(|at| u8::try_from(at).ok())
        && at != ESCAPE
    {
        return Some(vec![at]);
    }
    let (code, _) = EXTENSION.iter().find(|(_, known)| *known == letter)?;
    Some(vec![ESCAPE, *code])
}

/// What codes stand for, one byte each; a code of the extension that nobody has reads as its basic one.
#[cfg(feature = "smpp")]
pub(super) fn text(bytes: &[u8]) -> String {
    let basic: Vec<char> = BASIC.chars().collect();
    let mut text = String::new();
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let letter = if byte == ESCAPE {
            let code = bytes.next();
            EXTENSION
                .iter()
                .find(|(known, _)| Some(*known) == code)
                .map(|(_, letter)| *letter)
                .or_else(|| basic.get(usize::from(code?)).copied())
        } else {
            basic.get(usize::from(byte)).copied()
        };
        text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_what_the_specification_lists() {
        assert_eq!(BASIC.chars().count(), 128);
        assert!(has("Ñandu, 10 € [Ω]\r\n"));
        for foreign in ["`", "ñá", "“", "ж", "😀", "\u{1b}"] {
            assert!(!has(foreign), "{foreign}");
        }
    }
}
