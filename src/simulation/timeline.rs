//! Owns what came of a run, line by line: messages from the recorder, the rest from the ledger.

use jiff::Timestamp;

use super::trouble::Trouble;
use crate::domain::channel::Channel;
use crate::domain::dispatch::DispatchState;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::flow::Flow;
use crate::domain::message::{Frozen, Rendered};
use crate::domain::plain_text;
use crate::domain::reason::Reason;
use crate::domain::revision::NameKind;
use crate::store::{Published, Run, Store};

/// One thing that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    pub customer: String,
    pub flow: String,
    /// None: the end of a run, or a goal that no message went before.
    pub step: Option<String>,
    pub came: Came,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Sent {
        channel: Channel,
        /// `CAMPAIGN/COMMUNICATION`, or `FLOW/STEP` for what is written in the step.
        communication: String,
        /// The subject of an e-mail, the title of a push message.
        subject: String,
        text: String,
    },
    Withheld {
        channel: Option<Channel>,
        reason: Reason,
    },
    /// The goal was reached; the line's step is that of the last message before.
    Goal,
    Exited(ExitReason),
    Completed,
}

/// Everything that came of these customers, in the order of time.
pub(super) async fn of(
    store: &Store,
    published: &Published,
    customers: &[String],
    messages: &[Frozen],
) -> Result<Vec<Line>, Trouble> {
    let flows = &published.revision.flows;
    let sent = messages.iter().map(|message| {
        let flow = flows.get(&message.origin.flow);
        sent(message, flow)
    });
    let mut lines: Vec<Line> = sent.collect();
    for customer in customers {
        let Some(id) = store.customer_id(customer).await? else {
            continue;
        };
        for flow in flows.keys() {
            let Some(number) = published.numbers.number(NameKind::Flow, flow) else {
                continue;
            };
            for run in store.runs(id, number).await? {
                let blank = Line {
                    at: run.started_at,
                    customer: customer.clone(),
                    flow: flow.clone(),
                    step: None,
                    came: Came::Completed,
                };
                lines.extend(withheld(store, published, &run, &blank).await?);
                lines.extend(goal(published, &run, &blank));
                lines.extend(end(&run, &blank));
            }
        }
    }
    lines.sort_by(|one, other| {
        let is_end = |line: &Line| matches!(line.came, Came::Exited(_) | Came::Completed);
        let rank = |line: &Line| (line.at, line.customer.clone(), is_end(line));
        rank(one).cmp(&rank(other))
    });
    Ok(lines)
}

fn sent(message: &Frozen, flow: Option<&Flow>) -> Line {
    let origin = &message.origin;
    let channel = message.rendered.channel();
    let step = flow.and_then(|flow| flow.step(&origin.step));
    let action = step.and_then(|step| step.action_on(channel));
    let reused = action.and_then(|action| action.reuses.as_ref());
    let communication = match reused {
        Some(reuse) => format!("{}/{}", reuse.campaign, reuse.communication),
        None => format!("{}/{}", origin.flow, origin.step),
    };
    let (subject, text) = match &message.rendered {
        Rendered::Email(email) => {
            let of_html = || email.html.as_deref().map(plain_text::from_html);
            let text = email.text.clone().or_else(of_html);
            (email.subject.clone(), text.unwrap_or_default())
        }
        Rendered::Sms(sms) => (String::new(), sms.text.clone()),
        Rendered::Push(push) => (push.title.clone(), push.body.clone()),
    };
    Line {
        at: message.at,
        customer: origin.customer.clone(),
        flow: origin.flow.clone(),
        step: Some(origin.step.clone()),
        came: Came::Sent {
            channel,
            communication,
            subject,
            text,
        },
    }
}

async fn withheld(
    store: &Store,
    published: &Published,
    run: &Run,
    blank: &Line,
) -> Result<Vec<Line>, Trouble> {
    let messages = store.run_messages(run.enrollment).await?;
    let withheld = messages
        .iter()
        .filter(|message| message.state == DispatchState::Withheld);
    let lines = withheld.filter_map(|message| {
        let name = published.numbers.name(NameKind::Step, message.step)?;
        let (_, step) = name.split_once('/')?;
        Some(Line {
            at: message.at,
            step: Some(step.to_owned()),
            came: Came::Withheld {
                channel: message.channel,
                reason: message.reason?,
            },
            ..blank.clone()
        })
    });
    Ok(lines.collect())
}

fn goal(published: &Published, run: &Run, blank: &Line) -> Option<Line> {
    let reached = run.goal?;
    let name = reached.step;
    let name = name.and_then(|step| published.numbers.name(NameKind::Step, step));
    let step = name.and_then(|name| name.split_once('/'));
    Some(Line {
        at: reached.at,
        step: step.map(|(_, step)| step.to_owned()),
        came: Came::Goal,
        ..blank.clone()
    })
}

fn end(run: &Run, blank: &Line) -> Option<Line> {
    let came = match run.status {
        EnrollmentStatus::Completed => Came::Completed,
        EnrollmentStatus::Exited => Came::Exited(run.exit_reason?),
        _ => return None,
    };
    Some(Line {
        at: run.finished_at?,
        came,
        ..blank.clone()
    })
}
