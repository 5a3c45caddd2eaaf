//! Owns how a flow's report is told: as text for people, as rows for spreadsheets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::columns::{aligned, counted};
use super::moments::moment_in;
use crate::domain::uplift::Estimate;
use crate::engine::flow_report::{
    ArmReport, FlowReport, GoalReport, MessageReport, PartReport, StepReport,
};

const COLUMNS: [&str; 12] = [
    "entered",
    "waiting",
    "sent",
    "delivered",
    "bounced",
    "failed",
    "uncertain",
    "withheld",
    "opened",
    "clicked",
    "converted",
    "",
];

pub(super) fn text(report: &FlowReport, zone: &TimeZone) -> String {
    let at = moment_in(report.at, zone);
    let mut text = format!("{} ({}), {at}\n", report.name, report.flow);
    let _ = writeln!(text, "  {}\n", summary(report));
    text += &aligned(2, &rows(report));
    let withheld = report.steps.iter().filter_map(|step| {
        let why = reasons(&step.messages.withheld);
        (!why.is_empty()).then(|| format!("  {}: withheld for {why}\n", step.step))
    });
    let withheld: Vec<String> = withheld.collect();
    if !withheld.is_empty() {
        let _ = write!(text, "\n{}", withheld.concat());
    }
    if let Some(goal) = &report.goal {
        let _ = write!(text, "\n{}", of_goal(goal, zone));
    }
    text
}

/// How many came in, and where they are.
pub(super) fn summary(report: &FlowReport) -> String {
    let mut parts = vec![format!("{} entered", counted(report.entered))];
    for (count, what) in [
        (report.pending, "to be let in"),
        (report.waiting, "on their way"),
        (report.completed, "completed"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", counted(count)));
        }
    }
    if !report.exited.is_empty() {
        let all: u64 = report.exited.values().sum();
        parts.push(format!(
            "{} exited ({})",
            counted(all),
            reasons(&report.exited)
        ));
    }
    parts.join(", ")
}

fn rows(report: &FlowReport) -> Vec<[String; 13]> {
    let mut head = [const { String::new() }; 13];
    "step".clone_into(&mut head[0]);
    for (cell, column) in head[1..].iter_mut().zip(COLUMNS) {
        column.clone_into(cell);
    }
    let mut rows = vec![head];
    for step in &report.steps {
        let name = if step.removed {
            format!("{} (removed)", step.step)
        } else {
            step.step.clone()
        };
        rows.push(row(&name, Some(step), &step.messages, ""));
        for part in &step.parts {
            let conversion = part.conversion.map_or_else(String::new, percent);
            rows.push(row(
                &format!("  {}", part_name(part)),
                None,
                &part.messages,
                &conversion,
            ));
        }
    }
    rows
}

fn row(
    name: &str,
    step: Option<&StepReport>,
    messages: &MessageReport,
    note: &str,
) -> [String; 13] {
    let of_step =
        |count: fn(&StepReport) -> u64| step.map_or_else(String::new, |s| shown(count(s)));
    [
        name.to_owned(),
        of_step(|step| step.entered),
        of_step(|step| step.waiting),
        shown(messages.sent),
        shown(messages.delivered),
        shown(messages.bounced),
        shown(messages.failed),
        shown(messages.uncertain),
        shown(messages.withheld.values().sum()),
        shown(messages.opened),
        shown(messages.clicked),
        shown(messages.converted),
        note.to_owned(),
    ]
}

fn shown(count: u64) -> String {
    match count {
        0 => "·".to_owned(),
        count => counted(count),
    }
}

pub(super) fn part_name(part: &PartReport) -> String {
    let channel = part.channel.map(|channel| channel.to_string());
    let names = channel.into_iter().chain(part.variant.clone());
    names.collect::<Vec<_>>().join(" ")
}

/// `no_consent 12, late 3`, the most frequent first.
pub(super) fn reasons(reasons: &BTreeMap<&'static str, u64>) -> String {
    let mut each: Vec<(&str, u64)> = reasons.iter().map(|(why, count)| (*why, *count)).collect();
    each.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = each
        .iter()
        .map(|(why, count)| format!("{why} {}", counted(*count)));
    words.collect::<Vec<_>>().join(", ")
}

fn of_goal(goal: &GoalReport, zone: &TimeZone) -> String {
    let since = goal
        .since
        .map(|at| format!(" since {}", moment_in(at, zone)));
    let mut text = format!(
        "goal within {}: {} reached it, {} of them before any message\n",
        goal.within,
        counted(goal.reached),
        counted(goal.before_any_message),
    );
    let _ = writeln!(text, "  of those who entered{}:", since.unwrap_or_default());
    let arms = [("messaged", goal.messaged), ("held out", goal.held_out)];
    let arms = arms.map(|(name, arm)| arm_row(name, arm));
    text += &aligned(4, &arms);
    if goal.mixed.people > 0 {
        let people = counted(goal.mixed.people);
        let _ = writeln!(text, "    {people} were both, and are not compared");
    }
    let _ = writeln!(text, "    {}", verdict(goal));
    text
}

fn arm_row(name: &str, arm: ArmReport) -> [String; 4] {
    [
        name.to_owned(),
        format!("{} people", counted(arm.people)),
        format!("{} reached it", counted(arm.reached)),
        arm.share.map_or_else(String::new, percent),
    ]
}

/// What the comparison says, in a sentence.
pub(super) fn verdict(goal: &GoalReport) -> String {
    let Some(uplift) = goal.uplift else {
        return "nobody was held out: `entry: { holdout: 5% }` shows what the messages bring"
            .to_owned();
    };
    let points = |share: f64| format!("{:+.1}", share * 100.0);
    let bounds = format!(
        "{} points, with 95 % confidence {} to {}",
        points(uplift.value),
        points(uplift.low),
        points(uplift.high)
    );
    let says = if uplift.low > 0.0 {
        "the messages bring more"
    } else if uplift.high < 0.0 {
        "the messages bring less"
    } else {
        "it may be chance"
    };
    format!("uplift {bounds}: {says}")
}

/// `10.5 % (9.9 to 11.0)`.
pub(super) fn percent(share: Estimate) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|share| share * 100.0);
    format!("{value:.1} % ({low:.1} to {high:.1})")
}

/// A row for each step, then for each of its parts; the columns of reasons are those that occur.
pub(super) fn csv(report: &FlowReport) -> anyhow::Result<String> {
    let steps = report.steps.iter();
    let reasons: BTreeSet<&str> = steps
        .flat_map(|step| step.messages.withheld.keys().copied())
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = COLUMNS.iter().filter(|column| !column.is_empty());
    let head = ["flow", "step", "channel", "variant"];
    let head = head
        .iter()
        .chain(columns)
        .map(|column| (*column).to_owned());
    writer.write_record(head.chain(reasons.iter().map(|why| format!("withheld_{why}"))))?;
    for step in &report.steps {
        let place = [&report.flow, &step.step, "", ""];
        writer.write_record(record(place, Some(step), &step.messages, &reasons))?;
        for part in &step.parts {
            let channel = part.channel.map_or("", |channel| channel.as_str());
            let variant = part.variant.as_deref().unwrap_or_default();
            let place = [&report.flow, &step.step, channel, variant];
            writer.write_record(record(place, None, &part.messages, &reasons))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn record(
    place: [&str; 4],
    step: Option<&StepReport>,
    messages: &MessageReport,
    reasons: &BTreeSet<&str>,
) -> Vec<String> {
    let of_step = |count: fn(&StepReport) -> u64| {
        step.map_or_else(String::new, |step| count(step).to_string())
    };
    let counts = [
        messages.sent,
        messages.delivered,
        messages.bounced,
        messages.failed,
        messages.uncertain,
        messages.withheld.values().sum(),
        messages.opened,
        messages.clicked,
        messages.converted,
    ];
    let withheld = reasons
        .iter()
        .map(|why| messages.withheld.get(why).copied().unwrap_or_default());
    let mut cells = place.map(str::to_owned).to_vec();
    cells.extend([of_step(|step| step.entered), of_step(|step| step.waiting)]);
    cells.extend(
        counts
            .into_iter()
            .chain(withheld)
            .map(|count| count.to_string()),
    );
    cells
}
