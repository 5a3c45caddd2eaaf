//! Owns what the gate would say of waiting messages if their time were now: nothing is written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalog::{ActionPlan, Catalog};
use super::choice;
use super::facts::{Gathered, Question};
use crate::domain::channel::Channel;
use crate::domain::gate::{self, Verdict};
use crate::domain::ids::NameNo;
use crate::store::{Due, FlowState, Result, Store};

/// Asks the gate about a row as it stands. None: the step sends nothing, or nothing can be sent.
pub async fn foretell(
    store: &Store,
    catalog: &Catalog,
    due: &Due,
    now: Timestamp,
) -> Result<Option<Verdict>> {
    let states = store.flow_states().await?;
    let dues = std::slice::from_ref(due);
    let mut told = foretell_all(store, (catalog, &states), dues, now).await?;
    Ok(told.pop().flatten().map(|(_, verdict)| verdict))
}

/// The same of several rows, one after the other: a message that one of them would send counts for the
/// next. With the channel that it would go out on.
pub(super) async fn foretell_all(
    store: &Store,
    (catalog, states): (&Catalog, &BTreeMap<NameNo, FlowState>),
    dues: &[Due],
    now: Timestamp,
) -> Result<Vec<Option<(Channel, Verdict)>>> {
    let mut gathered = Gathered::read(store, (catalog, states), dues, now).await?;
    let mut told = Vec::with_capacity(dues.len());
    for due in dues {
        let verdict = ask(catalog, states, &gathered, due, now);
        if let Some((channel, Verdict::Send)) = verdict {
            gathered.count(due.customer, channel, now);
        }
        told.push(verdict);
    }
    Ok(told)
}

fn ask(
    catalog: &Catalog,
    states: &BTreeMap<NameNo, FlowState>,
    gathered: &Gathered,
    due: &Due,
    now: Timestamp,
) -> Option<(Channel, Verdict)> {
    if due.is_had() {
        return None;
    }
    let plan = catalog.plan(due.flow)?;
    let step = plan.step(due.step)?;
    let customer = gathered.customers.get(&due.customer);
    let zone = customer.map_or_else(
        || catalog.zone.clone(),
        |customer| catalog.zone_of(customer),
    );
    let reckoning = catalog.reckoning(&zone);
    let meant = customer.map(|c| step.step.when.meant(c, due.anchor, step.step.at, reckoning));
    let verdict = |action: &ActionPlan| {
        let question = Question {
            due,
            // What is not planned yet cannot be late.
            planned: due.planned.min(now),
            plan,
            step,
            action,
            dateless: meant.and_then(gate::dateless),
            config: catalog.revision().channels.get(&action.channel)?,
            zone: &zone,
            state: states.get(&due.flow),
            now,
        };
        Some(gate::decide(&gathered.facts(catalog, &question)))
    };
    let chosen = choice::choose(step, verdict)?;
    Some((chosen.channel, verdict(chosen)?))
}
