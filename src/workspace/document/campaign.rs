//! Owns the written form of campaigns and communications.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use super::leaf::{Day, Id};
use super::texts::TextsDoc;
use super::variants::VariantsDoc;
use super::word::Word;
use crate::domain::subscription::LinkScope;
use crate::workspace::spanned::{At, Named, Opt};

/// A campaign: communications that flows may reuse, with one place in the consent dimensions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CampaignDoc {
    /// The campaign's stable id, unique among campaigns and flows.
    pub(crate) campaign: At<Id>,
    /// What people call it; the id unless set.
    pub(crate) name: Opt<String>,
    /// A category of the policy.
    pub(crate) category: Opt<String>,
    /// A group of the policy.
    pub(crate) group: Opt<String>,
    /// Who qualifies, for "active campaigns".
    pub(crate) segment: Opt<String>,
    /// The days on which its communications may be sent.
    pub(crate) active: Option<ActiveDoc>,
    /// What the link in its messages gives up: `campaign` unless set.
    pub(crate) unsubscribe: Opt<Word<LinkScope>>,
    /// Whether messages may carry a "not interested" link; `false` unless set.
    pub(crate) dismissable: Opt<bool>,
    /// By name.
    #[serde(default)]
    pub(crate) communications: Named<At<CommunicationDoc>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ActiveDoc {
    /// The first day.
    pub(crate) from: Opt<Day>,
    /// The last day, included.
    pub(crate) until: Opt<Day>,
}

/// One communication: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CommunicationDoc {
    pub(crate) email: Option<At<EmailDoc>>,
    pub(crate) sms: Option<At<SmsDoc>>,
    pub(crate) push: Option<At<PushDoc>>,
    /// Several ways to say it, which are compared.
    pub(crate) variants: Option<At<VariantsDoc>>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) on_screen: Option<Anything>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) popup: Option<Anything>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) banner: Option<Anything>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) form: Option<Anything>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) data_capture: Option<Anything>,
    /// Kept for reference; a flow cannot use it.
    pub(crate) docusign: Option<Anything>,
}

/// Keys that belong to another product's page: they are kept and not read.
#[derive(Debug)]
pub(crate) struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(from).map(|_| Self)
    }
}

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// An e-mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EmailDoc {
    /// A template.
    pub(crate) subject: At<TextsDoc>,
    /// The line that mail programs show beside the subject.
    pub(crate) preheader: Opt<TextsDoc>,
    /// Replaces the channel's sender: `Name <address>`.
    pub(crate) from: Opt<String>,
    /// Replaces the channel's reply address.
    pub(crate) reply_to: Opt<String>,
    /// A `.mjml`, `.html` or `.txt` file below `flows/`, or one for each language.
    pub(crate) template: Opt<TextsDoc>,
    /// The body as HTML, written here.
    pub(crate) html: Opt<TextsDoc>,
    /// The body as MJML, written here.
    pub(crate) mjml: Opt<TextsDoc>,
    /// The body as plain text, written here; made from the HTML when absent.
    pub(crate) text: Opt<TextsDoc>,
    /// Several ways to say it, which are compared.
    pub(crate) variants: Option<At<VariantsDoc>>,
}

/// A text message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmsDoc {
    /// A template.
    pub(crate) text: At<TextsDoc>,
    /// Several ways to say it, which are compared.
    pub(crate) variants: Option<At<VariantsDoc>>,
}

/// A push notification.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PushDoc {
    /// A template.
    pub(crate) title: At<TextsDoc>,
    /// A template.
    pub(crate) body: At<TextsDoc>,
    /// What opens when the customer touches it.
    pub(crate) link: Opt<String>,
    /// Several ways to say it, which are compared.
    pub(crate) variants: Option<At<VariantsDoc>>,
}
