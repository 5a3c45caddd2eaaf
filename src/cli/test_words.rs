//! Owns how the outcome of tests is told: what was expected beside what came.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::columns::aligned;
use super::tested::Tested;
use crate::domain::scenario::{Expected, Outcome};
use crate::simulation::{Came, Line, Row};

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// The words between which lines of tests are told.
const NOTHING: &str = "-";

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Each test on a line; those that fail with everything that was expected and that came.
pub(super) fn report(tested: &[Tested], zone: &str, colors: bool) -> String {
    let zone = zone_of(zone);
    let paint = |color: &'static str, text: &str| {
        if colors {
            format!("{color}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    };
    let mut text = String::new();
    for one in tested {
        let place = &one.scenario.place;
        let mark = if one.is_right() {
            paint(GREEN, "ok  ")
        } else {
            paint(RED, "FAIL")
        };
        let (file, line, name) = (&place.file, place.line, &one.scenario.name);
        let _ = writeln!(text, "{mark} {name}  ({file}:{line})");
        match &one.outcome {
            Err(trouble) => {
                let _ = writeln!(text, "  {trouble}");
            }
            Ok((_, verdict)) if !verdict.is_right() => {
                text += &table(&verdict.rows, &zone);
            }
            Ok(_) => {}
        }
    }
    let failed = tested.iter().filter(|one| !one.is_right()).count();
    let _ = match (tested.len(), failed) {
        (0, _) => writeln!(
            text,
            "there are no tests: write a document that begins with `test:`"
        ),
        (all, 0) => writeln!(text, "{all} passed"),
        (all, failed) => writeln!(text, "{} passed, {failed} failed", all - failed),
    };
    text
}

fn table(rows: &[Row], zone: &TimeZone) -> String {
    let head = [
        String::new(),
        "line".to_owned(),
        "expected".to_owned(),
        "came".to_owned(),
    ];
    let cells = rows.iter().map(|row| {
        let mark = if row.is_right { "" } else { "!" };
        let line = row
            .expected
            .as_ref()
            .map(|expected| expected.place.line.to_string());
        let expected = row
            .expected
            .as_ref()
            .map(|expected| expectation(expected, zone));
        let came = row.came.as_ref().map(|line| came(line, zone));
        [
            mark.to_owned(),
            line.unwrap_or_default(),
            expected.unwrap_or_else(|| NOTHING.to_owned()),
            came.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    });
    let cells: Vec<[String; 4]> = std::iter::once(head).chain(cells).collect();
    aligned(2, &cells)
}

fn minute(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

fn expectation(expected: &Expected, zone: &TimeZone) -> String {
    let mut parts = Vec::new();
    parts.extend(expected.at.map(|(from, _)| minute(from, zone)));
    parts.push(expected.customer.clone());
    parts.extend(expected.flow.clone());
    parts.extend(expected.step.clone());
    match &expected.what {
        Outcome::Sent {
            channel,
            communication,
            subject_contains,
            text_contains,
        } => {
            parts.push(channel.map_or_else(|| "sent".to_owned(), |channel| channel.to_string()));
            parts.extend(communication.clone());
            for part in [subject_contains, text_contains].into_iter().flatten() {
                parts.push(format!("with \"{part}\""));
            }
        }
        Outcome::Withheld(reason) => parts.push(format!("withheld {reason}")),
        Outcome::Goal => parts.push("goal".to_owned()),
        Outcome::Exited(reason) => parts.push(format!("exited {}", reason.as_str())),
        Outcome::Completed => parts.push("completed".to_owned()),
    }
    parts.join(" ")
}

fn came(line: &Line, zone: &TimeZone) -> String {
    let mut parts = vec![minute(line.at, zone), line.customer.clone()];
    parts.extend(line.step.clone().or_else(|| Some(line.flow.clone())));
    parts.push(match &line.came {
        Came::Sent {
            channel,
            communication,
            subject,
            ..
        } if subject.is_empty() => format!("{channel} {communication}"),
        Came::Sent {
            channel,
            communication,
            subject,
            ..
        } => format!("{channel} {communication} \"{subject}\""),
        Came::Withheld { reason, .. } => format!("withheld {reason}"),
        Came::Goal => "goal".to_owned(),
        Came::Exited(reason) => format!("exited {}", reason.as_str()),
        Came::Completed => "completed".to_owned(),
    });
    parts.join(" ")
}

/// One thing that came, on a line; the words of a message under it.
pub(super) fn told(line: &Line, zone: &TimeZone) -> String {
    let mut told = format!("{}\n", came(line, zone));
    if let Came::Sent { text, .. } = &line.came {
        for part in text.trim_end().lines() {
            let _ = writeln!(told, "    {part}");
        }
    }
    told
}

/// What failed, as one text.
pub(super) fn failure(tested: &Tested, zone: &str) -> Option<String> {
    match &tested.outcome {
        Err(trouble) => Some(trouble.to_string()),
        Ok((_, verdict)) if !verdict.is_right() => Some(table(&verdict.rows, &zone_of(zone))),
        Ok(_) => None,
    }
}

pub(super) fn json(tested: &Tested) -> Value {
    let place = &tested.scenario.place;
    let (timeline, trouble) = match &tested.outcome {
        Ok((played, _)) => (played.timeline.as_slice(), None),
        Err(trouble) => (&[][..], Some(trouble.to_string())),
    };
    let lines: Vec<Value> = timeline.iter().map(line_json).collect();
    json!({
        "test": tested.scenario.name,
        "file": place.file,
        "line": place.line,
        "ok": tested.is_right(),
        "trouble": trouble,
        "timeline": lines,
    })
}

pub(super) fn line_json(line: &Line) -> Value {
    let mut json = json!({
        "at": line.at.to_string(),
        "customer": line.customer,
        "flow": line.flow,
        "step": line.step,
    });
    match &line.came {
        Came::Sent {
            channel,
            communication,
            subject,
            text,
        } => {
            json["what"] = json!("sent");
            json["channel"] = json!(channel);
            json["communication"] = json!(communication);
            json["subject"] = json!(subject);
            json["text"] = json!(text);
        }
        Came::Withheld { channel, reason } => {
            json["what"] = json!("withheld");
            json["channel"] = json!(channel);
            json["reason"] = json!(reason.as_str());
        }
        Came::Goal => json["what"] = json!("goal"),
        Came::Exited(reason) => {
            json["what"] = json!("exited");
            json["reason"] = json!(reason.as_str());
        }
        Came::Completed => json["what"] = json!("completed"),
    }
    json
}

/// The lines of an `expect:` list that says what came.
pub(super) fn expectations(timeline: &[Line], zone: &str) -> String {
    let zone = zone_of(zone);
    let mut text = String::new();
    for line in timeline {
        let at = zone
            .to_datetime(line.at)
            .strftime("%Y-%m-%dT%H:%M")
            .to_string();
        let (customer, flow) = (&line.customer, &line.flow);
        let step = line.step.as_deref().unwrap_or_default();
        let what = match &line.came {
            Came::Sent {
                channel,
                communication,
                ..
            } => format!("step: {step}, {channel}: {communication}"),
            Came::Withheld { reason, .. } => format!("step: {step}, withheld: {reason}"),
            Came::Goal => format!("flow: {flow}, goal: true"),
            Came::Exited(reason) => format!("flow: {flow}, exited: {}", reason.as_str()),
            Came::Completed => format!("flow: {flow}, completed: true"),
        };
        let _ = write!(
            text,
            "\n  - {{ at: {at}, customer: \"{customer}\", {what} }}"
        );
    }
    if text.is_empty() {
        " []".to_owned()
    } else {
        text
    }
}
