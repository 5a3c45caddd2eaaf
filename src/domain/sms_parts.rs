//! Owns how a text travels as SMS: its alphabet, its length in that alphabet, and its parts.

use serde::Serialize;

/// One septet each (3GPP TS 23.038 §6.2.1), the escape itself left out.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
     ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The escape and one more septet each (3GPP TS 23.038 §6.2.1.1).
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How the characters of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Alphabet {
    /// Septets, when every character is in the table.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UTF-16 units, as soon as one is not.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

/// A text as it would travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sizes {
    pub alphabet: Alphabet,
    pub characters: usize,
    /// Septets in GSM-7, UTF-16 units in UCS-2.
    pub units: usize,
    pub parts: usize,
}

/// The first character that is not in GSM-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    pub letter: char,
    /// Bytes before it.
    pub offset: usize,
}

impl Alphabet {
    /// What the text needs.
    pub fn of(text: &str) -> Self {
        match foreign(text) {
            None => Self::Gsm7,
            Some(_) => Self::Ucs2,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }

    /// The units of a message that goes alone: 140 bytes.
    pub fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// The units of each part of a longer one: 6 bytes go to the header that joins them (3GPP TS 23.040 §9.2.3.24.1).
    pub fn part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    fn units(self, letter: char) -> usize {
        match self {
            Self::Gsm7 => septets(letter).unwrap_or(1),
            Self::Ucs2 => letter.len_utf16(),
        }
    }
}

/// How many septets a character takes; none: it is not in the table.
pub fn septets(letter: char) -> Option<usize> {
    if BASIC.contains(letter) {
        Some(1)
    } else if EXTENSION.contains(letter) {
        Some(2)
    } else {
        None
    }
}

/// The first character that makes the whole text UCS-2.
pub fn foreign(text: &str) -> Option<Foreign> {
    text.char_indices()
        .find(|(_, letter)| septets(*letter).is_none())
        .map(|(offset, letter)| Foreign { letter, offset })
}

pub fn sizes(text: &str) -> Sizes {
    let alphabet = Alphabet::of(text);
    Sizes {
        alphabet,
        characters: text.chars().count(),
        units: units(alphabet, text),
        parts: split(text).len(),
    }
}

/// The parts of a text in its alphabet. Neither an escaped character nor a surrogate pair is torn;
/// an empty text is one empty part.
pub fn split(text: &str) -> Vec<&str> {
    let alphabet = Alphabet::of(text);
    if units(alphabet, text) <= alphabet.alone() {
        return vec![text];
    }
    let mut parts = Vec::new();
    let (mut start, mut taken) = (0, 0);
    for (offset, letter) in text.char_indices() {
        let needed = alphabet.units(letter);
        if taken + needed > alphabet.part() {
            parts.push(&text[start..offset]);
            (start, taken) = (offset, 0);
        }
        taken += needed;
    }
    parts.push(&text[start..]);
    parts
}

fn units(alphabet: Alphabet, text: &str) -> usize {
    text.chars().map(|letter| alphabet.units(letter)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "GSM-7", 0, &[0])]
    #[case(&"a".repeat(160), "GSM-7", 160, &[160])]
    #[case(&"a".repeat(161), "GSM-7", 161, &[153, 8])]
    #[case(&"ж".repeat(70), "UCS-2", 70, &[70])]
    #[case(&"ж".repeat(71), "UCS-2", 71, &[67, 4])]
    #[case(&"€".repeat(80), "GSM-7", 160, &[80])]
    #[case(&"€".repeat(81), "GSM-7", 162, &[76, 5])]
    #[case(&("a".repeat(159) + "€"), "GSM-7", 161, &[153, 7])]
    #[case(&("a".repeat(152) + "€" + &"a".repeat(7)), "GSM-7", 161, &[152, 8])]
    #[case(&("a".repeat(70) + "`"), "UCS-2", 71, &[67, 4])]
    #[case(&"😀".repeat(35), "UCS-2", 70, &[35])]
    #[case(&"😀".repeat(36), "UCS-2", 72, &[33, 3])]
    #[case(&"a".repeat(1530), "GSM-7", 1530, &[153; 10])]
    #[case(&"ж".repeat(670), "UCS-2", 670, &[67; 10])]
    fn a_text_has_its_alphabet_its_length_and_its_parts(
        #[case] text: &str,
        #[case] alphabet: &str,
        #[case] units: usize,
        #[case] parts: &[usize],
    ) {
        let sizes = sizes(text);
        assert_eq!(sizes.alphabet.as_str(), alphabet);
        assert_eq!(sizes.units, units);
        assert_eq!(sizes.characters, text.chars().count());
        let found: Vec<usize> = split(text).iter().map(|p| p.chars().count()).collect();
        assert_eq!(found, parts);
        assert_eq!(sizes.parts, parts.len());
    }

    #[test]
    fn the_table_has_127_characters_and_ten_that_are_escaped() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
        assert!(BASIC.chars().all(|letter| septets(letter) == Some(1)));
        assert!(EXTENSION.chars().all(|letter| septets(letter) == Some(2)));
    }

    #[rstest]
    #[case("plain", None)]
    #[case("a ` b", Some(('`', 2)))]
    #[case("é ’ “", Some(('’', 3)))]
    #[case("ç", Some(('ç', 0)))]
    #[case("á", Some(('á', 0)))]
    fn the_first_foreign_character_is_named_with_its_place(
        #[case] text: &str,
        #[case] expected: Option<(char, usize)>,
    ) {
        let found = foreign(text).map(|found| (found.letter, found.offset));
        assert_eq!(found, expected);
    }

    proptest::proptest! {
        #[test]
        fn parts_are_the_text_and_none_is_too_long(text in "[a€ж😀 {]{0,700}") {
            let parts = split(&text);
            proptest::prop_assert_eq!(parts.concat(), text.clone());
            let alphabet = Alphabet::of(&text);
            let most = if parts.len() == 1 { alphabet.alone() } else { alphabet.part() };
            for part in parts {
                proptest::prop_assert!(units(alphabet, part) <= most);
            }
        }
    }
}
