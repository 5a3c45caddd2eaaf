//! Owns what becomes of the values of a field when its type or its cardinality changes.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::customer::FieldValue;
use super::field::{Cardinality, DataModel, Field, FieldType};
use super::value::Value;

/// A field as it was and as it is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    pub from: Field,
    pub to: Field,
}

/// What a customer's values become.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    pub value: Option<FieldValue>,
    pub lost: Vec<Lost>,
}

/// A value that has no place in the field as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub value: String,
    pub reason: String,
}

impl Conversion {
    /// The fields of both models whose type or cardinality differs.
    pub fn between(was: &DataModel, is: &DataModel) -> Vec<Self> {
        let changed = was.fields.iter().filter_map(|from| {
            let to = is.field(&from.identifier)?;
            let differs = from.kind != to.kind || from.cardinality != to.cardinality;
            differs.then(|| Self {
                from: from.clone(),
                to: to.clone(),
            })
        });
        changed.collect()
    }

    /// The way back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self {
            from: self.to.clone(),
            to: self.from.clone(),
        }
    }

    /// Converts what a customer has. Of several values for one place the first that can be one is taken.
    pub fn convert(&self, value: &FieldValue, zone: &TimeZone) -> Converted {
        let given = match value {
            FieldValue::One(value) => std::slice::from_ref(value),
            FieldValue::Many(values) => values.as_slice(),
        };
        let (mut good, mut lost): (Vec<Value>, Vec<Lost>) = (Vec::new(), Vec::new());
        for value in given {
            match self.one(value, zone) {
                Ok(_) if self.to.cardinality == Cardinality::One && !good.is_empty() => {
                    lost.push(Lost {
                        value: value.to_string(),
                        reason: "is one of several values, and the field is to have one".to_owned(),
                    });
                }
                Ok(converted) if good.contains(&converted) => {}
                Ok(converted) => good.push(converted),
                Err(reason) => lost.push(Lost {
                    value: value.to_string(),
                    reason,
                }),
            }
        }
        let value = match self.to.cardinality {
            Cardinality::One => good.pop().map(FieldValue::One),
            Cardinality::Many => (!good.is_empty()).then_some(FieldValue::Many(good)),
        };
        Converted { value, lost }
    }

    /// Converts one value; the error says why it cannot be.
    pub fn one(&self, value: &Value, zone: &TimeZone) -> Result<Value, String> {
        let converted = match (value, self.to.kind) {
            (Value::Instant(at), FieldType::Date) => Value::Date(at.to_zoned(zone.clone()).date()),
            (Value::Date(day), FieldType::Datetime) => {
                let start = day.to_zoned(zone.clone());
                let start = start.map_err(|_| format!("`{day}` does not begin in this zone"))?;
                Value::Instant(start.timestamp())
            }
            (value, kind) => {
                let read = Value::parse(kind, &value.to_string(), zone);
                read.map_err(|bad| bad.to_string())?
            }
        };
        let text = converted.to_string();
        let is_choice = self.to.kind == FieldType::Choice;
        if is_choice && !self.to.choices.contains(&text) {
            let choices = self.to.choices.join("`, `");
            return Err(format!("`{text}` is not one of `{choices}`"));
        }
        Ok(converted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::FieldCategory;

    fn field(kind: FieldType, cardinality: Cardinality) -> Field {
        Field {
            identifier: "f".to_owned(),
            description: String::new(),
            kind,
            category: FieldCategory::Profile,
            cardinality,
            choices: vec!["a".to_owned()],
            validations: Vec::new(),
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn one(from: FieldType, to: FieldType, value: &Value) -> Option<String> {
        let conversion = Conversion {
            from: field(from, Cardinality::One),
            to: field(to, Cardinality::One),
        };
        let zone = TimeZone::get("America/New_York").unwrap();
        let converted = conversion.one(value, &zone);
        converted.ok().map(|value| value.to_string())
    }

    #[test]
    fn a_value_converts_when_its_text_is_one_of_the_new_type() {
        use FieldType::{Boolean, Choice, Date, Datetime, Email, Integer, Number, Text};
        let at: jiff::Timestamp = "2026-02-01T03:00:00Z".parse().unwrap();
        for (from, to, value, expected) in [
            (Text, Integer, text("007"), Some("7")),
            (Text, Integer, text("7.5"), None),
            (Integer, Text, Value::Integer(7), Some("7")),
            (Number, Integer, Value::Number(12.0), Some("12")),
            (Number, Integer, Value::Number(12.5), None),
            (Text, Boolean, text("true"), Some("true")),
            (Text, Email, text("ana@"), None),
            (Text, Choice, text("a"), Some("a")),
            (Text, Choice, text("b"), None),
            (Text, Date, text("31.01.2026"), Some("2026-01-31")),
            (Datetime, Date, Value::Instant(at), Some("2026-01-31")),
        ] {
            let converted = one(from, to, &value);
            assert_eq!(converted.as_deref(), expected, "{from:?} {to:?} {value}");
        }
        let day = Value::Date(jiff::civil::date(2026, 1, 31));
        let start = one(Date, Datetime, &day);
        assert_eq!(start.as_deref(), Some("2026-01-31T05:00:00Z"));
    }

    #[test]
    fn of_several_values_one_is_kept_and_the_others_are_told() {
        let conversion = Conversion {
            from: field(FieldType::Text, Cardinality::Many),
            to: field(FieldType::Integer, Cardinality::One),
        };
        let values = FieldValue::Many(vec![text("x"), text("1"), text("2")]);
        let converted = conversion.convert(&values, &TimeZone::UTC);
        assert_eq!(converted.value, Some(FieldValue::One(Value::Integer(1))));
        let lost: Vec<&str> = converted.lost.iter().map(|l| l.value.as_str()).collect();
        assert_eq!(lost, ["x", "2"]);
        let back = conversion
            .reversed()
            .convert(&FieldValue::One(Value::Integer(1)), &TimeZone::UTC);
        assert_eq!(back.value, Some(FieldValue::Many(vec![text("1")])));
    }

    #[test]
    fn only_fields_that_are_stored_otherwise_are_converted() {
        let mut was = DataModel::default();
        was.fields.push(field(FieldType::Text, Cardinality::One));
        let mut is = was.clone();
        assert_eq!(Conversion::between(&was, &is), []);
        is.fields.last_mut().unwrap().description = "other".to_owned();
        assert_eq!(Conversion::between(&was, &is), []);
        is.fields.last_mut().unwrap().kind = FieldType::Date;
        assert_eq!(Conversion::between(&was, &is).len(), 1);
        is.fields.pop();
        assert_eq!(Conversion::between(&was, &is), []);
    }
}
