//! Owns a flow as people read it: how many came in, how far they got, and what was withheld why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::columns::counted;
use super::moments::moment;
use crate::domain::channel::Channel;
use crate::domain::dispatch::Reason;
use crate::engine::picture::{FlowLine, Picture, StepLine};

/// The longest bar; a narrow terminal gets none.
const BAR: usize = 20;
const WIDE_ENOUGH: usize = 72;

/// All flows under each other. `width`: the terminal's columns.
pub(crate) fn funnels(picture: &Picture, width: usize) -> String {
    let each = picture.flows.iter();
    let texts: Vec<String> = each.map(|flow| funnel(flow, picture, width)).collect();
    texts.join("\n")
}

fn funnel(flow: &FlowLine, picture: &Picture, width: usize) -> String {
    let counts = flow.enrollments;
    let entered = counts.waiting + counts.completed + counts.exited;
    let mut text = format!("{}  {}{}\n", flow.id, flow.status, paused(flow, picture));
    let mut parts = vec![format!("{} entered", counted(entered))];
    for (count, what) in [
        (counts.pending, "to be let in"),
        (counts.waiting, "on their way"),
        (counts.completed, "completed"),
        (counts.exited, "exited"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", counted(count)));
        }
    }
    let _ = writeln!(text, "  {}", parts.join(", "));
    if !flow.exits.is_empty() {
        let exits = flow.exits.iter().map(|(why, count)| (*why, *count));
        let _ = writeln!(text, "  exited: {}", listed(exits));
    }
    text.push_str(&steps(flow, entered, width));
    text
}

fn paused(flow: &FlowLine, picture: &Picture) -> String {
    let Some(pause) = &flow.pause else {
        return String::new();
    };
    let reason = pause.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let since = moment(pause.at, &picture.zone);
    format!(" by {} since {since}{reason}", pause.by)
}

fn steps(flow: &FlowLine, entered: u64, width: usize) -> String {
    let most = |of: fn(&StepLine) -> usize| flow.steps.iter().map(of).max().unwrap_or(0);
    let names = most(|step| step.id.chars().count());
    let digits = most(|step| counted(step.counts.sent).len());
    let bar = if width >= WIDE_ENOUGH { BAR } else { 0 };
    let mut text = String::new();
    for step in &flow.steps {
        let channel = match step.channel {
            Some(channel) => channel.as_str(),
            None if step.removed => "gone",
            None => "wait",
        };
        let _ = write!(text, "    {:names$}  {channel:5}  ", step.id);
        let mut parts = remarks(step);
        if step.channel.is_some() || step.counts.sent > 0 {
            if bar > 0 {
                let _ = write!(text, "{}  ", drawn(step.counts.sent, entered, bar));
            }
            let sent = counted(step.counts.sent);
            parts.insert(0, format!("{sent:>digits$} sent"));
        }
        text.push_str(&parts.join(", "));
        text.truncate(text.trim_end().len());
        text.push('\n');
        if !step.counts.withheld.is_empty() {
            let reasons = format!("withheld: {}", withheld(&step.counts.withheld));
            text.push_str(&wrapped(&reasons, names + 6, width));
        }
    }
    text
}

/// A list under each other where it does not fit beside each other, all of it indented.
fn wrapped(list: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(24);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for part in list.split_inclusive(", ") {
        if !line.is_empty() && line.len() + part.trim_end().len() > room {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(part);
    }
    lines.push(line);
    let lines = lines
        .iter()
        .map(|line| format!("{:indent$}{}\n", "", line.trim_end()));
    lines.collect()
}

fn remarks(step: &StepLine) -> Vec<String> {
    let counts = &step.counts;
    let waiting = counts.waiting.saturating_sub(counts.held);
    [
        (waiting, "waiting"),
        (counts.held, "held"),
        (counts.sending, "being sent"),
        (counts.deferred, "to be tried again"),
        (counts.uncertain, "uncertain"),
        (counts.failed, "failed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", counted(count)))
    .collect()
}

fn drawn(part: u64, whole: u64, width: usize) -> String {
    let scaled = part.saturating_mul(width as u64).div_ceil(whole.max(1));
    let filled = usize::try_from(scaled).unwrap_or(width).min(width);
    format!("{}{}", "█".repeat(filled), "░".repeat(width - filled))
}

fn withheld(reasons: &BTreeMap<Reason, u64>) -> String {
    listed(
        reasons
            .iter()
            .map(|(reason, count)| (reason.as_str(), *count)),
    )
}

/// `no_consent 12, late 3`, the most frequent first.
fn listed<'a>(each: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut each: Vec<(&str, u64)> = each.collect();
    each.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = each
        .iter()
        .map(|(what, count)| format!("{what} {}", counted(*count)));
    words.collect::<Vec<_>>().join(", ")
}

/// `email 12, sms 3`.
pub(crate) fn by_channel(counts: &BTreeMap<Channel, u64>) -> String {
    let words = counts
        .iter()
        .map(|(channel, count)| format!("{channel} {}", counted(*count)));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_something_as_soon_as_there_is_something() {
        assert_eq!(drawn(0, 0, 4), "░░░░");
        assert_eq!(drawn(1, 1_000, 4), "█░░░");
        assert_eq!(drawn(500, 1_000, 4), "██░░");
        assert_eq!(drawn(7, 5, 4), "████");
    }

    #[test]
    fn a_list_is_broken_where_the_terminal_ends() {
        let list = "withheld: no_consent 28, frequency_capped 3, late 1";
        assert_eq!(wrapped(list, 2, 80), format!("  {list}\n"));
        let narrow = "  withheld: no_consent 28,\n  frequency_capped 3, late 1\n";
        assert_eq!(wrapped(list, 2, 30), narrow);
    }

    #[test]
    fn the_most_frequent_reason_stands_first() {
        let reasons = BTreeMap::from([(Reason::Late, 2), (Reason::NoConsent, 1_200)]);
        assert_eq!(withheld(&reasons), "no_consent 1,200, late 2");
    }
}
