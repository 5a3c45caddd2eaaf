//! Owns the written form of what people may reply to text messages, and what they are answered.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::document::texts::TextsDoc;
use crate::workspace::spanned::{At, Opt};

/// Words that are understood beside the known ones.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplyWordsDoc {
    /// No more text messages.
    #[serde(default)]
    pub(crate) stop: Vec<At<String>>,
    /// Text messages again.
    #[serde(default)]
    pub(crate) start: Vec<At<String>>,
    /// Who writes, and how to stop.
    #[serde(default)]
    pub(crate) help: Vec<At<String>>,
}

/// What is answered to each kind of word; nothing unless set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplyAnswersDoc {
    pub(crate) stop: Opt<TextsDoc>,
    pub(crate) start: Opt<TextsDoc>,
    pub(crate) help: Opt<TextsDoc>,
}
