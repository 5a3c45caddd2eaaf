//! Owns what the gate would say of one waiting message if its time were now: nothing is written.

use jiff::Timestamp;

use super::catalog::Catalog;
use super::facts::{Gathered, Question};
use crate::domain::channel::Lane;
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
    let Lane::Channel(channel) = step.step.lane() else {
        return Ok(None);
    };
    let Some(config) = catalog.revision().channels.get(&channel) else {
        return Ok(None);
    };
    let gathered = Gathered::read(store, catalog, std::slice::from_ref(due), now).await?;
    let zone = gathered.customers.get(&due.customer).map_or_else(
        || catalog.zone.clone(),
        |customer| catalog.zone_of(customer),
    );
    let states = store.flow_states().await?;
    let question = Question {
        due,
        // What is not planned yet cannot be late.
        planned: due.planned.min(now),
        plan,
        step,
        channel,
        config,
        zone: &zone,
        state: states.get(&due.flow),
        now,
    };
    Ok(Some(gate::decide(&gathered.facts(catalog, &question))))
}
