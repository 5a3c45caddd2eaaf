//! Owns how instants stand in the store: microseconds UTC.

use jiff::Timestamp;

use super::{Error, Result};

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn instant(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros)
        .map_err(|_| Error::Corrupt(format!("{micros} is not an instant")))
}

pub(super) fn optional_instant(micros: Option<i64>) -> Result<Option<Timestamp>> {
    micros.map(instant).transpose()
}
