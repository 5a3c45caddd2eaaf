//! Owns what a basic search compares: the text of a customer that is searched, and the words that people type.
//!
//! Both are folded. The text has every value on a line of its own; an id, a first and a last name begin
//! after an empty line, so that a short word, which would be found in everybody, is looked for there, or
//! as a whole value.

use super::value::{fold, parse_date};

/// What stands before an id or a name in the text. The capital, which folded text never has, makes an
/// index of characters in a row that passes over line breaks tell these beginnings from all others.
const BEGINNING: &str = "\n\nX";
/// The same before any other value that is shorter than what is looked up.
const SHORT: &str = "\nY";
const END: &str = "\n";
/// The index is made of so many characters in a row; a shorter part cannot be looked up in it.
pub const GRAM: usize = 3;
/// More of what is typed is not looked at.
const MOST_WORDS: usize = 16;
const LONGEST_WORD: usize = 100;
/// A number of a telephone is typed with these between its digits.
const BETWEEN_DIGITS: [char; 7] = [' ', '-', '.', '(', ')', '/', '+'];
const FEWEST_DIGITS: usize = 5;

/// The text of one customer: the id and the names, then all other values as they are written. Texts may
/// come folded already.
pub fn searched<'a>(
    names: impl IntoIterator<Item = &'a str>,
    others: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut text = String::new();
    let names = names.into_iter().map(|value| (true, value));
    let others = others.into_iter().map(|value| (false, value));
    for (is_name, value) in names.chain(others) {
        let value = fold(value).replace('\n', " ");
        if !value.is_empty() {
            text.push_str(if is_name { BEGINNING } else { before(&value) });
            text.push_str(&value);
        }
    }
    text.push_str(END);
    text
}

/// What stands before a value that is no name.
fn before(value: &str) -> &'static str {
    if value.chars().count() < GRAM {
        SHORT
    } else {
        END
    }
}

/// What somebody looks for: all parts of one of the alternatives, each of them anywhere in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    alternatives: Vec<Vec<Part>>,
}

/// A part of what is looked for, in any of its spellings.
pub type Part = Vec<String>;

impl Words {
    /// The words of what was typed; none in a blank text.
    ///
    /// A word of three characters and more is looked for in every field. Where all are shorter, the id
    /// or a name must begin with each, or a value be it. A date may be written `31.01.2026`, and a number
    /// with noughts at its end. What may be a telephone number is also looked for without the signs
    /// between its digits.
    pub fn of(typed: &str) -> Option<Self> {
        let folded = fold(typed);
        let words = folded.split_whitespace().take(MOST_WORDS);
        let words: Vec<String> = words.map(shortened).collect();
        if words.is_empty() {
            return None;
        }
        let are_short = words.iter().all(|word| word.chars().count() < GRAM);
        let spellings = if are_short { short } else { spellings };
        let parts = words.iter().map(|word| spellings(word));
        let mut alternatives = vec![parts.collect()];
        let digits = digits(&folded).filter(|_| parse_date(folded.trim()).is_none());
        alternatives.extend(digits.map(|digits| vec![vec![digits]]));
        Some(Self { alternatives })
    }

    /// Each with its parts, as they stand in the text.
    pub fn alternatives(&self) -> &[Vec<Part>] {
        &self.alternatives
    }
}

/// How a word of few characters stands in the text.
fn short(word: &str) -> Part {
    vec![format!("{BEGINNING}{word}"), whole(word)]
}

/// The word, and how the text has it if it is a date or a number that is typed otherwise.
fn spellings(word: &str) -> Part {
    let day = parse_date(word).map(|day| day.to_string());
    let number = without_noughts(word).map(whole);
    let others = [day, number].into_iter().flatten();
    let others = others.filter(|other| other != word);
    std::iter::once(word.to_owned()).chain(others).collect()
}

/// A value that is this and nothing else.
fn whole(value: &str) -> String {
    format!("{}{value}{END}", before(value))
}

/// A decimal number without what stands needlessly at its end.
fn without_noughts(word: &str) -> Option<&str> {
    let (units, fraction) = word.split_once('.')?;
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_number = is_digits(units.strip_prefix('-').unwrap_or(units)) && is_digits(fraction);
    let short = word.trim_end_matches('0').trim_end_matches('.');
    (is_number && short != word).then_some(short)
}

/// Some of the spelling's runs of [`GRAM`] characters, which together cover it.
///
/// Whatever has the spelling has them. Fewer are looked up faster, and what is found is compared with all
/// of it anyway; so what everybody has is left out.
pub fn grams(spelling: &str) -> Vec<String> {
    let begins = spelling.starts_with(BEGINNING);
    let told_apart = if begins { &spelling[1..] } else { spelling };
    let characters: Vec<char> = told_apart.chars().collect();
    let Some(last) = characters.len().checked_sub(GRAM) else {
        return Vec::new();
    };
    let starts = (0..last).step_by(GRAM).chain([last]);
    starts
        .map(|at| characters[at..at + GRAM].iter().collect())
        .collect()
}

fn shortened(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

/// The digits of what may be a telephone number with signs between them.
fn digits(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let is_number = |c: char| c.is_ascii_digit() || BETWEEN_DIGITS.contains(&c);
    let digits: String = typed
        .chars()
        .filter(char::is_ascii_digit)
        .take(LONGEST_WORD)
        .collect();
    let fits = typed.chars().all(is_number) && digits.len() >= FEWEST_DIGITS && digits != typed;
    fits.then_some(digits)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn finds(typed: &str, text: &str) -> bool {
        let words = Words::of(typed).unwrap();
        let is_there = |spelling: &String| text.contains(spelling.as_str());
        let has = |parts: &Vec<Part>| parts.iter().all(|part| part.iter().any(is_there));
        words.alternatives().iter().any(has)
    }

    #[rstest]
    #[case("JOSÉ", true)]
    #[case("alvarez jose", true)]
    #[case("lvar", true)]
    #[case("jose@exam", true)]
    #[case("+34 (91) 123-45", true)]
    #[case("3491123", true)]
    #[case("a-7", true)]
    #[case("j", true)]
    #[case("al jo", true)]
    #[case("jose al", true)]
    #[case("os", false)]
    #[case("ma", false)]
    #[case("es", true)]
    #[case("42", true)]
    #[case("4", false)]
    #[case("x", false)]
    #[case("1980-05-17", true)]
    #[case("17.05.1980", true)]
    #[case("jose 17.5.1980", true)]
    #[case("1980-05", true)]
    #[case("17.05.1981", false)]
    #[case("31.02.1980", false)]
    #[case("234.5", true)]
    #[case("-1234.50", true)]
    #[case("42.00", true)]
    #[case("420.0", false)]
    #[case("jose madrid lyon", false)]
    #[case("josealvarez", false)]
    fn what_is_typed_is_found_by_its_rules(#[case] typed: &str, #[case] found: bool) {
        let names = ["A-7", "José", "Álvarez"];
        let others = ["jose@example.com", "+3491123456", "Madrid", "", "ES"];
        let numbers = ["1980-05-17", "-1234.5", "42"];
        let others = others.into_iter().chain(numbers);
        let text = searched(names, others);
        assert_eq!(finds(typed, &text), found, "{text:?}");
    }

    #[test]
    fn nothing_typed_is_no_question() {
        assert_eq!(Words::of(" \t "), None);
        assert_eq!(Words::of("12345").unwrap().alternatives().len(), 1);
    }

    #[test]
    fn a_line_break_in_a_value_begins_no_name() {
        assert_eq!(searched(["a"], ["b\n\nXc", "d"]), "\n\nXa\nb  xc\nYd\n");
    }

    #[test]
    fn grams_cover_a_part() {
        assert_eq!(grams("ab"), Vec::<String>::new());
        assert_eq!(grams("abc"), ["abc"]);
        assert_eq!(grams("abcd"), ["abc", "bcd"]);
        assert_eq!(grams("ñbcdefgh"), ["ñbc", "def", "fgh"]);
        assert_eq!(grams("\n\nXab"), ["\nXa", "Xab"]);
    }
}
