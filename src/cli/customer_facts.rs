//! Owns a customer as JSON: stable keys, instants in RFC 3339 and UTC.

use serde_json::{Map, Value as Json, json};

use crate::customers::overview::{ActiveFlow, Overview};
use crate::domain::customer::{Customer, FieldValue};
use crate::domain::subscription::{Dismissal, Subscription};
use crate::domain::value::Value;
use crate::store::{HistoryLine, Totals};

pub(crate) fn show(overview: &Overview) -> Json {
    let customer = &overview.customer;
    json!({
        "id": customer.external_id,
        "status": customer.status,
        "rating": overview.rating,
        "identified": customer.identified,
        "created_at": customer.created_at,
        "last_activity_at": customer.last_activity_at,
        "fields": fields(customer),
        "tags": customer.tags,
        "switches": customer.switches,
        "consents": customer.consents,
        "subscriptions": each(&overview.subscriptions, subscription),
        "dismissals": each(&overview.dismissals, dismissal),
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
        "fields": fields(customer),
    })
}

fn each<T>(things: &[T], one: impl Fn(&T) -> Json) -> Vec<Json> {
    things.iter().map(one).collect()
}

fn fields(customer: &Customer) -> Map<String, Json> {
    let fields = customer.fields.iter();
    fields
        .map(|(name, value)| (name.clone(), field(value)))
        .collect()
}

fn field(value: &FieldValue) -> Json {
    match value {
        FieldValue::One(value) => plain(value),
        FieldValue::Many(values) => values.iter().map(plain).collect(),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Date(date) => json!(date),
        Value::Instant(instant) => json!(instant),
    }
}

fn subscription(record: &Subscription) -> Json {
    json!({
        "campaign": record.scope.campaign,
        "category": record.scope.category,
        "group": record.scope.group,
        "channel": record.scope.channel,
        "state": record.state,
        "actor": record.by.actor,
        "source": record.by.source,
        "note": record.by.note,
        "at": record.at,
    })
}

fn dismissal(dismissal: &Dismissal) -> Json {
    json!({
        "campaign": dismissal.campaign,
        "actor": dismissal.by.actor,
        "source": dismissal.by.source,
        "note": dismissal.by.note,
        "at": dismissal.at,
    })
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

fn interaction(line: &HistoryLine) -> Json {
    json!({
        "at": line.at,
        "kind": line.kind,
        "direction": line.direction,
        "channel": line.channel,
        "campaign": line.campaign,
        "flow": line.flow,
        "step": line.step,
        "actor": line.actor,
        "detail": line.detail,
    })
}
