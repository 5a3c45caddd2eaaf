//! Owns texts that refer to secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text with `${NAME}` and `${credential:NAME}` left in place; settings.rs turns it into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Secretive(pub String);
