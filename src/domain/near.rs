//! Owns guessing which known name was meant by an unknown one.

/// The known name that was probably meant: a slip of the finger away, whatever the case and whether it is
/// written with `_` or `-`.
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let wrong = plain(wrong);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &plain(name)), name))
        .filter(|(distance, name)| *distance <= 1.max(name.chars().count() / 3))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_another_word_none() {
        let known = ["segment", "sequence", "last_name"];
        assert_eq!(near("segmant", known), Some("segment"));
        assert_eq!(near("Segment", known), Some("segment"));
        assert_eq!(near("last-nmae", known), Some("last_name"));
        assert_eq!(near("monthly_charges", known), None);
        assert_eq!(near("colour", known), None);
    }
}
