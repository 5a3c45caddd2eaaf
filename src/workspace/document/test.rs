//! Owns the written form of tests: who, what happens, and what must be sent.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::Deserializer;

use super::leaf::Duration;
use super::word::Word;
use crate::domain::channel::Channel;
use crate::domain::customer::Status;
use crate::domain::subscription::Consent;
use crate::workspace::spanned::{At, Opt, Place};

/// A test: what the flows send to whom and when, on a clock that is moved by hand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TestDoc {
    /// What it shows, in a sentence.
    pub(crate) test: At<String>,
    /// When it begins: a date, or a date and time such as `2026-01-05T10:30`.
    pub(crate) start: At<String>,
    /// How long it runs; until nobody waits any more unless set.
    #[serde(rename = "for")]
    pub(crate) lasts: Opt<Duration>,
    /// The flows that run in it; all unless set.
    pub(crate) flows: Option<Vec<At<String>>>,
    /// Who is there from the start: `id`, fields, and `tags`.
    #[serde(default)]
    pub(crate) customers: Vec<PersonDoc>,
    /// What happens meanwhile.
    #[serde(default)]
    pub(crate) events: Vec<At<EventDoc>>,
    /// What must come of it. A message that is not expected is a failure.
    pub(crate) expect: Vec<At<ExpectDoc>>,
}

/// The keys of a customer; they are read where the data model is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PersonDoc(pub(crate) Place);

impl<'de> Deserialize<'de> for PersonDoc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Place::deserialize(from).map(Self)
    }
}

impl JsonSchema for PersonDoc {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Person".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true })
    }
}

/// One thing that happens: exactly one key beside `at`, `customer` and the details of `did`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EventDoc {
    /// `+5d` from the start, or a date and time.
    pub(crate) at: At<String>,
    pub(crate) customer: Opt<String>,
    /// Fields and `tags`; the customer is made if there is none of this id.
    pub(crate) set: Option<PersonDoc>,
    /// A tag that is taken away.
    pub(crate) untag: Opt<String>,
    /// An interaction such as `conversion`.
    pub(crate) did: Opt<String>,
    pub(crate) campaign: Opt<String>,
    pub(crate) flow: Opt<String>,
    pub(crate) step: Opt<String>,
    pub(crate) channel: Opt<Word<Channel>>,
    pub(crate) unsubscribe: Option<ScopeDoc>,
    pub(crate) resubscribe: Option<ScopeDoc>,
    /// A campaign or flow.
    pub(crate) dismiss: Opt<String>,
    pub(crate) switch: Option<SwitchDoc>,
    pub(crate) consent: Option<ConsentsDoc>,
    pub(crate) status: Opt<Word<Status>>,
    /// The customer is deleted.
    pub(crate) delete: Opt<bool>,
    /// A flow that is paused.
    pub(crate) pause: Opt<String>,
    /// A flow that is resumed.
    pub(crate) resume: Opt<String>,
    /// A file that is edited, and taken over as by a reload.
    pub(crate) edit: Option<At<EditDoc>>,
}

/// What is given up, or taken up again: any of the four; none: everything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ScopeDoc {
    pub(crate) campaign: Opt<String>,
    pub(crate) category: Opt<String>,
    pub(crate) group: Opt<String>,
    pub(crate) channel: Opt<Word<Channel>>,
}

/// A switch and whether it is on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SwitchDoc {
    pub(crate) outbound: Opt<bool>,
    pub(crate) email: Opt<bool>,
    pub(crate) sms: Opt<bool>,
    pub(crate) push: Opt<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ConsentsDoc {
    pub(crate) email: Opt<Word<Consent>>,
    pub(crate) sms: Opt<Word<Consent>>,
    pub(crate) push: Opt<Word<Consent>>,
}

/// A text of a file that becomes another one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EditDoc {
    /// From the workspace's folder, such as `flows/welcome.yaml`.
    pub(crate) file: At<String>,
    pub(crate) replace: At<String>,
    pub(crate) with: At<String>,
}

/// One thing that must come of it: a message unless `withheld`, `exited`, `completed` or `goal` is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ExpectDoc {
    /// A date, a date and time, or `+4d` from the start.
    pub(crate) at: Opt<String>,
    pub(crate) customer: At<String>,
    pub(crate) flow: Opt<String>,
    pub(crate) step: Opt<String>,
    /// `CAMPAIGN/COMMUNICATION`, or `FLOW/STEP` for what is written in the step.
    pub(crate) email: Opt<String>,
    pub(crate) sms: Opt<String>,
    pub(crate) push: Opt<String>,
    pub(crate) channel: Opt<Word<Channel>>,
    pub(crate) subject_contains: Opt<String>,
    pub(crate) text_contains: Opt<String>,
    /// The reason, such as `unsubscribed_category`.
    pub(crate) withheld: Opt<String>,
    /// The reason, such as `exit_condition`.
    pub(crate) exited: Opt<String>,
    pub(crate) completed: Opt<bool>,
    /// The goal of the flow is reached; `step` is that of the last message before.
    pub(crate) goal: Opt<bool>,
}
