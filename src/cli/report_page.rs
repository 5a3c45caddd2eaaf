//! Owns a flow's report as a page in one file, with charts.

use askama::Template;
use jiff::tz::TimeZone;

use super::columns::counted;
use super::moments::moment_in;
use super::report_words as words;
use crate::domain::uplift::Estimate;
use crate::engine::flow_report::{FlowReport, GoalReport, MessageReport};

/// The width of a chart; that of intervals leaves room for their figures.
const WIDTH: f64 = 640.0;
const WHISKERS: f64 = 520.0;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    title: String,
    at: String,
    summary: String,
    steps: Vec<StepBlock>,
    goal: Option<GoalBlock>,
}

/// A step with a bar for how far its messages came.
struct StepBlock {
    name: String,
    bars: Vec<Bar>,
    withheld: String,
    rows: Vec<(String, MessageReport)>,
}

struct Bar {
    label: &'static str,
    count: String,
    width: f64,
}

struct GoalBlock {
    reached: String,
    arms: Vec<Whisker>,
    verdict: String,
}

/// An estimate between its bounds.
struct Whisker {
    label: &'static str,
    told: String,
    low: f64,
    value: f64,
    high: f64,
}

pub(super) fn html(report: &FlowReport, zone: &TimeZone) -> askama::Result<String> {
    let most = report.steps.iter().map(|step| step.entered).max();
    let most = most.unwrap_or(0).max(1);
    let steps = report.steps.iter().map(|step| {
        let messages = &step.messages;
        let bar = |(label, count): (&'static str, u64)| Bar {
            label,
            count: counted(count),
            width: WIDTH * part(count, most),
        };
        let came = [
            ("entered", step.entered),
            ("sent", messages.sent),
            ("opened", messages.opened),
            ("clicked", messages.clicked),
            ("converted", messages.converted),
        ];
        let parts = step.parts.iter();
        StepBlock {
            name: step.step.clone(),
            bars: came.map(bar).into(),
            withheld: words::reasons(&messages.withheld),
            rows: std::iter::once(("all".to_owned(), messages.clone()))
                .chain(parts.map(|part| (words::part_name(part), part.messages.clone())))
                .collect(),
        }
    });
    let page = ReportPage {
        title: report.name.clone(),
        at: moment_in(report.at, zone),
        summary: words::summary(report),
        steps: steps.collect(),
        goal: report.goal.as_ref().map(goal_block),
    };
    page.render()
}

fn goal_block(goal: &GoalReport) -> GoalBlock {
    let arms = [
        ("messaged", goal.messaged.share),
        ("held out", goal.held_out.share),
    ];
    let shares = arms.into_iter();
    let shares: Vec<(&str, Estimate)> = shares
        .filter_map(|(label, share)| Some((label, share?)))
        .collect();
    let most = shares
        .iter()
        .map(|(_, share)| share.high)
        .fold(0.0, f64::max);
    let whisker = |(label, share): &(&'static str, Estimate)| {
        let place = |value: f64| WHISKERS * value / most.max(f64::EPSILON);
        Whisker {
            label,
            told: words::percent(*share),
            low: place(share.low),
            value: place(share.value),
            high: place(share.high),
        }
    };
    GoalBlock {
        reached: counted(goal.reached),
        arms: shares.iter().map(whisker).collect(),
        verdict: words::verdict(goal),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the length of a bar is no count"
)]
fn part(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}
