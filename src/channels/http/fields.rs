//! Owns what a gateway's templates can name of a message.

use serde::Serialize;

use crate::channels::gsm7;
use crate::domain::message::{Message, Rendered};

/// The names there are.
#[derive(Serialize)]
pub(super) struct Context<'a> {
    pub(super) message: Fields<'a>,
    /// Where the gateway is to tell what became of the message.
    pub(super) receipt_url: Option<String>,
}

/// What a channel does not have is written as nothing.
#[derive(Serialize, Default)]
pub(super) struct Fields<'a> {
    /// The dispatch id.
    pub(super) id: String,
    to: &'a str,
    from: Option<&'a str>,
    customer: &'a str,
    flow: &'a str,
    step: &'a str,
    text: Option<&'a str>,
    /// The text has a character beyond the default alphabet of text messages.
    unicode: bool,
    title: Option<&'a str>,
    body: Option<&'a str>,
    link: Option<&'a str>,
    subject: Option<&'a str>,
    html: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// `from` is the channel's own sender.
    pub(super) fn of(message: &'a Message, from: Option<&'a str>) -> Self {
        let frozen = &message.frozen;
        let known = Self {
            id: message.id.to_string(),
            to: &frozen.to,
            from,
            customer: &frozen.origin.customer,
            flow: &frozen.origin.flow,
            step: &frozen.origin.step,
            ..Self::default()
        };
        match &frozen.rendered {
            Rendered::Sms(sms) => Self {
                text: Some(&sms.text),
                unicode: !gsm7::has(&sms.text),
                ..known
            },
            Rendered::Push(push) => Self {
                title: Some(&push.title),
                body: Some(&push.body),
                link: push.link.as_deref(),
                ..known
            },
            Rendered::Email(email) => Self {
                from: email.from.as_deref().or(from),
                subject: Some(&email.subject),
                text: email.text.as_deref(),
                html: email.html.as_deref(),
                ..known
            },
        }
    }
}
