//! Owns what is left to do for customers when a change of the data model is in force.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::conversion::Conversion;

/// Done page by page, and begun again after a crash: doing it twice does no more than once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelWork {
    /// Values that were written while others were converted are converted, too.
    Convert {
        conversion: Box<Conversion>,
        /// Since then the field is what it is to be.
        since: Timestamp,
        /// Whether values that do not convert are removed where they stand.
        drops: bool,
    },
    /// The values of a removed field are erased.
    Erase { field: String },
    /// A removed tag is taken from those who carry it.
    Untag { tag: String },
}
