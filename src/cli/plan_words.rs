//! Owns how a plan is told: as text, and as Markdown for a comment on a pull request.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::columns::counted;
use super::revisions;
use crate::domain::difference::What;
use crate::domain::revision::flow_of_inline;
use crate::engine::impact::{AtOnce, FlowImpact, Impact, Spread};

/// The days of a distribution that are told one by one.
const DAYS: usize = 12;

pub(super) fn text(impact: &Impact, against: &str) -> String {
    if impact.differences.is_empty() {
        return format!("nothing differs from {}\n", named(against));
    }
    let mut text = format!("against {}\n", named(against));
    text += &revisions::changes(&impact.differences);
    for segment in &impact.segments {
        let (enter, leave) = (counted(segment.enter), counted(segment.leave));
        let name = match flow_of_inline(&segment.segment) {
            Some(flow) => format!("of flow {flow}"),
            None => segment.segment.clone(),
        };
        let _ = writeln!(text, "\nsegment {name}: {enter} enter, {leave} leave");
    }
    for flow in &impact.flows {
        let _ = writeln!(text, "\nflow {}: {} in it", flow.flow, counted(flow.live));
        for line in lines(flow) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for message in &impact.messages {
        let _ = writeln!(
            text,
            "\nmessage {}: {} of {} that were looked at cannot be made, such as {}'s: {}",
            message.communication,
            message.failing,
            message.looked_at,
            message.customer,
            message.why
        );
    }
    text.push('\n');
    if impact.dangers.is_empty() {
        text.push_str("nothing of it is dangerous\n");
    }
    for danger in &impact.dangers {
        let _ = writeln!(text, "! {} ({}): {}", danger.code, danger.of, danger.text);
    }
    text
}

fn named(against: &str) -> String {
    match against {
        "running" => "what runs".to_owned(),
        commit => format!("`{commit}`"),
    }
}

/// What is said of a flow, a line each.
fn lines(flow: &FlowImpact) -> Vec<String> {
    let mut lines = Vec::new();
    let mut people = |count: u64, what: &str| {
        if count > 0 {
            lines.push(format!("{} {what}", counted(count)));
        }
    };
    people(flow.enters, "enter");
    people(flow.may_enter, "may enter");
    people(
        flow.stranded,
        "stay where they are, paused: its file is gone",
    );
    for (reason, count) in &flow.exits {
        people(*count, &format!("leave: {reason}"));
    }
    for moved in &flow.moves {
        let to = moved.to.as_deref().unwrap_or("the end");
        people(
            moved.people,
            &format!("who wait at {} go on at {to}", moved.from),
        );
    }
    people(flow.sooner, "are due sooner");
    people(flow.later, "are due later");
    if flow.at_once.people > 0 {
        people(
            flow.at_once.people,
            &format!("are due at once: {}", at_once(&flow.at_once)),
        );
    }
    for (step, count) in &flow.twice {
        people(
            *count,
            &format!("get {step}, which they were sent under another name"),
        );
    }
    for (step, count) in &flow.never {
        people(*count, &format!("are past {step} and have not had it"));
    }
    if !flow.spread.is_empty() {
        lines.push("due in days, before and after:".to_owned());
        lines.extend(spread(&flow.spread));
    }
    lines.extend(flow.notes.iter().cloned());
    if lines.is_empty() {
        lines.push("nobody in it is concerned".to_owned());
    }
    lines
}

fn at_once(at_once: &AtOnce) -> String {
    let mut parts = Vec::new();
    parts.extend(each("sent by ", &at_once.sent));
    parts.extend(each("withheld for ", &at_once.withheld));
    if at_once.held > 0 {
        parts.push(format!("held for now {}", counted(at_once.held)));
    }
    if at_once.go_on > 0 {
        parts.push(format!(
            "going on to the next step {}",
            counted(at_once.go_on)
        ));
    }
    parts.join(", ")
}

fn each<K: Display>(what: &str, counts: &BTreeMap<K, u64>) -> Vec<String> {
    let counts = counts.iter();
    counts
        .map(|(key, count)| format!("{what}{key} {}", counted(*count)))
        .collect()
}

/// `day 0: 0, 12,000`; the rest in one line.
fn spread(spread: &[Spread]) -> Vec<String> {
    let day = |one: &Spread| {
        format!(
            "  {:>4}  {:>10}  {:>10}",
            one.day,
            counted(one.before),
            counted(one.after)
        )
    };
    let mut lines: Vec<String> = spread.iter().take(DAYS).map(day).collect();
    if spread.len() > DAYS {
        let rest = &spread[DAYS..];
        let before: u64 = rest.iter().map(|one| one.before).sum();
        let after: u64 = rest.iter().map(|one| one.after).sum();
        lines.push(format!(
            "  then  {:>10}  {:>10}",
            counted(before),
            counted(after)
        ));
    }
    lines
}

pub(super) fn markdown(impact: &Impact, against: &str) -> String {
    let mut text = format!("### Plan against {}\n\n", named(against));
    if impact.differences.is_empty() {
        text.push_str("Nothing differs.\n");
        return text;
    }
    if impact.dangers.is_empty() {
        text.push_str("Nothing of it is dangerous.\n\n");
    } else {
        text.push_str("| danger | of | |\n|---|---|---|\n");
        for danger in &impact.dangers {
            let _ = writeln!(
                text,
                "| **{}** | `{}` | {} |",
                danger.code,
                danger.of,
                cell(&danger.text)
            );
        }
        text.push('\n');
    }
    for flow in &impact.flows {
        let _ = writeln!(
            text,
            "**Flow `{}`**, {} in it\n",
            flow.flow,
            counted(flow.live)
        );
        text.push_str("```\n");
        for line in lines(flow) {
            let _ = writeln!(text, "{line}");
        }
        text.push_str("```\n\n");
    }
    if !impact.segments.is_empty() {
        text.push_str("| segment | enter | leave |\n|---|--:|--:|\n");
        for segment in &impact.segments {
            let (enter, leave) = (counted(segment.enter), counted(segment.leave));
            let _ = writeln!(text, "| `{}` | {enter} | {leave} |", segment.segment);
        }
        text.push('\n');
    }
    for message in &impact.messages {
        let _ = writeln!(
            text,
            "Message `{}`: {} of {} that were looked at cannot be made, such as `{}`'s: {}\n",
            message.communication,
            message.failing,
            message.looked_at,
            message.customer,
            cell(&message.why)
        );
    }
    text += &details(impact);
    text
}

fn details(impact: &Impact) -> String {
    let mut text = String::from("<details><summary>What differs</summary>\n\n");
    for difference in &impact.differences {
        let name = format!("{} {}", difference.kind, difference.name);
        let name = name.trim_end();
        match &difference.what {
            What::Added => drop(writeln!(text, "- {name} added")),
            What::Removed => drop(writeln!(text, "- {name} removed")),
            What::Changed(parts) => {
                let _ = writeln!(text, "- {name}");
                for part in parts {
                    let _ = writeln!(text, "  - {}", cell(part));
                }
            }
        }
    }
    text.push_str("\n</details>\n");
    text
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
