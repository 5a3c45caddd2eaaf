//! Owns what looking ahead costs: a plan of an edit for those who wait, and the simulation of two months.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use jiff::{SignedDuration, Timestamp};

use drumbeat::clock::ManualClock;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::revision::Revision;
use drumbeat::domain::segment::Condition;
use drumbeat::domain::timing::When;
use drumbeat::engine::Enroller;
use drumbeat::engine::impact::Impact;
use drumbeat::simulation::{Request, simulate};

use crate::files;
use crate::gateway::Recorder;
use crate::measures::{Measures, add, number};
use crate::people;
use crate::place::Place;
use crate::process;
use crate::rig::{self, Rig};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const DAYS: i32 = 60;

/// One in twenty waits for the first step; its delay becomes shorter, then its segment larger.
pub(crate) async fn plan(place: &Place) -> Result<Measures> {
    let clock = std::sync::Arc::new(ManualClock::new(people::monday()?));
    let gateway = Recorder::new(std::sync::Arc::clone(&clock) as _, 0);
    let rig = Rig::open(place, std::sync::Arc::clone(&clock) as _, gateway).await?;
    let enroller = Enroller::new(std::sync::Arc::clone(&rig.engine));
    let waiting = rig.begin(&enroller).await?;
    rig.close().await?;
    if waiting != place.customers / 20 {
        bail!("{waiting} wait, not one in twenty");
    }
    let mut measures = Measures::new();
    add(&mut measures, "waiting", number(waiting));
    let now = people::monday()? + DAY;
    let sooner = |revision: &mut Revision| {
        for flow in revision.flows.values_mut() {
            flow.steps[0].when = When::After(Delay::hours(1));
        }
    };
    let impact = assess(place, &sooner, now, "shorter", &mut measures).await?;
    let sent = impact
        .flows
        .first()
        .and_then(|flow| flow.at_once.sent.get(&Channel::Sms));
    if sent != Some(&waiting) {
        bail!("{sent:?} would be sent, not {waiting}");
    }
    let larger = |revision: &mut Revision| {
        for segment in revision.segments.values_mut() {
            segment.condition = Condition::Any(vec![segment.condition.clone(), half()]);
        }
    };
    let impact = assess(place, &larger, now, "larger", &mut measures).await?;
    let enters = impact.flows.first().map(|flow| flow.enters);
    if enters.is_none_or(|enters| enters < place.customers / 3) {
        bail!("{enters:?} would enter");
    }
    add(&mut measures, "memory_peak", process::peak_megabytes()?);
    Ok(measures)
}

/// Everybody whose balance is at least 5,000.
fn half() -> Condition {
    let text = r#"{"field": {"field": "balance", "test": {"at-least": {"integer": 5000}}}}"#;
    serde_json::from_str(text).unwrap_or(Condition::All(Vec::new()))
}

async fn assess(
    place: &Place,
    edit: &dyn Fn(&mut Revision),
    now: Timestamp,
    name: &str,
    measures: &mut Measures,
) -> Result<Impact> {
    let store = rig::open_store(place).await?;
    let current = store.current_revision().await?;
    let current = current.context("a revision is in force")?;
    let mut revision = current.revision.clone();
    edit(&mut revision);
    let (begun, cpu) = (Instant::now(), process::cpu_seconds()?);
    let impact = Impact::assess(&store, &current, &current.revision, revision, now).await?;
    add(
        measures,
        &format!("plan_{name}_s"),
        begun.elapsed().as_secs_f64(),
    );
    add(
        measures,
        &format!("plan_{name}_cpu_s"),
        process::cpu_seconds()? - cpu,
    );
    store.close().await;
    Ok(impact)
}

/// The same base, two months on.
pub(crate) async fn simulation(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let (revision, _) = files::revision(place)?;
    let from = people::monday()? + DAY;
    let request = Request {
        flows: Vec::new(),
        from,
        until: from + DAY * DAYS,
        customer: None,
        public_url: "https://bank.example".to_owned(),
    };
    let begun = Instant::now();
    let simulated = simulate(&store, (revision, "simulated"), &request, &|_| {}).await?;
    let took = begun.elapsed().as_secs_f64();
    let messages: u64 = simulated.tally.values().sum();
    store.close().await;
    let mut measures = Measures::new();
    add(&mut measures, "simulated_steps", number(messages));
    add(&mut measures, "simulated_s", took);
    add(
        &mut measures,
        "simulated_steps_per_s",
        number(messages) / took,
    );
    add(&mut measures, "memory_peak", process::peak_megabytes()?);
    Ok(measures)
}
