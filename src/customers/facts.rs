//! Owns what is known of a customer as JSON: stable keys, instants in RFC 3339 and UTC.

use serde_json::{Map, Value as Json, json};

use crate::domain::customer::{Customer, FieldValue};
use crate::domain::note::Note;
use crate::domain::subscription::{Dismissal, Subscription};
use crate::domain::task::Task;
use crate::domain::value::Value;
use crate::store::HistoryLine;

/// The fields by their identifiers; several values are an array.
pub fn fields(customer: &Customer) -> Map<String, Json> {
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

/// A record of giving messages up.
pub fn subscription(record: &Subscription) -> Json {
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

/// A campaign that somebody is not interested in.
pub fn dismissal(dismissal: &Dismissal) -> Json {
    json!({
        "campaign": dismissal.campaign,
        "actor": dismissal.by.actor,
        "source": dismissal.by.source,
        "note": dismissal.by.note,
        "at": dismissal.at,
    })
}

/// A line of a history.
pub fn interaction(line: &HistoryLine) -> Json {
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

/// A note with its number.
pub fn note(note: &Note) -> Json {
    json!({ "note": note.number, "at": note.at, "actor": note.actor, "body": note.body })
}

/// A task with its number.
pub fn task(task: &Task) -> Json {
    let text = &task.text;
    json!({
        "task": task.number,
        "name": text.name,
        "description": text.description,
        "status": text.status,
        "priority": text.priority,
        "assignee": text.assignee,
        "due_on": text.due_on,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "actor": task.actor,
    })
}
