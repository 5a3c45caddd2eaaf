//! Owns what identifies a person, and how each spelling of it becomes the same text before it is hashed.

use super::value::fold;

/// One way to recognize somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// The unique id, as it stands.
    Id,
    /// Compared without case and accents.
    Email,
    /// Compared by its digits: `+44` and `0044` are one.
    Phone,
}

impl Identifier {
    pub const ALL: [Self; 3] = [Self::Id, Self::Email, Self::Phone];

    /// The field that holds it; none for the unique id.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::Id => None,
            Self::Email => Some("email"),
            Self::Phone => Some("phone"),
        }
    }

    /// Whether a field holds what somebody is recognized by.
    pub fn is_held_by(field: &str) -> bool {
        Self::ALL.into_iter().any(|one| one.field() == Some(field))
    }

    /// The text that stands for all of its spellings, apart from those of other identifiers. None:
    /// nobody is recognized by it.
    pub fn plain(self, text: &str) -> Option<String> {
        let text = text.trim();
        let plain = match self {
            Self::Id => format!("id {text}"),
            Self::Email => format!("email {}", fold(text)),
            Self::Phone => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let is_local = !text.starts_with('+');
                let abroad = digits.strip_prefix("00").filter(|_| is_local);
                let digits = abroad.unwrap_or(&digits);
                if digits.is_empty() {
                    return None;
                }
                format!("phone {digits}")
            }
        };
        (!text.is_empty()).then_some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Identifier::Id, "A-7", "A-7", true)]
    #[case(Identifier::Id, "A-7", "a-7", false)]
    #[case(Identifier::Email, "Ana@Example.com", " ana@example.COM", true)]
    #[case(Identifier::Email, "ana@example.com", "ana@example.org", false)]
    #[case(Identifier::Phone, "+44 20 7946", "0044207946", true)]
    #[case(Identifier::Phone, "+44207946", "+44207947", false)]
    fn spellings_of_one_identifier_are_one(
        #[case] identifier: Identifier,
        #[case] one: &str,
        #[case] other: &str,
        #[case] same: bool,
    ) {
        assert_eq!(identifier.plain(one) == identifier.plain(other), same);
    }

    #[test]
    fn nobody_is_recognized_by_nothing_and_kinds_never_meet() {
        for identifier in Identifier::ALL {
            assert_eq!(identifier.plain(" "), None);
        }
        assert_eq!(Identifier::Phone.plain("call me"), None);
        assert_ne!(
            Identifier::Id.plain("12345"),
            Identifier::Phone.plain("12345")
        );
    }
}
