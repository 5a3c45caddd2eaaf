//! Owns reading Twilio's gateway.

use crate::domain::duration::Delay;
use crate::domain::gateway::{Secretive, TwilioGateway};
use crate::workspace::document::channel::{ChannelDoc, TwilioDoc};
use crate::workspace::document::leaf::Duration;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Own as _};

/// In seconds, as Twilio allows.
const LONGEST_VALIDITY: i64 = 36_000;

pub(super) fn read(cx: &Context<'_>, channel: &ChannelDoc, doc: &At<TwilioDoc>) -> TwilioGateway {
    if channel.from.is_none() && doc.messaging_service_sid.is_none() {
        let message = "nobody is named as the sender";
        let finding = bad_value::finding(doc.span, message);
        cx.add(finding.help("write the channel's `from`, or `messaging-service-sid` here"));
    }
    let base_url = doc.base_url.as_ref().map(|url| {
        let begins = ["https://", "http://", "${"];
        if !begins.iter().any(|begin| url.starts_with(begin)) {
            let message = "`base-url` must begin with `https://`";
            cx.add(bad_value::finding(url.span, message));
        }
        url.trim_end_matches('/')
    });
    TwilioGateway {
        account_sid: Secretive(doc.account_sid.value.clone()),
        auth_token: Secretive(doc.auth_token.value.clone()),
        messaging_service_sid: doc.messaging_service_sid.own().map(Secretive),
        base_url: Secretive(base_url.unwrap_or(TwilioGateway::BASE_URL).to_owned()),
        validity_period: doc.validity_period.as_ref().and_then(|at| validity(cx, at)),
    }
}

fn validity(cx: &Context<'_>, written: &At<Duration>) -> Option<Delay> {
    let period = written.value.0;
    if (1..=LONGEST_VALIDITY).contains(&period.approximate_seconds()) {
        return Some(period);
    }
    let message = "`validity-period` is from one second to ten hours";
    cx.refuse(bad_value::finding(written.span, message))
}
