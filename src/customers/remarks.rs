//! Owns texts that people write for people: not blank, not endless, and such as every database can store.

use super::error::Error;

/// The most characters of a remark.
const LONGEST: usize = 1_000;

/// What stands beside something, such as a reason or a description; a blank text is none.
pub fn remark<'a>(name: &'static str, text: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    let text = text.filter(|text| !text.trim().is_empty());
    let text = text.map(|text| written(name, text, LONGEST)).transpose()?;
    match text {
        Some(text) if text.chars().any(|c| c.is_control() && c != '\n') => Err(Error::BadText {
            name,
            reason: "holds a control character: leave it out".to_owned(),
        }),
        text => Ok(text),
    }
}

/// A text that has to say something.
pub(super) fn written<'a>(
    name: &'static str,
    text: &'a str,
    most: usize,
) -> Result<&'a str, Error> {
    let text = text.trim();
    let reason = if text.is_empty() {
        "is empty: write something".to_owned()
    } else if text.chars().nth(most).is_some() {
        format!("is longer than {most} characters")
    } else if text.contains('\0') {
        "holds a NUL character".to_owned()
    } else {
        return Ok(text);
    };
    Err(Error::BadText { name, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_a_short_text_or_none() {
        let read = |text: &str| remark("reason", Some(text)).map(|text| text.map(str::to_owned));
        assert_eq!(
            read(" asked\nby Lyon ").unwrap(),
            Some("asked\nby Lyon".to_owned())
        );
        assert_eq!(read(" \n").unwrap(), None);
        assert_eq!(remark("reason", None).unwrap(), None);
        for (text, told) in [
            (
                "a\u{7}",
                "`reason`: holds a control character: leave it out",
            ),
            (
                &*"a".repeat(1_001),
                "`reason`: is longer than 1000 characters",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), told);
        }
    }
}
