//! Owns how the gateway is configured that writes files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Each message as a file: `.eml` for e-mail, `.json` for the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileGateway {
    /// Relative to the workspace.
    pub folder: String,
}
