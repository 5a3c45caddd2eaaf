//! Owns a customer as JSON: stable keys, instants in RFC 3339 and UTC.

use serde_json::{Map, Value as Json, json};

use crate::customers::facts::{dismissal, fields, interaction, note, subscription, task};
use crate::customers::overview::{ActiveFlow, Overview};
use crate::domain::customer::Customer;
use crate::domain::rating_history::RatingChange;
use crate::store::Totals;

pub(crate) fn show(overview: &Overview) -> Json {
    let customer = &overview.customer;
    json!({
        "id": customer.external_id,
        "status": customer.status,
        "status_reason": customer.status_reason,
        "rating": overview.rating,
        "rating_history": overview.rating_history.iter().copied().map(rated).collect::<Vec<_>>(),
        "identified": customer.identified,
        "created_at": customer.created_at,
        "last_activity_at": customer.last_activity_at,
        "fields": fields(customer),
        "tags": customer.tags,
        "switches": customer.switches,
        "consents": customer.consents,
        "subscriptions": each(&overview.subscriptions, subscription),
        "dismissals": each(&overview.dismissals, dismissal),
        "notes": each(&overview.notes, note),
        "tasks": each(&overview.tasks, task),
        "active_flows": each(&overview.active_flows, active_flow),
        "totals": totals(&overview.totals),
        "interactions": each(&overview.history, interaction),
        "has_older_interactions": overview.has_older,
    })
}

/// A customer in a list.
pub(crate) fn brief(customer: &Customer) -> Json {
    json!({
        "id": customer.external_id,
        "status": customer.status,
        "status_reason": customer.status_reason,
        "fields": fields(customer),
    })
}

fn each<T>(things: &[T], one: impl Fn(&T) -> Json) -> Vec<Json> {
    things.iter().map(one).collect()
}

fn rated(change: RatingChange) -> Json {
    json!({ "on": change.on, "rating": change.rating })
}

fn active_flow(active: &ActiveFlow) -> Json {
    json!({ "flow": active.flow, "since": active.since })
}

fn totals(totals: &Totals) -> Json {
    let mut facts = Map::new();
    for (channel, sums) in &totals.channels {
        let sums = json!({
            "sent": sums.sent,
            "delivered": sums.delivered,
            "bounced": sums.bounced,
            "withheld": sums.withheld,
            "failed": sums.failed,
            "uncertain": sums.uncertain,
            "open": sums.open,
        });
        facts.insert(channel.as_str().to_owned(), sums);
    }
    facts.insert("conversions".to_owned(), json!(totals.conversions));
    Json::Object(facts)
}
