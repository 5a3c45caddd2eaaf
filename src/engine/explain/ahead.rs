//! Owns what will be sent to a customer and when, as things stand: every live run, in the order of time.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::question::Question;
use super::rules;
use super::steps::{self, StepTold};
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::flow::Step;
use crate::domain::gate::Verdict;
use crate::engine::catalog::{Catalog, FlowPlan};
use crate::engine::foretell::foretell;
use crate::store::{Result, Run, Store};

/// A message that is to come.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Ahead {
    /// When it comes; null where that cannot be known.
    pub at: Option<Timestamp>,
    pub certainty: Certainty,
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    /// Which entry into the flow it belongs to, counted from 1.
    pub entry: u32,
    #[schema(example = "welcome")]
    pub step: String,
    pub channel: Channel,
    /// The campaign whose communication it is, where it is reused.
    pub campaign: Option<String>,
    /// `waiting`, `held`, `sending`, `deferred` or `to-come`.
    #[schema(example = "waiting")]
    pub state: &'static str,
    /// What the gate would say of it then, as everything stands now: `send`, `hold`, `withhold` or
    /// `exit`; null where it cannot be asked.
    #[schema(example = "send")]
    pub verdict: Option<&'static str>,
    /// Why it would not be sent, as the ledger would have it.
    pub reason: Option<String>,
    /// Until when it would be held.
    pub held_until: Option<Timestamp>,
    /// In words: what is behind it, and why something cannot be known.
    pub why: Vec<String>,
}

/// How sure a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is looked at then.
    Due,
    /// Not before: it counts from when the step before is finished.
    AtTheEarliest,
    Unknown,
}

/// What is ahead of a customer as of `now`; what has no time comes last.
pub async fn ahead(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    now: Timestamp,
) -> Result<Vec<Ahead>> {
    let mut all = Vec::new();
    for number in store.live_flows(customer.id).await? {
        let Some(plan) = catalog.flows.get(&number) else {
            continue;
        };
        let question = Question {
            store,
            catalog,
            customer,
            flow: &plan.flow,
            number,
            zone: catalog.zone_of(customer),
            now,
        };
        for run in store.runs(customer.id, number).await? {
            if run.status.is_live() {
                all.extend(of_run(&question, plan, &run).await?);
            }
        }
    }
    all.sort_by_key(|one| (one.at.is_none(), one.at));
    Ok(all)
}

async fn of_run(question: &Question<'_>, plan: &FlowPlan, run: &Run) -> Result<Vec<Ahead>> {
    let mut ahead = Vec::new();
    let told = steps::told(question, run).await?;
    for (told, step) in told.into_iter().zip(&plan.flow.steps) {
        let open = ["waiting", "held", "sending", "deferred", "to-come"];
        let (Some(channel), true) = (told.channel, open.contains(&told.state)) else {
            continue;
        };
        ahead.push(of_step(question, run, step, told, channel).await?);
    }
    Ok(ahead)
}

async fn of_step(
    question: &Question<'_>,
    run: &Run,
    step: &Step,
    told: StepTold,
    channel: Channel,
) -> Result<Ahead> {
    let is_to_come = told.state == "to-come";
    let action = step.action_on(channel);
    let reused = action.and_then(|action| action.reuses.as_ref());
    let mut ahead = Ahead {
        at: told.due,
        certainty: match told.due {
            Some(_) if is_to_come => Certainty::AtTheEarliest,
            Some(_) => Certainty::Due,
            None => Certainty::Unknown,
        },
        flow: question.flow.id.clone(),
        entry: run.entry,
        step: told.id,
        channel,
        campaign: reused.map(|reused| reused.campaign.clone()),
        state: told.state,
        verdict: None,
        reason: told.reason,
        held_until: None,
        why: told.why,
    };
    if ahead.at.is_none() {
        let why = "when is not known: the step before it has no time yet, or is being sent";
        ahead.why.push(why.to_owned());
    }
    if told.state != "sending" {
        judge(question, run, step, &mut ahead).await?;
    }
    Ok(ahead)
}

/// Asks the gate about the step at its time, as if everything were then as it is now.
async fn judge(question: &Question<'_>, run: &Run, step: &Step, ahead: &mut Ahead) -> Result<()> {
    let numbers = &question.catalog.published.numbers;
    let at = ahead.at.unwrap_or(question.now).max(question.now);
    let due = run.as_due(question.customer.id, question.number, None);
    let number = numbers.step(&question.flow.id, &step.id);
    let (Some(mut due), Some(number)) = (due, number) else {
        return Ok(());
    };
    (due.step, due.lane, due.planned, due.due) = (number, step.lane(), at, at);
    let verdict = foretell(question.store, question.catalog, &due, at).await?;
    match verdict {
        None => {}
        Some(Verdict::Send) => ahead.verdict = Some("send"),
        Some(Verdict::Hold { until, because }) => {
            ahead.verdict = Some("hold");
            ahead.reason = Some(because.as_str().to_owned());
            ahead.held_until = Some(until);
        }
        Some(verdict @ (Verdict::Withhold(reason) | Verdict::Exit(reason, _))) => {
            let exits = matches!(verdict, Verdict::Exit(..));
            ahead.verdict = Some(if exits { "exit" } else { "withhold" });
            ahead.reason = Some(reason.as_str().to_owned());
            for line in
                rules::behind(question, (step, Some(ahead.channel)), reason, question.now).await?
            {
                if !ahead.why.contains(&line) {
                    ahead.why.push(line);
                }
            }
        }
    }
    Ok(())
}
