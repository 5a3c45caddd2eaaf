//! Owns reading what a test expects, and where that is written.

use std::ops::Range;

use super::context::Context;
use crate::domain::channel::Channel;
use crate::domain::enrollment::ExitReason;
use crate::domain::reason::Reason;
use crate::domain::scenario::Outcome;
use crate::workspace::document::test::ExpectDoc;
use crate::workspace::node::Node;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::Own as _;

/// From behind the key to the end of the list: its lines are indented, or begin with a dash.
pub(crate) fn written(cx: &Context<'_>, root: &Node) -> Option<Range<usize>> {
    let (key, _) = root.entry("expect")?;
    let start = usize::try_from(key.span.end).ok()? + 1;
    let text = &cx.sources.file(key.span.file)?.bytes;
    let mut lines = text.get(start..)?.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let (mut at, mut end) = (start + first.len(), start + first.trim_ascii_end().len());
    for line in lines {
        if line.starts_with(b" ") || line.starts_with(b"- ") {
            end = at + line.trim_ascii_end().len();
        } else if !line.trim_ascii().is_empty() && !line.starts_with(b"#") {
            break;
        }
        at += line.len();
    }
    Some(start..end)
}

/// What is expected; a message where nothing else is said.
pub(crate) fn outcome(cx: &Context<'_>, expected: &ExpectDoc) -> Option<Outcome> {
    if let Some(reason) = &expected.withheld {
        let known = Reason::ALL.iter().map(|reason| reason.as_str());
        return match Reason::parse(&reason.value) {
            Some(reason) => Some(Outcome::Withheld(reason)),
            None => cx.refuse(bad_value::word(reason.span, "`withheld`", reason, known)),
        };
    }
    if let Some(reason) = &expected.exited {
        let mut known = ExitReason::ALL.into_iter();
        let found = known.find(|known| known.as_str() == reason.value);
        let known = ExitReason::ALL.map(ExitReason::as_str);
        return match found {
            Some(reason) => Some(Outcome::Exited(reason)),
            None => cx.refuse(bad_value::word(reason.span, "`exited`", reason, known)),
        };
    }
    for (said, outcome) in [
        (&expected.completed, Outcome::Completed),
        (&expected.goal, Outcome::Goal),
    ] {
        match said {
            Some(said) if said.value => return Some(outcome),
            Some(said) => {
                let message = "what does not come is not expected";
                return cx.refuse(bad_value::finding(said.span, message).help("leave it out"));
            }
            None => {}
        }
    }
    let named = [
        (Channel::Email, &expected.email),
        (Channel::Sms, &expected.sms),
        (Channel::Push, &expected.push),
    ];
    let named = named.into_iter().find(|(_, name)| name.is_some());
    let channel = expected.channel.as_ref().map(|channel| channel.value.0);
    Some(Outcome::Sent {
        channel: named.map(|(channel, _)| channel).or(channel),
        communication: named.and_then(|(_, name)| name.own()),
        subject_contains: expected.subject_contains.own(),
        text_contains: expected.text_contains.own(),
    })
}
