//! Owns connecting customers to a flow: somebody names them, and they enter as if they came to qualify.

use super::catalog::Catalog;
use super::entry::Entrances;
use crate::domain::revision::NameKind;
use crate::store::{Entering, EntryAnchor, Error, JobChange, JobPage, Result, Stepped, Store};

/// Has the customers of a page enter a flow, as far as they may.
///
/// Its status, its rule about entering again and its limit go for them as for everybody. While a flow is
/// paused, limits its entries or lets go of those who leave its segment, only those enter who qualify.
///
/// # Errors
/// [`Error::Unusable`] when nobody may enter the flow at all.
pub async fn connect(
    store: &Store,
    catalog: &Catalog,
    flow: &str,
    page: &JobPage<'_>,
) -> Result<Stepped> {
    let states = store.flow_states().await?;
    let entry = Entrances {
        catalog,
        states: &states,
        now: page.at,
    };
    let number = catalog.published.numbers.number(NameKind::Flow, flow);
    let plan = number.and_then(|number| catalog.flows.get(&number));
    let plan =
        plan.ok_or_else(|| Error::Unusable(format!("there is no flow `{flow}` any more")))?;
    let closed = || {
        let status = plan.flow.status.as_str();
        let why = format!("nobody can enter the flow `{flow}`: it is {status}, or has no steps");
        Error::Unusable(why)
    };
    if !entry.is_activated(plan) {
        return Err(closed());
    }
    let due = entry.due(plan);
    let entering = entry.entering(plan, EntryAnchor::At(page.at), &due);
    let entering = Entering {
        joined_after: None,
        ..entering.ok_or_else(closed)?
    };
    let members_only = entering.pending || plan.flow.exit.on_leaving_segment;
    let change = JobChange::Connect(&entering, members_only);
    store.change_page(page, &change).await
}
