//! Owns the written form of variants: several ways to say one thing, which are compared.

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::Percent;
use super::texts::TextsDoc;
use crate::workspace::spanned::{At, Named, Opt};

pub(crate) type VariantsDoc = Named<At<VariantDoc>>;

/// What one variant says otherwise; the keys of its channel, each in place of the communication's own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct VariantDoc {
    /// Who gets it; what others leave is shared equally unless set.
    pub(crate) share: Opt<Percent>,
    pub(crate) subject: Opt<TextsDoc>,
    pub(crate) preheader: Opt<TextsDoc>,
    pub(crate) from: Opt<String>,
    pub(crate) reply_to: Opt<String>,
    pub(crate) template: Opt<TextsDoc>,
    pub(crate) html: Opt<TextsDoc>,
    pub(crate) mjml: Opt<TextsDoc>,
    pub(crate) text: Opt<TextsDoc>,
    pub(crate) title: Opt<TextsDoc>,
    pub(crate) body: Opt<TextsDoc>,
    pub(crate) link: Opt<String>,
}
