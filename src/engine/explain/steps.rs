//! Owns what became of each step of a run, and what is to come of the others.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::heard;
use super::question::Question;
use super::rules;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::enrollment::HeldBecause;
use crate::domain::flow::Step;
use crate::domain::gate::Verdict;
use crate::domain::timing::Meant;
use crate::engine::foretell::foretell;
use crate::store::{Result, Run, RunMessage};

/// One step, as it is told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepTold {
    #[serde(rename = "step")]
    #[schema(example = "welcome")]
    pub id: String,
    pub channel: Option<Channel>,
    /// `sent`, `withheld`, `waiting`, `held`, `sending`, `deferred`, `uncertain`, `refused`,
    /// `bounced`, `expired`, `passed`, `to-come` or `not-reached`.
    pub state: &'static str,
    /// When it is looked at next; an estimate for a step to come.
    pub due: Option<Timestamp>,
    /// The reason's name, as the ledger has it.
    pub reason: Option<String>,
    pub at: Option<Timestamp>,
    /// The rule behind it, in words.
    pub why: Vec<String>,
    pub attempts: Option<u32>,
}

/// Where a step stands beside the one that the run has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Here,
    After,
}

pub(super) async fn told(question: &Question<'_>, run: &Run) -> Result<Vec<StepTold>> {
    let store = question.store;
    let messages = store.run_messages(run.enrollment).await?;
    let numbers = &question.catalog.published.numbers;
    let current = question.flow.steps.iter().position(|step| {
        run.step.is_some() && numbers.step(&question.flow.id, &step.id) == run.step
    });
    let mut told = Vec::new();
    // The earliest that the step before can be finished.
    let mut from: Option<Timestamp> = None;
    for (position, step) in question.flow.steps.iter().enumerate() {
        let number = numbers.step(&question.flow.id, &step.id);
        let message = messages.iter().find(|message| Some(message.step) == number);
        let place = match current {
            Some(current) if position == current => Place::Here,
            Some(current) if position > current => Place::After,
            _ => Place::Before,
        };
        let line = match (place, message) {
            (Place::Here, message) if run.status.is_live() => {
                here(question, run, step, message).await?
            }
            (_, Some(message)) => done(question, step, message).await?,
            (Place::After, None) if run.status.is_live() => to_come(question, step, from),
            (Place::Before, None) => bare(step, "passed"),
            (_, None) => bare(step, "not-reached"),
        };
        from = line.due.or(from);
        told.push(line);
    }
    Ok(told)
}

fn bare(step: &Step, state: &'static str) -> StepTold {
    StepTold {
        id: step.id.clone(),
        channel: step.channels().next(),
        state,
        due: None,
        reason: None,
        at: None,
        why: Vec::new(),
        attempts: None,
    }
}

/// What became of a message.
async fn done(question: &Question<'_>, step: &Step, message: &RunMessage) -> Result<StepTold> {
    let state = match message.state {
        DispatchState::Accepted | DispatchState::Delivered => "sent",
        DispatchState::Claimed => "sending",
        other => other.as_str(),
    };
    let mut why = Vec::new();
    if let Some(reason) = message.reason {
        why = rules::behind(question, (step, message.channel), reason, message.at).await?;
    }
    why.extend(message.detail.clone());
    if let Some(id) = &message.gateway_id {
        why.push(format!("the gateway calls it {id}"));
    }
    if message.is_heard_of {
        why.extend(heard::of(question, message).await?);
    }
    Ok(StepTold {
        channel: message.channel,
        reason: message.reason.map(|reason| reason.as_str().to_owned()),
        at: Some(message.at),
        why,
        attempts: Some(message.attempt),
        ..bare(step, state)
    })
}

/// The step that the run has come to.
async fn here(
    question: &Question<'_>,
    run: &Run,
    step: &Step,
    message: Option<&RunMessage>,
) -> Result<StepTold> {
    let due = run.due.or(run.parked);
    if let Some(message) = message {
        let mut line = done(question, step, message).await?;
        if line.state == "deferred" {
            line.due = due;
            line.why
                .push(format!("try {} comes next", message.attempt + 1));
        }
        return Ok(line);
    }
    let mut line = StepTold {
        due,
        ..bare(step, "waiting")
    };
    if run.parked.is_some() && run.due.is_none() {
        line.state = "held";
        line.reason = Some("paused".to_owned());
        line.why
            .push("the flow is paused: this is the time it had before".to_owned());
    } else if let Some(held) = run.held {
        line.state = "held";
        line.reason = Some(held.as_str().to_owned());
        line.why.push(held_in_words(question, held, line.channel));
    }
    if run.due.is_none() && run.parked.is_none() {
        line.why.push("waits to be let in".to_owned());
    }
    if let Some(foretold) = foretold(question, run, step).await? {
        line.why.push(foretold);
    }
    Ok(line)
}

fn held_in_words(question: &Question<'_>, held: HeldBecause, channel: Option<Channel>) -> String {
    let policy = &question.catalog.revision().policy;
    let quiet = channel.and_then(|channel| policy.quiet_hours.get(&channel));
    match (held, quiet) {
        (HeldBecause::QuietHours, Some(quiet)) => {
            let (from, until) = (quiet.from.strftime("%H:%M"), quiet.until.strftime("%H:%M"));
            format!("quiet hours from {from} to {until} on the customer's clock")
        }
        (HeldBecause::QuietHours, None) => "quiet hours".to_owned(),
        (HeldBecause::Window, _) => "the window of the flow or step is closed".to_owned(),
        (HeldBecause::Cap, _) => "a frequency cap is reached".to_owned(),
        (HeldBecause::Paused, _) => {
            "the flow or channel is paused, or no gateway is open".to_owned()
        }
    }
}

/// What the gate would say if this step were due now.
async fn foretold(question: &Question<'_>, run: &Run, step: &Step) -> Result<Option<String>> {
    let Some(due) = run.as_due(question.customer.id, question.number, None) else {
        return Ok(None);
    };
    let store = question.store;
    let verdict = foretell(store, question.catalog, &due, question.now).await?;
    let words = match verdict {
        None => return Ok(None),
        Some(Verdict::Send) => "were it due now, it would be sent".to_owned(),
        Some(Verdict::Hold { until, because }) => {
            let until = question.told(until);
            format!(
                "were it due now, it would be held until {until}: {}",
                because.as_str()
            )
        }
        Some(Verdict::Withhold(reason) | Verdict::Exit(reason, _)) => {
            let rules = rules::behind(
                question,
                (step, step.channels().next()),
                reason,
                question.now,
            )
            .await?;
            let rules = rules.join("; ");
            format!("were it due now, it would be withheld: {reason} ({rules})")
        }
    };
    Ok(Some(words))
}

/// When a later step comes at the earliest, if the one before is finished when it is due.
fn to_come(question: &Question<'_>, step: &Step, from: Option<Timestamp>) -> StepTold {
    let reckoning = question.catalog.reckoning(&question.zone);
    let planned = |from: Timestamp| {
        let meant = step.when.meant(question.customer, from, step.at, reckoning);
        match meant {
            Meant::At(at) => at,
            Meant::Dateless | Meant::Over => from,
        }
    };
    let mut why =
        vec!["at the earliest: the time counts from when the step before is finished".to_owned()];
    if let Some(condition) = &step.condition {
        let model = &question.catalog.revision().data_model;
        let words = crate::domain::segment_words::words(condition, model);
        why.push(format!("only if {words}"));
    }
    StepTold {
        due: from.map(planned),
        why,
        ..bare(step, "to-come")
    }
}
