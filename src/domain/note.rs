//! Owns notes: what people at the bank write down about a customer.

use jiff::Timestamp;

/// One note, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub number: i64,
    pub at: Timestamp,
    pub actor: String,
    pub body: String,
}
