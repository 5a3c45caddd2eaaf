//! Owns how written text becomes a typed, validated value of a field, wherever it was written.

use jiff::tz::TimeZone;

use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, Field};
use crate::domain::revision::Revision;
use crate::domain::validation::Validator;
use crate::domain::value::Value;

const MAX_ID_CHARS: usize = 255;

/// Reads text by one revision's data model, in its zone.
#[derive(Debug, Clone)]
pub struct Typing {
    validator: Validator,
    zone: TimeZone,
}

impl Typing {
    pub fn new(revision: &Revision) -> Self {
        Self {
            validator: Validator::new(&revision.data_model),
            zone: revision.time_zone(),
        }
    }

    /// What a text is as a value of the field; nothing when the text is blank.
    ///
    /// `separator` stands between the values of a many-valued field. The error says why it is no
    /// value: for a validation exactly its message.
    pub fn read(
        &self,
        field: &Field,
        text: &str,
        separator: char,
    ) -> Result<Option<FieldValue>, String> {
        match field.cardinality {
            Cardinality::One => Ok(self.one(field, text)?.map(FieldValue::One)),
            Cardinality::Many => self.many(field, text.split(separator)),
        }
    }

    /// The same of texts that are apart already; of a one-valued field the last.
    pub fn read_each<'t>(
        &self,
        field: &Field,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<Option<FieldValue>, String> {
        match field.cardinality {
            Cardinality::One => {
                let text = texts.last().unwrap_or_default();
                Ok(self.one(field, text)?.map(FieldValue::One))
            }
            Cardinality::Many => self.many(field, texts),
        }
    }

    fn one(&self, field: &Field, text: &str) -> Result<Option<Value>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        refuse_control_characters(text)?;
        refuse_formulas(text)?;
        let value = Value::parse(field.kind, text, &self.zone).map_err(|bad| bad.to_string())?;
        self.validator.validate(&field.identifier, &value)?;
        Ok(Some(value))
    }

    fn many<'t>(
        &self,
        field: &Field,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<Option<FieldValue>, String> {
        let mut values = Vec::new();
        for part in texts {
            if let Some(value) = self.one(field, part)?
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
        Ok((!values.is_empty()).then_some(FieldValue::Many(values)))
    }
}

/// Reads a unique identifier: up to 255 characters, none of them a control character.
pub fn read_id(text: &str) -> Result<&str, String> {
    let id = text.trim();
    if id.is_empty() {
        return Err("is empty: every customer needs a unique id".to_owned());
    }
    if id.chars().nth(MAX_ID_CHARS).is_some() {
        return Err(format!("is longer than {MAX_ID_CHARS} characters"));
    }
    refuse_control_characters(id)?;
    refuse_formulas(id)?;
    Ok(id)
}

/// A spreadsheet that is given the value would evaluate it; no name or address begins so.
fn refuse_formulas(text: &str) -> Result<(), String> {
    if text.starts_with('=') {
        return Err("begins with `=`: a formula is no value".to_owned());
    }
    Ok(())
}

/// A value may stand in a mail's header, where a line break would begin another one (RFC 5322 §2.2).
fn refuse_control_characters(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some('\r' | '\n') => Err("holds a line break".to_owned()),
        Some(c) => Err(format!(
            "holds the control character U+{:04X}",
            u32::from(c)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::{FieldCategory, FieldType, Validation, ValidationRule};

    fn field(kind: FieldType, cardinality: Cardinality) -> Field {
        Field {
            identifier: "f".to_owned(),
            description: String::new(),
            kind,
            category: FieldCategory::Profile,
            cardinality,
            choices: Vec::new(),
            validations: vec![Validation {
                rule: ValidationRule::MaxLength(10),
                message: "ten at most".to_owned(),
            }],
        }
    }

    fn typing(field: &Field) -> Typing {
        let mut revision = Revision::default();
        revision.data_model.fields.push(field.clone());
        Typing::new(&revision)
    }

    #[test]
    fn control_characters_are_refused_in_every_value() {
        let text = field(FieldType::Text, Cardinality::One);
        let typing = typing(&text);
        for bad in ["a\rb", "a\nb", "a\0b", "a\tb", "a\u{7f}b", "a\u{85}b"] {
            assert!(typing.read(&text, bad, ';').is_err(), "{bad:?}");
        }
        assert_eq!(typing.read(&text, " \n", ';'), Ok(None));
        assert!(read_id("a\nb").is_err());
    }

    #[test]
    fn formulas_are_refused_in_every_value() {
        let text = field(FieldType::Text, Cardinality::One);
        let typing = typing(&text);
        let refused = Err("begins with `=`: a formula is no value".to_owned());
        for bad in ["=1+1", " =HYPERLINK(\"https://example.com\")"] {
            assert_eq!(typing.read(&text, bad, ';'), refused, "{bad}");
        }
        assert!(typing.read(&text, "a=1", ';').is_ok());
        assert!(read_id("=1").is_err());
    }

    #[test]
    fn an_e_mail_address_holds_no_line_break() {
        let email = field(FieldType::Email, Cardinality::One);
        let typing = typing(&email);
        for (bad, reason) in [
            ("a@b.ch\r\nBcc: x@y.ch", "holds a line break"),
            ("a@b.ch\nx", "holds a line break"),
            ("a@b\0.ch", "holds the control character U+0000"),
        ] {
            assert_eq!(typing.read(&email, bad, ';'), Err(reason.to_owned()));
        }
    }

    #[test]
    fn a_failed_validation_answers_with_exactly_its_message() {
        let text = field(FieldType::Text, Cardinality::One);
        let answer = typing(&text).read(&text, "more than ten", ';');
        assert_eq!(answer, Err("ten at most".to_owned()));
    }

    #[test]
    fn many_values_are_split_and_each_is_kept_once() {
        let many = field(FieldType::Integer, Cardinality::Many);
        let typing = typing(&many);
        let values = FieldValue::Many(vec![Value::Integer(1), Value::Integer(2)]);
        assert_eq!(typing.read(&many, "1; 2;;1", ';'), Ok(Some(values)));
        assert_eq!(typing.read(&many, " ; ", ';'), Ok(None));
        assert!(typing.read(&many, "1;x", ';').is_err());
    }
}
