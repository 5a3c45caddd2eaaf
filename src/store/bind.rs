//! Owns the values that travel into statements: a bind is typed, and no value is ever part of the text.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// One bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Text(String),
    Int(i64),
    Real(f64),
}

/// What stands in one column of one row; none is NULL.
pub(super) type Cell = Option<Bind>;

impl Serialize for Bind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Real(number) => to.serialize_f64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneValue)
    }
}

/// Reads a scalar of a listed row.
struct OneValue;

impl Visitor<'_> for OneValue {
    type Value = Bind;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bind, E> {
        Ok(Bind::Int(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Bind, E> {
        i64::try_from(number).map(Bind::Int).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Bind, E> {
        Ok(Bind::Real(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bind, E> {
        Ok(Bind::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Bind, E> {
        Ok(Bind::Text(text))
    }
}
