//! Owns the written form of what a step is timed by in place of a delay.

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::{Duration, Weekday};
use super::word::Word;
use crate::domain::channel::Channel;
use crate::workspace::spanned::{At, Opt, Place};

/// A day to time a step by: exactly one of `field`, `anniversary-of`, `weekday` and `business-day`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DueDoc {
    /// A customer's date or instant. One that is over already: the step is skipped as `late`.
    pub(crate) field: Opt<String>,
    /// How long before the field's date.
    pub(crate) before: Opt<Duration>,
    /// How long after the field's date.
    pub(crate) after: Opt<Duration>,
    /// A customer's date that comes round each year; 29 February is the 28th in other years.
    pub(crate) anniversary_of: Opt<String>,
    /// The next such day of the week; today counts.
    pub(crate) weekday: Opt<Weekday>,
    /// The next such business day of a month, counted from 1.
    #[schemars(range(min = 1, max = 23))]
    pub(crate) business_day: Opt<u8>,
}

/// Something that is waited for: what the customer did since entering the flow, and for how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WaitForDoc {
    /// A kind of interaction, such as `conversion`.
    #[schemars(with = "String")]
    #[serde(rename = "did")]
    pub(crate) _did: Place,
    #[serde(rename = "campaign")]
    #[schemars(with = "Option<String>")]
    pub(crate) _campaign: Option<Place>,
    #[serde(rename = "flow")]
    #[schemars(with = "Option<String>")]
    pub(crate) _flow: Option<Place>,
    #[serde(rename = "step")]
    #[schemars(with = "Option<String>")]
    pub(crate) _step: Option<Place>,
    #[serde(rename = "channel")]
    #[schemars(with = "Option<Word<Channel>>")]
    pub(crate) _channel: Option<Place>,
    /// How often; once unless set.
    #[serde(rename = "at-least")]
    #[schemars(with = "Option<u32>")]
    pub(crate) _at_least: Option<Place>,
    /// How long it is waited for.
    pub(crate) at_most: At<Duration>,
    /// What follows when it did not happen: `next` (unless set), `exit`, or a later step's id.
    pub(crate) otherwise: Opt<String>,
}
