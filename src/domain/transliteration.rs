//! Owns look-alikes: characters that SMS has no short form for, written with those that it has.

use unicode_normalization::UnicodeNormalization as _;

use super::sms_parts::septets;

/// The text with quotes, dashes, spaces, ligatures and accented letters outside GSM-7 written with what
/// GSM-7 has. Other scripts and signs stay as they are: nobody reads them as Latin letters.
pub fn gsm7(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.nfc() {
        match (septets(letter), look_alike(letter)) {
            (None, Some(other)) => written.push_str(other),
            _ => written.push(letter),
        }
    }
    written
}

/// None: there is none, or not one of GSM-7 alone.
fn look_alike(letter: char) -> Option<&'static str> {
    let known = match letter {
        '`' | '´' | 'ʼ' | '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => "",
        '\u{2010}'..='\u{2015}' | '−' => "-",
        '…' => "...",
        '•' | '·' => "*",
        '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' => "\n",
        _ if is_latin(letter) => deunicode::deunicode_char(letter)?,
        _ => return None,
    };
    let fits = known.chars().all(|letter| septets(letter).is_some());
    fits.then_some(known)
}

/// Letters and signs that descend from Latin ones: Latin-1 to Extended-B, Extended Additional,
/// letter-like signs, ligatures, full-width forms.
fn is_latin(letter: char) -> bool {
    matches!(letter,
        '\u{a1}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2100}'..='\u{214f}'
        | '\u{fb00}'..='\u{fb06}' | '\u{ff01}'..='\u{ff5e}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sms_parts::Alphabet;
    use rstest::rstest;

    #[rstest]
    #[case("“It’s” – it’s…", "\"It's\" - it's...")]
    #[case("a\u{a0}b\u{200b}c\u{202f}d", "a bc d")]
    #[case("Ação, señor, à l’été, ça", "Acao, señor, à l'été, ca")]
    #[case("Jose\u{301} e\u{301}", "José é")]
    #[case("Łódź ﬁn `x` «y»", "Lodz fin 'x' \"y\"")]
    #[case("€ {ok} Ω", "€ {ok} Ω")]
    fn look_alikes_replace_what_gsm_7_does_not_have(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(gsm7(text), expected);
        assert_eq!(Alphabet::of(&gsm7(text)), Alphabet::Gsm7);
    }

    #[rstest]
    #[case("Привет")]
    #[case("Hi 😀")]
    #[case("你好")]
    #[case("γειά")]
    fn other_scripts_and_signs_stay(#[case] text: &str) {
        assert_eq!(gsm7(text), text);
    }

    proptest::proptest! {
        #[test]
        fn what_gsm_7_has_stays(text in "[@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ !-Za-zÄÖÑÜ§¿äöñüà€\\[\\]{}~|^]{0,60}") {
            proptest::prop_assert_eq!(gsm7(&text), text);
        }
    }
}
