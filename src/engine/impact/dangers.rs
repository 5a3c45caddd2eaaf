//! Owns which of all that would happen is dangerous: it is accepted by name, or the answer is no.

use serde::Serialize;

use super::messages::{ChannelImpact, MessageImpact};
use super::outcome::FlowImpact;
use crate::domain::approval::Reach;

/// What is accepted by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Danger {
    /// One of [`CODES`].
    pub code: &'static str,
    /// Of what: a flow, a communication or a channel.
    pub of: String,
    pub text: String,
}

/// Everything that is dangerous, with what it means.
pub const CODES: [(&str, &str); 9] = [
    (
        "sent-at-once",
        "people are written to as soon as it is in force",
    ),
    (
        "late",
        "what would be due at once is too late, and is never sent",
    ),
    ("exits", "people leave before the last step"),
    ("stranded", "a flow's file is gone, and people are in it"),
    (
        "twice",
        "people get again what they were sent under another step's name",
    ),
    ("never", "people are past a step that they have not had"),
    ("template-fails", "a message cannot be made for somebody"),
    (
        "over-pace",
        "what goes out at once takes a gateway longer than an hour",
    ),
    (
        "awaits-approval",
        "it is not in force before somebody agrees to it",
    ),
];

const HOUR: u64 = 3_600;

pub(super) fn of(
    flows: &[FlowImpact],
    messages: &[MessageImpact],
    channels: &[ChannelImpact],
    awaits: Option<&Reach>,
) -> Vec<Danger> {
    let mut found = Vec::new();
    for flow in flows {
        of_flow(flow, &mut found);
    }
    for message in messages {
        let text = format!(
            "{} of {} that were looked at cannot be made",
            message.failing, message.looked_at
        );
        found.push(Danger::new("template-fails", &message.communication, text));
    }
    for channel in channels.iter().filter(|channel| channel.seconds > HOUR) {
        let minutes = channel.seconds / 60;
        let text = format!(
            "{} messages at once take {minutes} minutes at its pace",
            channel.at_once
        );
        found.push(Danger::new("over-pace", channel.channel.as_str(), text));
    }
    if let Some(reach) = awaits {
        let (customers, above) = (reach.customers(), reach.above);
        let text = format!("{customers} enter flows newly, and above {above} somebody must agree");
        found.push(Danger::new("awaits-approval", "policy", text));
    }
    found
}

impl Danger {
    fn new(code: &'static str, of: &str, text: String) -> Self {
        let of = of.to_owned();
        Self { code, of, text }
    }
}

fn of_flow(flow: &FlowImpact, found: &mut Vec<Danger>) {
    let mut add = |code, text: String| found.push(Danger::new(code, &flow.flow, text));
    let sent: u64 = flow.at_once.sent.values().sum();
    let late = flow
        .at_once
        .withheld
        .get("late")
        .copied()
        .unwrap_or_default();
    let exits: u64 = flow.exits.values().sum();
    for (code, people, what) in [
        ("sent-at-once", sent, "are written to at once"),
        (
            "late",
            late,
            "are past a step that was to come, and do not get it: it is late",
        ),
        ("exits", exits, "leave before the last step"),
        (
            "stranded",
            flow.stranded,
            "stay where they are, as the file is gone",
        ),
    ] {
        if people > 0 {
            add(code, format!("{people} {what}"));
        }
    }
    for (step, people) in &flow.twice {
        add(
            "twice",
            format!("{people} get `{step}`, which they were sent under another name"),
        );
    }
    for (step, people) in &flow.never {
        add(
            "never",
            format!("{people} are past `{step}` and have not had it"),
        );
    }
}
