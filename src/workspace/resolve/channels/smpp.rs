//! Owns reading a short message centre.

use crate::domain::duration::Delay;
use crate::domain::gateway::{
    LongMessages, MessageIdForm, Secretive, SmppEncoding, SmppGateway, SmppNumber, SmppSecurity,
};
use crate::workspace::document::channel::{EncodingDoc, NumberDoc, SmppDoc};
use crate::workspace::document::leaf::Duration;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Opt, Own as _};

const PORT: &str = "2775";
const WINDOW: u32 = 10;
const ENQUIRE_LINK: Delay = Delay::seconds(30);
const RESPONSE: Delay = Delay::seconds(60);
/// Nobody waits longer for one answer.
const LONGEST_WAIT: i64 = 3600;
/// What fits into the days of a relative time (SMPP 3.4 §7.1.1), with room to spare.
const LONGEST_VALIDITY: i64 = 63 * 24 * 3600;

pub(super) fn read(cx: &Context<'_>, doc: &SmppDoc) -> SmppGateway {
    let wait = |key, given: &Opt<Duration>, fallback| {
        span(cx, key, given.as_ref(), LONGEST_WAIT).unwrap_or(fallback)
    };
    SmppGateway {
        host: Secretive(doc.host.value.clone()),
        port: Secretive(
            doc.port
                .as_ref()
                .map_or_else(|| PORT.to_owned(), |port| port.0.clone()),
        ),
        tls: doc.tls.as_ref().map_or(SmppSecurity::None, |word| word.0),
        ca_file: doc.ca_file.own().map(Secretive),
        system_id: Secretive(doc.system_id.value.clone()),
        password: Secretive(doc.password.value.clone()),
        system_type: doc.system_type.own().map(Secretive),
        window: doc.window.own().unwrap_or(WINDOW),
        enquire_link: wait("enquire-link", &doc.enquire_link, ENQUIRE_LINK),
        response_timeout: wait("response-timeout", &doc.response_timeout, RESPONSE),
        source: doc.source.as_ref().map(number),
        destination: doc.destination.as_ref().map_or(SmppNumber::E164, number),
        service_type: doc.service_type.own(),
        long_messages: doc
            .long_messages
            .as_ref()
            .map_or(LongMessages::Udh, |word| word.0),
        encoding: doc.encoding.as_ref().map(encoding).unwrap_or_default(),
        receipts: doc.receipts.own().unwrap_or(true),
        message_id: doc
            .message_id
            .as_ref()
            .map_or(MessageIdForm::AsGiven, |word| word.0),
        validity_period: span(
            cx,
            "validity-period",
            doc.validity_period.as_ref(),
            LONGEST_VALIDITY,
        ),
    }
}

/// From one second to the longest.
fn span(cx: &Context<'_>, key: &str, given: Option<&At<Duration>>, longest: i64) -> Option<Delay> {
    let given = given?;
    let delay = given.value.0;
    if !(1..=longest).contains(&delay.approximate_seconds()) {
        let longest = if longest % 86_400 == 0 {
            format!("{}d", longest / 86_400)
        } else {
            format!("{}h", longest / 3600)
        };
        let message = format!("`{key}` goes from `1s` to `{longest}`");
        cx.add(bad_value::finding(given.span, message));
    }
    Some(delay)
}

fn number(doc: &NumberDoc) -> SmppNumber {
    SmppNumber {
        ton: doc.ton.value,
        npi: doc.npi.value,
    }
}

fn encoding(doc: &EncodingDoc) -> SmppEncoding {
    let usual = SmppEncoding::default();
    SmppEncoding {
        default_alphabet: doc
            .default_alphabet
            .as_ref()
            .map_or(usual.default_alphabet, |word| word.0),
        default_coding: doc.default_coding.own().unwrap_or(usual.default_coding),
        ucs2_coding: doc.ucs2_coding.own().unwrap_or(usual.ucs2_coding),
    }
}
