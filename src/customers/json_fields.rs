//! Owns values of fields as programs write them, as JSON: every mistake is told, each with its field.

use serde_json::{Map, Value as Json};

use super::error::Error;
use super::profiles;
use super::typing::Typing;
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, Field};
use crate::domain::revision::Revision;

/// A field's identifier and its value; none clears the field.
pub type TypedField = (String, Option<FieldValue>);

/// A field that cannot be set so. For a validation, `reason` is exactly its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadField {
    pub field: String,
    pub reason: String,
}

/// Types what is written for each field. A null or a blank text clears, a many-valued field takes a
/// list or one value.
pub fn read(
    revision: &Revision,
    fields: &Map<String, Json>,
) -> Result<Vec<TypedField>, Vec<BadField>> {
    let typing = Typing::new(revision);
    let (mut typed, mut bad) = (Vec::new(), Vec::new());
    for (name, value) in fields {
        match one(revision, &typing, name, value) {
            Ok(value) => typed.push((name.clone(), value)),
            Err(reason) => bad.push(BadField {
                field: name.clone(),
                reason,
            }),
        }
    }
    if bad.is_empty() { Ok(typed) } else { Err(bad) }
}

fn one(
    revision: &Revision,
    typing: &Typing,
    name: &str,
    value: &Json,
) -> Result<Option<FieldValue>, String> {
    let field = profiles::field(&revision.data_model, name).map_err(|error| match error {
        Error::BadValue { reason, .. } => reason,
        other => other.to_string(),
    })?;
    let texts = texts(field, value)?;
    typing.read_each(field, texts.iter().map(String::as_str))
}

/// The texts of a value, which are typed as those of a file are.
fn texts(field: &Field, value: &Json) -> Result<Vec<String>, String> {
    match value {
        Json::Array(values) if field.cardinality == Cardinality::Many => {
            values.iter().map(scalar).collect()
        }
        Json::Array(_) => Err("has one value: write it without a list".to_owned()),
        other => Ok(vec![scalar(other)?]),
    }
}

fn scalar(value: &Json) -> Result<String, String> {
    match value {
        Json::Null => Ok(String::new()),
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(truth) => Ok(truth.to_string()),
        Json::Array(_) | Json::Object(_) => {
            Err("is no text, number or truth value: expected one of these".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::field::{FieldCategory, FieldType};
    use crate::domain::value::Value;

    fn revision() -> Revision {
        let mut revision = Revision::default();
        for (identifier, kind, cardinality) in [
            ("age", FieldType::Integer, Cardinality::One),
            ("products", FieldType::Text, Cardinality::Many),
        ] {
            revision.data_model.fields.push(Field {
                identifier: identifier.to_owned(),
                description: String::new(),
                kind,
                category: FieldCategory::Profile,
                cardinality,
                choices: Vec::new(),
                validations: Vec::new(),
            });
        }
        revision
    }

    fn read_all(fields: Json) -> Result<Vec<TypedField>, Vec<BadField>> {
        let Json::Object(fields) = fields else {
            panic!("an object");
        };
        read(&revision(), &fields)
    }

    #[test]
    fn every_mistake_is_told_with_its_field() {
        let wrong = json!({"age": "old", "agee": 1, "city": ["a"], "email": {}, "phone": null});
        let bad = read_all(wrong).unwrap_err();
        let fields: Vec<&str> = bad.iter().map(|bad| bad.field.as_str()).collect();
        assert_eq!(fields, ["age", "agee", "city", "email"]);
        assert!(bad[1].reason.contains("did you mean `age`"), "{bad:?}");
    }

    #[test]
    fn lists_keep_what_separates_values_elsewhere_and_nothing_clears() {
        let typed = read_all(json!({"products": ["a;b", "c", "c"], "age": null})).unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        let products = FieldValue::Many(vec![text("a;b"), text("c")]);
        assert_eq!(
            typed,
            [
                ("products".to_owned(), Some(products)),
                ("age".to_owned(), None)
            ]
        );
    }
}
