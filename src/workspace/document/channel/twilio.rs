//! Owns the written form of Twilio's gateway.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::document::leaf::Duration;
use crate::workspace::spanned::{At, Opt};

/// Twilio's Messages API. The sender is the channel's `from`, the messaging service, or both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TwilioDoc {
    pub(crate) account_sid: At<String>,
    pub(crate) auth_token: At<String>,
    pub(crate) messaging_service_sid: Opt<String>,
    /// `https://api.twilio.com` unless set.
    pub(crate) base_url: Opt<String>,
    /// How long a message may wait at Twilio, from one second to ten hours.
    pub(crate) validity_period: Opt<Duration>,
}
