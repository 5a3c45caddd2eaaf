//! Owns what a basic search compares: the text of a customer that is searched, and the words that people type.
//!
//! Both are folded. The text has every value on a line of its own; an id, a first and a last name begin
//! after an empty line, so that a short word, which would be found in everybody, is looked for there alone.

use super::value::{fold, parse_date};

/// What stands before an id or a name in the text.
const BEGINNING: &str = "\n\n";
/// The index is made of so many characters in a row; a shorter part cannot be looked up in it.
pub const GRAM: usize = 3;
/// More of what is typed is not looked at.
const MOST_WORDS: usize = 16;
const LONGEST_WORD: usize = 100;
/// A number of a telephone is typed with these between its digits.
const BETWEEN_DIGITS: [char; 7] = [' ', '-', '.', '(', ')', '/', '+'];
const FEWEST_DIGITS: usize = 5;

/// The text of one customer: the id and the names, then all other texts. Values may come as they are,
/// or folded already.
pub fn searched<'a>(
    names: impl IntoIterator<Item = &'a str>,
    others: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut text = String::new();
    let names = names.into_iter().map(|value| (BEGINNING, value));
    let others = others.into_iter().map(|value| ("\n", value));
    for (before, value) in names.chain(others) {
        if !value.is_empty() {
            text.push_str(before);
            text.push_str(&fold(value).replace('\n', " "));
        }
    }
    text
}

/// What somebody looks for: all parts of one of the alternatives, each of them anywhere in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    alternatives: Vec<Vec<String>>,
}

impl Words {
    /// The words of what was typed; none in a blank text.
    ///
    /// A word of three characters and more is looked for in every field. Where all are shorter, the id
    /// or a name must begin with each. What may be a telephone number is also looked for without the
    /// signs between its digits, and a day such as `31.01.2026` as it is kept, `2026-01-31`.
    pub fn of(typed: &str) -> Option<Self> {
        let folded = fold(typed);
        let words = folded.split_whitespace().take(MOST_WORDS);
        let words: Vec<String> = words.map(shortened).collect();
        if words.is_empty() {
            return None;
        }
        let are_short = words.iter().all(|word| word.chars().count() < GRAM);
        let begin = |word: String| {
            if are_short {
                BEGINNING.to_owned() + &word
            } else {
                word
            }
        };
        let of_days = days(&words);
        let mut alternatives = vec![words.into_iter().map(begin).collect()];
        alternatives.extend(of_days);
        alternatives.extend(digits(&folded).map(|digits| vec![digits]));
        Some(Self { alternatives })
    }

    /// Each with its parts, as they stand in the text.
    pub fn alternatives(&self) -> &[Vec<String>] {
        &self.alternatives
    }
}

/// Some of the part's runs of [`GRAM`] characters, which together cover it: whatever has the part has
/// them. Fewer are looked up faster, and what is found is compared with the whole part anyway.
pub fn grams(part: &str) -> Vec<String> {
    let characters: Vec<char> = part.chars().collect();
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

/// The words with every day among them as it is kept; none where that is how they are typed.
fn days(words: &[String]) -> Option<Vec<String>> {
    let kept = |word: &String| parse_date(word).map_or_else(|| word.clone(), |day| day.to_string());
    let kept: Vec<String> = words.iter().map(kept).collect();
    (kept != words).then_some(kept)
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
        let has = |parts: &Vec<String>| parts.iter().all(|part| text.contains(part.as_str()));
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
    #[case("jose madrid lyon", false)]
    #[case("josealvarez", false)]
    fn what_is_typed_is_found_by_its_rules(#[case] typed: &str, #[case] found: bool) {
        let names = ["A-7", "José", "Álvarez"];
        let others = ["jose@example.com", "+3491123456", "Madrid", ""];
        let text = searched(names, others);
        assert_eq!(finds(typed, &text), found, "{text:?}");
    }

    #[rstest]
    #[case("31.01.1990", true)]
    #[case("ana 31.1.1990", true)]
    #[case("1990-01", true)]
    #[case("30.01.1990", false)]
    #[case("cid 31.01.1990", false)]
    fn a_day_is_found_in_both_spellings(#[case] typed: &str, #[case] found: bool) {
        let text = searched(["A-7", "Ana"], ["1990-01-31"]);
        assert_eq!(finds(typed, &text), found, "{text:?}");
    }

    #[test]
    fn nothing_typed_is_no_question() {
        assert_eq!(Words::of(" \t "), None);
        assert_eq!(Words::of("12345").unwrap().alternatives().len(), 1);
    }

    #[test]
    fn a_line_break_in_a_value_begins_no_name() {
        assert_eq!(searched(["a"], ["b\n\nc"]), "\n\na\nb  c");
    }

    #[test]
    fn grams_cover_a_part() {
        assert_eq!(grams("ab"), Vec::<String>::new());
        assert_eq!(grams("abc"), ["abc"]);
        assert_eq!(grams("abcd"), ["abc", "bcd"]);
        assert_eq!(grams("ñbcdefgh"), ["ñbc", "def", "fgh"]);
    }
}
