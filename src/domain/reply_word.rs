//! Owns the words by which people stop, start and ask about text messages, and what they are answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::communication::Localized;
use super::value::fold;

/// What a reply of one word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyWord {
    /// No more text messages.
    Stop,
    /// Text messages again.
    Start,
    /// Who writes, and how to stop.
    Help,
}

impl ReplyWord {
    pub const ALL: [Self; 3] = [Self::Stop, Self::Start, Self::Help];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
        }
    }

    /// Those that are understood everywhere, in the languages of the countries that ask for them: en, es, fr, de,
    /// pt, it, nl, pl, sv. English ones are the carriers' (CTIA).
    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Stop => &[
                "stop",
                "stopall",
                "unsubscribe",
                "cancel",
                "end",
                "quit",
                "optout",
                "revoke",
                "alto",
                "baja",
                "parar",
                "cancelar",
                "detener",
                "arret",
                "desabonner",
                "stopp",
                "abmelden",
                "abbestellen",
                "sair",
                "basta",
                "annulla",
                "cancella",
                "afmelden",
                "koniec",
                "avsluta",
            ],
            Self::Start => &[
                "start",
                "yes",
                "unstop",
                "optin",
                "alta",
                "si",
                "iniciar",
                "empezar",
                "oui",
                "demarrer",
                "ja",
                "anmelden",
                "sim",
                "comecar",
                "inizia",
                "aanmelden",
                "tak",
            ],
            Self::Help => &[
                "help", "info", "ayuda", "aide", "hilfe", "ajuda", "aiuto", "hulp", "pomoc",
                "hjalp",
            ],
        }
    }
}

/// What a channel adds to the known words, and what it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyRules {
    /// Folded: without case and accents.
    pub words: BTreeMap<ReplyWord, Vec<String>>,
    /// One text each; none: nothing is answered.
    pub answers: BTreeMap<ReplyWord, Localized>,
}

impl ReplyRules {
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.answers.is_empty()
    }

    /// What the reply asks for: one word alone, in any case, whatever marks are around it. The channel's own words
    /// come before the known ones.
    pub fn read(&self, text: &str) -> Option<ReplyWord> {
        let word = plain(text);
        if word.is_empty() {
            return None;
        }
        let own = self.words.iter();
        let mut own = own.filter(|(_, words)| words.contains(&word));
        if let Some((found, _)) = own.next() {
            return Some(*found);
        }
        let known = |one: &ReplyWord| one.known().contains(&word.as_str());
        ReplyWord::ALL.into_iter().find(known)
    }

    /// What is answered, in the customer's language.
    pub fn answer(&self, word: ReplyWord, language: Option<&str>) -> Option<&str> {
        let answer = self.answers.get(&word)?;
        Some(answer.in_language(language))
    }
}

/// The form in which words are compared.
pub fn plain(word: &str) -> String {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    fold(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("STOP", Some(ReplyWord::Stop))]
    #[case(" stop.\n", Some(ReplyWord::Stop))]
    #[case("«Stop!»", Some(ReplyWord::Stop))]
    #[case("StopAll", Some(ReplyWord::Stop))]
    #[case("UNSUBSCRIBE", Some(ReplyWord::Stop))]
    #[case("Cancel", Some(ReplyWord::Stop))]
    #[case("end", Some(ReplyWord::Stop))]
    #[case("quit", Some(ReplyWord::Stop))]
    #[case("BAJA", Some(ReplyWord::Stop))]
    #[case("arrêt", Some(ReplyWord::Stop))]
    #[case("ARRE\u{302}T", Some(ReplyWord::Stop))]
    #[case("Stopp", Some(ReplyWord::Stop))]
    #[case("START", Some(ReplyWord::Start))]
    #[case("yes", Some(ReplyWord::Start))]
    #[case("unstop", Some(ReplyWord::Start))]
    #[case("SÍ", Some(ReplyWord::Start))]
    #[case("HELP?", Some(ReplyWord::Help))]
    #[case("Info", Some(ReplyWord::Help))]
    #[case("ayuda", Some(ReplyWord::Help))]
    #[case("STOP PLEASE", None)]
    #[case("don't stop", None)]
    #[case("stopping", None)]
    #[case("", None)]
    #[case("!!!", None)]
    #[case("👍", None)]
    fn one_word_alone_is_understood(#[case] text: &str, #[case] expected: Option<ReplyWord>) {
        assert_eq!(ReplyRules::default().read(text), expected);
    }

    #[test]
    fn no_word_means_two_things() {
        let mut seen = BTreeMap::new();
        for one in ReplyWord::ALL {
            for word in one.known() {
                assert_eq!(plain(word), *word, "it is folded");
                assert_eq!(seen.insert(*word, one), None, "{word}");
            }
        }
    }

    #[test]
    fn a_channels_own_words_come_first_and_its_answers_are_in_the_customers_language() {
        let rules = ReplyRules {
            words: BTreeMap::from([(ReplyWord::Help, vec![plain("¡Info!"), plain("END")])]),
            answers: BTreeMap::from([(
                ReplyWord::Stop,
                Localized {
                    default: "No more texts.".to_owned(),
                    by_language: BTreeMap::from([("es".to_owned(), "No más.".to_owned())]),
                },
            )]),
        };
        assert_eq!(rules.read("end"), Some(ReplyWord::Help));
        assert_eq!(rules.read("quit"), Some(ReplyWord::Stop));
        assert_eq!(
            rules.answer(ReplyWord::Stop, Some("es-UY")),
            Some("No más.")
        );
        assert_eq!(rules.answer(ReplyWord::Stop, None), Some("No more texts."));
        assert_eq!(rules.answer(ReplyWord::Help, None), None);
    }
}
