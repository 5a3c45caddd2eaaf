//! Owns a simulation as a page in one file: a calendar of its days, and how far each flow's steps came.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::columns::counted;
use super::simulate_words::{Walked, entered, hours, walked};
use crate::domain::channel::Channel;
use crate::domain::gateway::ChannelConfig;
use crate::simulation::{Request, Simulated, by_day};

/// The longest bar.
const WIDTH: f64 = 560.0;
/// A day of the calendar, with the space around it.
const DAY: i32 = 16;

#[derive(Template)]
#[template(path = "simulate.html")]
struct SimulatePage {
    from: Date,
    until: Date,
    total: String,
    days: Vec<Day>,
    /// How wide the calendar is.
    width: i32,
    flows: Vec<FlowBlock>,
    hours: String,
}

/// A day in its column of weeks; Monday is at the top.
struct Day {
    x: i32,
    y: i32,
    /// From 0 to 1, by the busiest day.
    shade: f64,
    told: String,
}

struct FlowBlock {
    name: String,
    entered: String,
    bars: Vec<Bar>,
}

struct Bar {
    step: String,
    sent: f64,
    withheld: f64,
    told: String,
}

pub(super) fn html(
    simulated: &Simulated,
    request: &Request,
    configs: &BTreeMap<Channel, ChannelConfig>,
) -> askama::Result<String> {
    let zone = simulated.published.revision.time_zone();
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let (from, until) = (day(request.from), day(request.until));
    let total: u64 = simulated.tally.values().sum();
    let days = days(simulated, from, until);
    let page = SimulatePage {
        from,
        until,
        total: counted(total),
        width: days.iter().map(|day| day.x + DAY).max().unwrap_or(DAY),
        days,
        flows: flows(simulated),
        hours: hours(simulated, configs, &zone),
    };
    page.render()
}

fn days(simulated: &Simulated, from: Date, until: Date) -> Vec<Day> {
    let zone = simulated.published.revision.time_zone();
    let counts = by_day(&simulated.tally, &zone);
    let all = |channels: &BTreeMap<Channel, u64>| channels.values().sum::<u64>();
    let most = counts.values().map(all).max().unwrap_or(0);
    let first = i32::from(from.weekday().to_monday_zero_offset());
    let series = from.series(jiff::Span::new().days(1));
    let dates = (0..).zip(series.take_while(|date| *date <= until));
    let day = |(place, date): (i32, Date)| {
        let channels = counts.get(&date);
        let count = channels.map_or(0, all);
        let parts = channels.into_iter().flatten();
        let parts: Vec<String> = parts
            .map(|(channel, count)| format!("{channel} {}", counted(*count)))
            .collect();
        Day {
            x: (first + place) / 7 * DAY,
            y: (first + place) % 7 * DAY,
            shade: share(count, most),
            told: format!("{date}: {} {}", counted(count), parts.join(", ")),
        }
    };
    dates.map(day).collect()
}

fn flows(simulated: &Simulated) -> Vec<FlowBlock> {
    let walked = walked(simulated);
    let withheld = |step: &Walked| step.withheld.values().sum::<u64>();
    let blocks = walked.chunk_by(|one, other| one.flow == other.flow);
    let block = |steps: &[Walked]| {
        let name = steps.first().map_or("", |step| &step.flow);
        let most = steps.iter().map(|step| step.sent + withheld(step)).max();
        let most = most.unwrap_or(0);
        let bar = |step: &Walked| {
            let reasons = step.withheld.iter();
            let reasons: Vec<String> = reasons
                .map(|(reason, count)| format!("{reason} {}", counted(*count)))
                .collect();
            let mut told = format!("{} sent", counted(step.sent));
            if !reasons.is_empty() {
                told = format!("{told}, withheld: {}", reasons.join(", "));
            }
            Bar {
                step: step.step.clone(),
                sent: WIDTH * share(step.sent, most),
                withheld: WIDTH * share(withheld(step), most),
                told,
            }
        };
        FlowBlock {
            entered: counted(entered(simulated, name)),
            name: name.to_owned(),
            bars: steps.iter().map(bar).collect(),
        }
    };
    blocks.map(block).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a shade and a length are no counts"
)]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
