//! Owns lists: fixed sets of customers, with a name.

use jiff::Timestamp;

/// The most characters of a list's name.
pub const LONGEST_NAME: usize = 100;

/// A list as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub name: String,
    pub description: Option<String>,
    pub created_at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// By which way.
    pub source: String,
    /// How many customers are on it.
    pub customers: u64,
}

/// Whether a list may be called so: it is written in conditions and addresses.
///
/// # Errors
/// What is wrong with the name.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() || name.trim() != name {
        return Err("must not be blank, nor begin or end with a blank");
    }
    if name.chars().count() > LONGEST_NAME {
        return Err("must have 100 characters at most");
    }
    if name.chars().any(|c| c.is_control() || c == '/') {
        return Err("must hold no slash and no control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_written_on_one_line() {
        assert_eq!(check_name("Spring fair 2027"), Ok(()));
        for bad in ["", " fair", "a/b", "a\nb", &"x".repeat(101)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
