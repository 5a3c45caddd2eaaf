//! Owns what customers and people do on the way: unsubscribe, switch off, dismiss. The same every time.

use jiff::{SignedDuration, Timestamp};

use super::Demo;
use crate::customers::subscriptions;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::flow::{Flow, FlowStatus};
use crate::domain::segment::Condition;
use crate::domain::subscription::Scope;
use crate::store::Frame;

/// Something that happens to somebody who is in a flow then.
pub(super) struct Event {
    pub(super) at: Timestamp,
    flow: String,
    what: What,
    /// How many of them.
    people: usize,
}

#[derive(Clone)]
enum What {
    Unsubscribe(Scope),
    SwitchOff(Switch),
    Dismiss(String),
}

/// A month has a few of each, spread over the flows.
pub(super) fn planned(demo: &Demo<'_>) -> Vec<Event> {
    let flows = demo.session.published.revision.flows.values();
    let flows: Vec<&Flow> = flows
        .filter(|flow| flow.status == FlowStatus::Active)
        .collect();
    let mut events = Vec::new();
    for (position, flow) in (0..).zip(&flows) {
        let mut add = |hours: i64, people: usize, what: What| {
            events.push(Event {
                at: demo.from + SignedDuration::from_hours(hours + 31 * position),
                flow: flow.id.clone(),
                what,
                people,
            });
        };
        add(60, 2, What::Unsubscribe(category_of(flow)));
        if let Some(channel) = last_channel(flow) {
            add(110, 1, What::SwitchOff(Switch::Channel(channel)));
        }
        if position == 0 {
            add(180, 1, What::SwitchOff(Switch::Outbound));
        }
        if flow.dismissable {
            add(200, 1, What::Dismiss(flow.id.clone()));
        }
    }
    events.sort_by_key(|event| event.at);
    events
}

fn category_of(flow: &Flow) -> Scope {
    let campaign = flow.category.is_none().then(|| flow.id.clone());
    Scope {
        campaign,
        category: flow.category.clone(),
        ..Scope::default()
    }
}

fn last_channel(flow: &Flow) -> Option<Channel> {
    let actions = flow.steps.iter().rev();
    actions
        .flat_map(|step| &step.actions)
        .map(|action| action.content.channel())
        .next()
}

/// Lets an event happen; one line for each customer it happened to.
pub(super) async fn happen(demo: &Demo<'_>, event: &Event) -> anyhow::Result<Vec<String>> {
    let (store, published) = (&demo.session.store, &demo.session.published);
    let frame = Frame {
        revision: &published.revision,
        numbers: &published.numbers,
        now: event.at,
    };
    let inside = Condition::InFlow(event.flow.clone());
    let ids = store
        .customers_meeting_after(&inside, &frame, None, 40)
        .await?;
    let mut customers = store
        .customers(&ids, &published.revision.data_model)
        .await?;
    customers.retain(|customer| {
        customer.switches.outbound && Channel::ALL.iter().all(|c| customer.switches.channel(*c))
    });
    customers.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    let mut lines = Vec::new();
    for customer in &customers {
        if lines.len() < event.people
            && let Some(words) = happen_to(demo, event, &customer.external_id).await?
        {
            lines.push(format!("{} {words}", customer.external_id));
        }
    }
    Ok(lines)
}

/// What is said of it; none: it was so before.
async fn happen_to(
    demo: &Demo<'_>,
    event: &Event,
    customer: &str,
) -> anyhow::Result<Option<String>> {
    let (store, revision) = (&demo.session.store, &demo.session.published.revision);
    let at = event.at;
    let customers_own = By::new(Actor::customer(), Source::Link).noting("demo");
    let staff = By::new(Actor::named("member care"), Source::Console).noting("demo");
    let (changed, words) = match &event.what {
        What::Unsubscribe(scope) => {
            let changed =
                subscriptions::unsubscribe(store, revision, customer, scope, &customers_own, at);
            let scope = crate::cli::words::scope(scope);
            (changed.await?, format!("unsubscribes from {scope}"))
        }
        What::SwitchOff(switch) => {
            let changed = subscriptions::set_switch(store, customer, *switch, false, &staff, at);
            (
                changed.await?,
                format!("has {} switched off", switch.as_str()),
            )
        }
        What::Dismiss(campaign) => {
            let changed =
                subscriptions::dismiss(store, revision, customer, campaign, &customers_own, at);
            (changed.await?, format!("is not interested in {campaign}"))
        }
    };
    Ok(changed.then_some(words))
}
