//! Owns everything that is known of one person, put together for that person: the copy that the General
//! Data Protection Regulation asks for (articles 15 and 20), structured and machine-readable.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::devices::DeviceFacts;
use super::error::Error;
use super::facts::{self, InteractionFacts, NoteFacts, TaskFacts};
use super::formula;
use super::overview::{Overview, overview};
use super::told_facts::{EnvironmentFacts, NpsFacts};
use crate::domain::revision::Revision;
use crate::store::Store;

/// The version of the keys below; a new one only adds.
const FORMAT: &str = "drumbeat-person/1";

/// One line of the person's data as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Which part of the data: `customer`, `history` and so on.
    pub section: String,
    /// Which item of the part, counted from 1; 0 where there is one only.
    pub item: usize,
    /// The path of the value within the item, such as `switches.email`.
    pub name: String,
    pub value: String,
}

/// Everything that is known of a customer, as of `now`.
///
/// The keys are `format`, `exported_at`, `customer`, `rating_history`, `subscriptions`, `dismissals`,
/// `segments`, `lists`, `notes`, `devices` (without their tokens), `tasks`, `nps`, `environment` and `history` (newest
/// first, whole); instants are RFC 3339 in UTC, days ISO 8601.
pub async fn export(
    store: &Store,
    revision: &Revision,
    customer: &str,
    now: Timestamp,
) -> Result<Json, Error> {
    let overview = overview(store, revision, customer, now, usize::MAX).await?;
    let id = overview.customer.id;
    let segments = store.segments_of(id).await?.into_iter();
    let segments = segments.map(|(segment, since)| json!({ "segment": segment, "since": since }));
    let interactions: Vec<_> = overview.history.iter().map(InteractionFacts::of).collect();
    let mut copy = json!({
        "format": FORMAT,
        "exported_at": now,
        "customer": of_record(&overview),
        "rating_history": overview.rating_history,
        "segments": segments.collect::<Vec<_>>(),
    });
    let subscriptions = overview.subscriptions.iter().map(facts::subscription);
    copy["subscriptions"] = json!(subscriptions.collect::<Vec<_>>());
    let dismissals = overview.dismissals.iter().map(facts::dismissal);
    copy["dismissals"] = json!(dismissals.collect::<Vec<_>>());
    copy["lists"] = json!(overview.lists);
    copy["notes"] = json!(overview.notes.iter().map(NoteFacts::of).collect::<Vec<_>>());
    let devices = store.devices_of(id).await?;
    copy["devices"] = json!(devices.iter().map(DeviceFacts::of).collect::<Vec<_>>());
    copy["tasks"] = json!(overview.tasks.iter().map(TaskFacts::of).collect::<Vec<_>>());
    copy["nps"] = json!(overview.nps.as_ref().map(NpsFacts::of));
    copy["environment"] = json!(overview.environment.as_ref().map(EnvironmentFacts::of));
    copy["history"] = json!(interactions);
    Ok(copy)
}

fn of_record(overview: &Overview) -> Json {
    let customer = &overview.customer;
    json!({
        "id": customer.external_id,
        "status": customer.status,
        "status_reason": customer.status_reason,
        "rating": overview.rating,
        "identified": customer.identified,
        "created_at": customer.created_at,
        "last_activity_at": customer.last_activity_at,
        "fields": facts::fields(customer),
        "tags": customer.tags,
        "switches": customer.switches,
        "consents": customer.consents,
    })
}

/// The same as lines of a table: one for each value, by where it stands.
pub fn cells(copy: &Json) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (section, content) in copy.as_object().into_iter().flatten() {
        match content {
            Json::Array(items) => {
                for (content, item) in items.iter().zip(1..) {
                    flatten(section, item, String::new(), content, &mut cells);
                }
            }
            other => flatten(section, 0, String::new(), other, &mut cells),
        }
    }
    cells
}

/// The same as a CSV file (RFC 4180).
pub fn table(copy: &Json) -> Result<String, Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let broken = |error: &dyn std::fmt::Display| Error::Unwritable(error.to_string());
    let header = table.write_record(["section", "item", "name", "value"]);
    header.map_err(|error| broken(&error))?;
    for cell in cells(copy) {
        let item = cell.item.to_string();
        let written = table.write_record([&cell.section, &item, &cell.name, &cell.value]);
        written.map_err(|error| broken(&error))?;
    }
    let bytes = table.into_inner().map_err(|error| broken(&error))?;
    String::from_utf8(bytes).map_err(|error| broken(&error))
}

fn flatten(section: &str, item: usize, name: String, content: &Json, cells: &mut Vec<Cell>) {
    let below = |part: &str| match name.as_str() {
        "" => part.to_owned(),
        name => format!("{name}.{part}"),
    };
    match content {
        Json::Null => {}
        Json::Object(parts) => {
            for (part, content) in parts {
                flatten(section, item, below(part), content, cells);
            }
        }
        Json::Array(parts) => {
            for (content, place) in parts.iter().zip(1..) {
                flatten(section, item, below(&place.to_string()), content, cells);
            }
        }
        value => cells.push(Cell {
            section: section.to_owned(),
            item,
            name,
            value: value.as_str().map_or_else(
                || value.to_string(),
                |text| formula::guarded(text).into_owned(),
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_as_a_table_has_a_line_for_each_value() {
        let copy = json!({
            "format": "x",
            "customer": { "id": "a", "fields": { "city": "=1+1", "phone": "+34600" }, "tags": ["vip"] },
            "history": [{ "kind": "login", "flow": null }, { "kind": "logout" }],
        });
        let cells = cells(&copy);
        let lines: Vec<String> = cells
            .iter()
            .map(|cell| {
                format!(
                    "{} {} {} {}",
                    cell.section, cell.item, cell.name, cell.value
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "format 0  x",
                "customer 0 id a",
                "customer 0 fields.city '=1+1",
                "customer 0 fields.phone +34600",
                "customer 0 tags.1 vip",
                "history 1 kind login",
                "history 2 kind logout",
            ]
        );
    }
}
