//! Owns reading what a channel says about text messages.

use crate::domain::channel::Channel;
use crate::domain::gateway::SmsRules;
use crate::domain::phone;
use crate::workspace::document::channel::ChannelDoc;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Own as _};

pub(super) fn read(cx: &Context<'_>, doc: &ChannelDoc, channel: Channel) -> SmsRules {
    let written = [
        ("max-parts", doc.max_parts.as_ref().map(|at| at.span)),
        (
            "transliterate",
            doc.transliterate.as_ref().map(|at| at.span),
        ),
        ("country", doc.country.as_ref().map(|at| at.span)),
        ("words", doc.words.as_ref().map(|at| at.span)),
        ("replies", doc.replies.as_ref().map(|at| at.span)),
    ];
    if channel != Channel::Sms {
        for (key, span) in written {
            if let Some(span) = span {
                let message = format!("`{key}` is a key of the channel `sms`, not of `{channel}`");
                cx.add(bad_value::finding(span, message));
            }
        }
        return SmsRules::default();
    }
    SmsRules {
        max_parts: doc.max_parts.own().unwrap_or(SmsRules::MAX_PARTS),
        transliterate: doc.transliterate.own().unwrap_or_default(),
        country: doc.country.as_ref().and_then(|country| region(cx, country)),
    }
}

fn region(cx: &Context<'_>, written: &At<String>) -> Option<String> {
    let known = phone::country(written);
    if known.is_none() {
        let message = format!("`{}` is not a country", written.value);
        let finding = bad_value::finding(written.span, message);
        cx.add(finding.help("write its two letters of ISO 3166-1, such as `UY`"));
    }
    known.map(str::to_owned)
}
