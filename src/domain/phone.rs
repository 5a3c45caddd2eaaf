//! Owns phone numbers as gateways take them: E.164, whatever way a customer's number is written.

use phonelib::{PhoneNumber, countries, country_by_code};

/// Digits of a number without its country code that few countries exceed.
const LONG_AT_HOME: usize = 10;

/// The number as `+`, country code and digits (ITU-T E.164). One without a country code is read as one of
/// `country`; none: it is not a possible number of any country, or of which is not known.
pub fn e164(number: &str, country: Option<&str>) -> Option<String> {
    let number = number.trim();
    let country = country.filter(|_| !is_international(number));
    let without_plus = country.and_then(|country| without_plus(number, country));
    let of_country = || PhoneNumber::parse_with_country(number, country?);
    let parsed = without_plus.or_else(of_country);
    let parsed = parsed.or_else(|| PhoneNumber::parse(number))?;
    Some(parsed.e164().to_owned())
}

/// A number that begins with the country's own code, and is too long to be one that is dialled at home.
fn without_plus(number: &str, country: &str) -> Option<PhoneNumber> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let parsed = PhoneNumber::parse(&format!("+{digits}"))?;
    let code = parsed.country_code().to_string();
    let is_long = digits.starts_with(&code) && digits.len() >= code.len() + LONG_AT_HOME;
    let is_own = parsed.country().code.eq_ignore_ascii_case(country);
    (is_long && is_own).then_some(parsed)
}

/// The number that a gateway names as a sender: international without `+` for most, unless it begins with a zero
/// or only `country` knows such numbers.
pub fn of_sender(number: &str, country: Option<&str>) -> Option<String> {
    let number = number.trim();
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let international = (digits && !number.starts_with('0')).then(|| format!("+{number}"));
    let international = international.and_then(|number| e164(&number, None));
    international.or_else(|| e164(number, country))
}

/// The ways in which a number may be stored: E.164, with `00`, without either, and as it is dialled at home.
pub fn spellings(e164: &str) -> Vec<String> {
    let digits = e164.trim_start_matches('+');
    let mut spellings = vec![e164.to_owned(), digits.to_owned(), format!("00{digits}")];
    if let Some(parsed) = PhoneNumber::parse(e164) {
        let code = parsed.country_code().to_string();
        if let Some(national) = digits.strip_prefix(&code) {
            spellings.extend([
                national.to_owned(),
                format!("0{national}"),
                format!("+{code}0{national}"),
            ]);
        }
    }
    spellings
}

/// The two letters (ISO 3166-1) of a country that is written as these, in any case, or by its English name.
pub fn country(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let by_name = || {
        countries()
            .iter()
            .find(|country| country.name.eq_ignore_ascii_case(text))
    };
    let found = country_by_code(text).or_else(by_name)?;
    let is_place = found.code.bytes().all(|byte| byte.is_ascii_uppercase());
    is_place.then_some(found.code)
}

fn is_international(number: &str) -> bool {
    number.starts_with('+') || number.starts_with("00")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("+14155552671", None, "+14155552671")]
    #[case("+44 (0)20 7183 8750", None, "+442071838750")]
    #[case("0044 20 7183 8750", Some("UY"), "+442071838750")]
    #[case("+44 20 7183 8750", Some("UY"), "+442071838750")]
    #[case("099 123 456", Some("UY"), "+59899123456")]
    #[case("99123456", Some("UY"), "+59899123456")]
    #[case("020 7183 8750", Some("gb"), "+442071838750")]
    #[case("(415) 555-2671", Some("US"), "+14155552671")]
    #[case("1 415 555 2671", None, "+14155552671")]
    #[case("612 34 56 78", Some("ES"), "+34612345678")]
    #[case("491711234567", Some("DE"), "+491711234567")]
    #[case("3921234567", Some("IT"), "+393921234567")]
    #[case("393921234567", Some("IT"), "+393921234567")]
    #[case("55991234567", Some("BR"), "+5555991234567")]
    #[case("5555991234567", Some("BR"), "+5555991234567")]
    fn spellings_of_a_number_are_one(
        #[case] number: &str,
        #[case] country: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(e164(number, country).as_deref(), Some(expected));
        assert_eq!(e164(expected, country).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("+59899100001", None, Some("+59899100001"))]
    #[case("59899100001", None, Some("+59899100001"))]
    #[case("491711234567", Some("DE"), Some("+491711234567"))]
    #[case("01711234567", Some("DE"), Some("+491711234567"))]
    #[case("00491711234567", None, Some("+491711234567"))]
    #[case("099 123 456", Some("UY"), Some("+59899123456"))]
    #[case("LAKESIDE", Some("UY"), None)]
    fn a_sender_is_known_without_a_plus(
        #[case] number: &str,
        #[case] country: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(of_sender(number, country).as_deref(), expected);
    }

    #[rstest]
    #[case("+491711234567", "DE")]
    #[case("+59899123456", "UY")]
    #[case("+14155552671", "US")]
    #[case("+34612345678", "ES")]
    fn what_is_sent_to_a_number_in_any_spelling_is_one_of_its_spellings(
        #[case] number: &str,
        #[case] country: &str,
    ) {
        let all = spellings(number);
        let national = &all[3];
        for spelling in [
            number,
            &number[1..],
            &format!("00{}", &number[1..]),
            national,
        ] {
            assert!(
                all.iter().any(|one| one == spelling),
                "{spelling} of {all:?}"
            );
            assert_eq!(e164(spelling, Some(country)).as_deref(), Some(number));
        }
    }

    #[rstest]
    #[case("", Some("UY"))]
    #[case("call me", Some("UY"))]
    #[case("099 123 456", None)]
    #[case("+598 1", None)]
    #[case("+999 99 123 456", None)]
    #[case("+4420718387501234567", None)]
    #[case("(415) 555-2671", Some("XX"))]
    fn what_is_no_possible_number_has_no_form(#[case] number: &str, #[case] country: Option<&str>) {
        assert_eq!(e164(number, country), None);
    }

    #[rstest]
    #[case("UY", Some("UY"))]
    #[case(" us ", Some("US"))]
    #[case("uruguay", Some("UY"))]
    #[case("001", None)]
    #[case("nowhere", None)]
    #[case("", None)]
    fn a_country_is_known_by_its_letters_and_its_name(
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(country(text), expected);
    }
}
