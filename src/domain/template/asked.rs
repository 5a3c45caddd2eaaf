//! Owns what is asked of a rendering: which message, for whom; and why there is none.

use jiff::tz::TimeZone;

use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::rating::Rating;

/// What a message is made for. A URL that is none is missing to the template.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    pub customer: &'a Customer,
    pub rating: Rating,
    /// The customer's language as the field holds it, such as `es` or `es-MX`.
    pub language: Option<&'a str>,
    /// In which instants are shown.
    pub zone: &'a TimeZone,
    pub unsubscribe_url: Option<&'a str>,
    pub preferences_url: Option<&'a str>,
    pub dismiss_url: Option<&'a str>,
}

/// Which of a flow's messages.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    pub flow: &'a str,
    pub step: &'a str,
    pub channel: Channel,
    pub variant: Option<&'a str>,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderFailure {
    /// `template_error`: which part, and what is wrong.
    #[error("{0}")]
    Error(String),
    /// `template_abort`: the reason the template gave.
    #[error("{0}")]
    Abort(String),
}
