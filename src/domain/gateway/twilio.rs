//! Owns how a gateway is configured that is Twilio's Messages API, or speaks like it.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;
use crate::domain::duration::Delay;

/// Twilio's API of 2010-04-01. The sender is the channel's `from`, the messaging service, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwilioGateway {
    pub account_sid: Secretive,
    /// Signs Twilio's own requests to us, too.
    pub auth_token: Secretive,
    pub messaging_service_sid: Option<Secretive>,
    /// Without a trailing slash.
    pub base_url: Secretive,
    /// How long a message may wait at Twilio; ten hours unless set.
    pub validity_period: Option<Delay>,
}

impl TwilioGateway {
    pub const BASE_URL: &str = "https://api.twilio.com";
}
