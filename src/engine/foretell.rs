//! Owns what the gate would say of one waiting message if its time were now: nothing is written.

use jiff::Timestamp;

use super::catalog::{ActionPlan, Catalog};
use super::choice;
use super::facts::{Gathered, Question};
use crate::domain::gate::{self, Verdict};
use crate::store::{Due, Result, Store};

/// Asks the gate about a row as it stands. None: the step sends nothing, or nothing can be sent.
pub async fn foretell(
    store: &Store,
    catalog: &Catalog,
    due: &Due,
    now: Timestamp,
) -> Result<Option<Verdict>> {
    let plan = catalog.plan(due.flow);
    let Some((plan, step)) = plan.and_then(|plan| Some((plan, plan.step(due.step)?))) else {
        return Ok(None);
    };
    if step.actions.is_empty() {
        return Ok(None);
    }
    let states = store.flow_states().await?;
    let dues = std::slice::from_ref(due);
    let gathered = Gathered::read(store, (catalog, &states), dues, now).await?;
    let zone = gathered.customers.get(&due.customer).map_or_else(
        || catalog.zone.clone(),
        |customer| catalog.zone_of(customer),
    );
    let customer = gathered.customers.get(&due.customer);
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
    let chosen = choice::choose(step, verdict);
    Ok(chosen.and_then(verdict))
}
