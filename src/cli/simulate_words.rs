//! Owns how a simulation is told: days with bars, steps with what was withheld, the busiest hours.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::columns::{aligned, counted};
use super::test_words;
use crate::domain::channel::Channel;
use crate::domain::gateway::ChannelConfig;
use crate::domain::reason::Reason;
use crate::domain::revision::NameKind;
use crate::simulation::{Request, Simulated, busiest, by_day};

/// The longest bar.
const BAR: u64 = 40;

/// One step as it was walked.
pub(super) struct Walked {
    pub(super) flow: String,
    pub(super) step: String,
    pub(super) sent: u64,
    pub(super) withheld: BTreeMap<Reason, u64>,
    waiting: u64,
}

pub(super) fn text(
    simulated: &Simulated,
    request: &Request,
    configs: &BTreeMap<Channel, ChannelConfig>,
) -> String {
    let zone = simulated.published.revision.time_zone();
    let mut text = String::new();
    let total: u64 = simulated.tally.values().sum();
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let _ = writeln!(
        text,
        "{} messages from {} to {}\n",
        counted(total),
        day(request.from),
        day(request.until)
    );
    text += &days(simulated, &zone);
    text += &steps(simulated);
    text += &hours(simulated, configs, &zone);
    if !simulated.timeline.is_empty() {
        text.push('\n');
        for line in &simulated.timeline {
            text += &test_words::told(line, &zone);
        }
    }
    text
}

fn days(simulated: &Simulated, zone: &TimeZone) -> String {
    let days = by_day(&simulated.tally, zone);
    let all = |channels: &BTreeMap<Channel, u64>| channels.values().sum::<u64>();
    let most = days.values().map(all).max().unwrap_or(0).max(1);
    let rows: Vec<[String; 4]> = days
        .iter()
        .map(|(day, channels)| {
            let count = all(channels);
            let parts = channels
                .iter()
                .map(|(channel, count)| format!("{channel} {}", counted(*count)));
            let bar = usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0);
            [
                format!("{day} {}", day.strftime("%a")),
                format!("{:>9}", counted(count)),
                "█".repeat(bar),
                parts.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    aligned(2, &rows)
}

pub(super) fn walked(simulated: &Simulated) -> Vec<Walked> {
    let published = &simulated.published;
    let mut all = Vec::new();
    for flow in published.revision.flows.values() {
        for step in &flow.steps {
            let Some(number) = published.numbers.step(&flow.id, &step.id) else {
                continue;
            };
            let before = simulated
                .before
                .steps
                .get(&number)
                .cloned()
                .unwrap_or_default();
            let after = simulated
                .after
                .steps
                .get(&number)
                .cloned()
                .unwrap_or_default();
            let withheld = after.withheld.iter().filter_map(|(reason, count)| {
                let earlier = before.withheld.get(reason).copied().unwrap_or_default();
                (*count > earlier).then(|| (*reason, count - earlier))
            });
            let walked = Walked {
                flow: flow.id.clone(),
                step: step.id.clone(),
                sent: after.sent.saturating_sub(before.sent),
                withheld: withheld.collect(),
                waiting: after.waiting,
            };
            if walked.sent + walked.waiting > 0 || !walked.withheld.is_empty() {
                all.push(walked);
            }
        }
    }
    all
}

pub(super) fn entered(simulated: &Simulated, flow: &str) -> u64 {
    let number = simulated.published.numbers.number(NameKind::Flow, flow);
    let of = |counts: &crate::store::Counts| {
        let flow = number.and_then(|number| counts.flows.get(&number));
        flow.map_or(0, |flow| flow.waiting + flow.completed + flow.exited)
    };
    of(&simulated.after).saturating_sub(of(&simulated.before))
}

fn steps(simulated: &Simulated) -> String {
    let mut text = String::new();
    let walked = walked(simulated);
    for of_flow in walked.chunk_by(|one, other| one.flow == other.flow) {
        let flow = of_flow.first().map_or("", |step| &step.flow);
        let entered = counted(entered(simulated, flow));
        let _ = writeln!(text, "\n{flow}: {entered} would enter");
        let rows: Vec<[String; 4]> = of_flow.iter().map(row).collect();
        text += &aligned(2, &rows);
    }
    text
}

fn row(walked: &Walked) -> [String; 4] {
    let withheld = walked.withheld.iter();
    let withheld: Vec<String> = withheld
        .map(|(reason, count)| format!("{} {reason}", counted(*count)))
        .collect();
    [
        walked.step.clone(),
        format!("{:>9} sent", counted(walked.sent)),
        format!("{:>9} waiting at the end", counted(walked.waiting)),
        if withheld.is_empty() {
            String::new()
        } else {
            format!("withheld: {}", withheld.join(", "))
        },
    ]
}

pub(super) fn hours(
    simulated: &Simulated,
    configs: &BTreeMap<Channel, ChannelConfig>,
    zone: &TimeZone,
) -> String {
    let mut text = String::new();
    for (channel, (hour, count)) in busiest(&simulated.tally) {
        let hour = zone.to_datetime(hour).strftime("%Y-%m-%d %H:%M");
        let _ = write!(
            text,
            "\nbusiest hour on {channel}: {} from {hour}",
            counted(count)
        );
        let pace = configs.get(&channel).and_then(|config| config.pace);
        if let Some(pace) = pace {
            let in_an_hour = u64::from(pace.messages) * 3_600 / u64::from(pace.per_seconds.max(1));
            let _ = write!(text, ", of {} that its pace allows", counted(in_an_hour));
            if count > in_an_hour {
                text.push_str(": some would go out later");
            }
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

pub(super) fn json(simulated: &Simulated, request: &Request) -> Value {
    let zone = simulated.published.revision.time_zone();
    let days: Vec<Value> = by_day(&simulated.tally, &zone)
        .iter()
        .flat_map(|(day, channels)| {
            channels.iter().map(move |(channel, count)| {
                json!({ "day": day.to_string(), "channel": channel, "messages": count })
            })
        })
        .collect();
    let steps: Vec<Value> = walked(simulated)
        .into_iter()
        .map(|walked| {
            let withheld: BTreeMap<&str, u64> = walked
                .withheld
                .iter()
                .map(|(reason, count)| (reason.as_str(), *count))
                .collect();
            json!({
                "flow": walked.flow, "step": walked.step, "sent": walked.sent,
                "withheld": withheld, "waiting": walked.waiting,
            })
        })
        .collect();
    let busiest: Vec<Value> = busiest(&simulated.tally)
        .iter()
        .map(|(channel, (hour, count))| {
            json!({ "channel": channel, "from": hour.to_string(), "messages": count })
        })
        .collect();
    let timeline: Vec<Value> = simulated
        .timeline
        .iter()
        .map(test_words::line_json)
        .collect();
    json!({
        "from": request.from.to_string(),
        "until": request.until.to_string(),
        "messages": simulated.tally.values().sum::<u64>(),
        "days": days,
        "steps": steps,
        "busiest": busiest,
        "customer": request.customer,
        "timeline": timeline,
    })
}
