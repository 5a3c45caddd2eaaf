//! Owns the alphabets of text messages: a text to the bytes of its parts, and bytes that came to a text.

use encoding_rs::{EUC_KR, Encoding, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS};

use crate::channels::gsm7;
use crate::domain::gateway::{SmppAlphabet, SmppEncoding};

/// What one message holds, and what each of several does beside six bytes of header: septets, or
/// units of UCS-2 (3GPP TS 23.040 §9.2.3.24.1).
const SEPTETS: (usize, usize) = (160, 153);
const UNITS: (usize, usize) = (70, 67);

/// A text in the bytes and the coding that a centre takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) coding: u8,
    /// At least one; more than one when a header has to tell their order.
    pub(super) parts: Vec<Vec<u8>>,
}

/// One character: its bytes, and how much room it takes on the phone.
struct Letter {
    bytes: Vec<u8>,
    room: usize,
}

/// The default alphabet if it has every character, else UCS-2.
pub(super) fn encode(text: &str, encoding: SmppEncoding) -> Encoded {
    let plain: Option<Vec<Letter>> = text
        .chars()
        .map(|letter| plain(letter, encoding.default_alphabet))
        .collect();
    match plain {
        Some(letters) => Encoded {
            coding: encoding.default_coding,
            parts: cut(&letters, SEPTETS),
        },
        None => Encoded {
            coding: encoding.ucs2_coding,
            parts: cut(&text.chars().map(wide).collect::<Vec<_>>(), UNITS),
        },
    }
}

/// In Latin-1 a character still has to be one of GSM 7-bit: that is what the phone gets.
fn plain(letter: char, alphabet: SmppAlphabet) -> Option<Letter> {
    let gsm = gsm7::septets(letter)?;
    let room = gsm.len();
    let bytes = match alphabet {
        SmppAlphabet::Gsm7 => gsm,
        SmppAlphabet::Latin1 => vec![u8::try_from(u32::from(letter)).ok()?],
    };
    Some(Letter { bytes, room })
}

/// A character beyond the first plane is two units, which stay together.
fn wide(letter: char) -> Letter {
    let mut units = [0; 2];
    let units = letter.encode_utf16(&mut units);
    Letter {
        room: units.len(),
        bytes: units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    }
}

/// One part if all fits into it, else as many as are needed, no character in two.
fn cut(letters: &[Letter], (alone, each): (usize, usize)) -> Vec<Vec<u8>> {
    let whole: usize = letters.iter().map(|letter| letter.room).sum();
    let limit = if whole <= alone { alone } else { each };
    let mut parts = vec![Vec::new()];
    let mut used = 0;
    for letter in letters {
        if used + letter.room > limit {
            parts.push(Vec::new());
            used = 0;
        }
        used += letter.room;
        if let Some(part) = parts.last_mut() {
            part.extend_from_slice(&letter.bytes);
        }
    }
    parts
}

/// What came, as text (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4 for the codings from 0xC0 on).
pub(super) fn decode(bytes: &[u8], coding: u8, encoding: SmppEncoding) -> String {
    let by = |table: &'static Encoding| table.decode_without_bom_handling(bytes).0.into_owned();
    match coding {
        _ if coding == encoding.ucs2_coding => utf16(bytes),
        _ if coding == encoding.default_coding => default(bytes, encoding.default_alphabet),
        0 | 0xC0..=0xDF | 0xF0..=0xF3 => default(bytes, encoding.default_alphabet),
        1 | 3 => latin(bytes),
        5 => by(SHIFT_JIS),
        6 => by(ISO_8859_5),
        7 => by(ISO_8859_8),
        8 | 0xE0..=0xEF => utf16(bytes),
        10 => by(ISO_2022_JP),
        14 => by(EUC_KR),
        _ => format!("({} bytes that are no text)", bytes.len()),
    }
}

fn default(bytes: &[u8], alphabet: SmppAlphabet) -> String {
    match alphabet {
        SmppAlphabet::Gsm7 => gsm7::text(bytes),
        SmppAlphabet::Latin1 => latin(bytes),
    }
}

pub(super) fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn usual(text: &str) -> Encoded {
        encode(text, SmppEncoding::default())
    }

    #[rstest]
    #[case::fits("a".repeat(160), 0, &[160])]
    #[case::one_more("a".repeat(161), 0, &[153, 8])]
    #[case::wide("ж".repeat(70), 8, &[140])]
    #[case::wide_and_one_more("ж".repeat(71), 8, &[134, 8])]
    #[case::euros("€".repeat(80), 0, &[160])]
    #[case::euros_and_one_more("€".repeat(81), 0, &[152, 10])]
    #[case::an_escape_pair_stays_together("a".repeat(152) + "€" + &"b".repeat(10), 0, &[152, 12])]
    #[case::a_backtick_is_foreign("a".repeat(70) + "`", 8, &[134, 8])]
    #[case::emoji("😀".repeat(35), 8, &[140])]
    #[case::an_emoji_stays_together("😀".repeat(36), 8, &[132, 12])]
    #[case::nothing(String::new(), 0, &[0])]
    fn texts_are_cut_where_the_specification_says(
        #[case] text: String,
        #[case] coding: u8,
        #[case] lengths: &[usize],
    ) {
        let encoded = usual(&text);
        assert_eq!(encoded.coding, coding);
        let found: Vec<usize> = encoded.parts.iter().map(Vec::len).collect();
        assert_eq!(found, lengths);
        let back: String = encoded
            .parts
            .iter()
            .map(|part| decode(part, coding, SmppEncoding::default()))
            .collect();
        assert_eq!(back, text);
    }

    #[test]
    fn the_alphabet_has_its_places() {
        for (letter, bytes) in [
            ("@", vec![0x00]),
            ("_", vec![0x11]),
            ("Ξ", vec![0x1A]),
            ("É", vec![0x1F]),
            ("A", vec![0x41]),
            ("§", vec![0x5F]),
            ("à", vec![0x7F]),
            ("[", vec![0x1B, 0x3C]),
            ("€", vec![0x1B, 0x65]),
        ] {
            assert_eq!(usual(letter).parts, [bytes], "{letter}");
        }
    }

    #[test]
    fn latin_1_carries_what_both_alphabets_have() {
        let latin = SmppEncoding {
            default_alphabet: SmppAlphabet::Latin1,
            default_coding: 3,
            ..SmppEncoding::default()
        };
        let encoded = encode("Año [ä] @", latin);
        assert_eq!(
            (encoded.coding, encoded.parts),
            (3, vec![b"A\xF1o [\xE4] @".to_vec()])
        );
        assert_eq!(encode("10 €", latin).coding, 8);
        assert_eq!(encode("ΔΦ", latin).coding, 8);
        // The phone gets two septets for each bracket.
        assert_eq!(encode(&"[".repeat(81), latin).parts.len(), 2);
    }

    #[rstest]
    #[case(0, b"\x00 \x1b\x65 \x1b", "@ € \u{fffd}")]
    #[case(1, b"STOP", "STOP")]
    #[case(3, b"A\xF1o", "Año")]
    #[case(6, b"\xBF\xE0\xD8", "При")]
    #[case(8, b"\xD8\x3D\xDE\x00", "😀")]
    #[case(0xF1, b"\x11", "_")]
    #[case(4, b"\x01\x02", "(2 bytes that are no text)")]
    fn what_comes_is_read_by_its_coding(
        #[case] coding: u8,
        #[case] bytes: &[u8],
        #[case] text: &str,
    ) {
        assert_eq!(decode(bytes, coding, SmppEncoding::default()), text);
    }
}
