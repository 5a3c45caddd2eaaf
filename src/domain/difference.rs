//! Owns what differs between two revisions, in words: what came, what went, and what changed from what to what.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::calendar::WEEK;
use super::field::DataModel;
use super::flow::{Flow, Step};
use super::revision::{Revision, flow_of_inline};
use super::segment::Condition;
use super::segment_words::words;

/// One thing of the files that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `flow`, `segment`, `campaign`, `channel`, `field`, `tag`, `policy` or `workspace`.
    pub kind: &'static str,
    /// Empty for what there is one of.
    pub name: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Added,
    Removed,
    /// Each a sentence's part, such as `step hello: time was 4d, is 2d`.
    Changed(Vec<String>),
}

/// What is said of one thing, by the names of its parts; of what a condition asks, the name is all.
type Facts = BTreeMap<String, String>;

/// A longer text is not shown.
const SHOWN: usize = 60;

/// Everything that differs, by kind and name; a segment that a flow carries inline is told with the flow.
pub fn differences(was: &Revision, is: &Revision) -> Vec<Difference> {
    let model = &is.data_model;
    let (before, after) = (all(was, model), all(is, model));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for key in names {
        let what = match (before.get(key), after.get(key)) {
            (None, Some(_)) => What::Added,
            (Some(_), None) => What::Removed,
            (Some(was), Some(is)) if was != is => What::Changed(changes(was, is)),
            _ => continue,
        };
        let (kind, name) = key.clone();
        found.push(Difference { kind, name, what });
    }
    found
}

/// Fields are called as `model` does, so that another name for one is no other condition.
fn all(revision: &Revision, model: &DataModel) -> BTreeMap<(&'static str, String), Facts> {
    let mut all = BTreeMap::new();
    let mut add = |kind, name: &str, facts| all.insert((kind, name.to_owned()), facts);
    for flow in revision.flows.values() {
        add("flow", &flow.id, of_flow(revision, model, flow));
    }
    let named = |id: &str| flow_of_inline(id).is_none();
    for segment in revision.segments.values().filter(|s| named(&s.id)) {
        add("segment", &segment.id, asked("", &segment.condition, model));
    }
    for campaign in revision.campaigns.values() {
        add("campaign", &campaign.id, flat(&json!(campaign), &["id"]));
    }
    for (channel, config) in &revision.channels {
        add(
            "channel",
            channel.as_str(),
            flat(&json!(config), &["channel"]),
        );
    }
    for field in &revision.data_model.fields {
        add(
            "field",
            &field.identifier,
            flat(&json!(field), &["identifier"]),
        );
    }
    for (name, tag) in &revision.data_model.tags {
        add("tag", name, flat(&json!(tag), &[]));
    }
    add("policy", "", flat(&json!(revision.policy), &[]));
    let workspace = json!({
        "zone": revision.zone,
        "public_url": revision.public_url,
        "rating": revision.rating,
    });
    add("workspace", "", flat(&workspace, &[]));
    all
}

/// Each thing that the condition asks.
fn asked(path: &str, condition: &Condition, model: &DataModel) -> Facts {
    let parts = match condition {
        Condition::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = parts
        .iter()
        .map(|part| format!("{path}{ASKS}{}", words(part, model)));
    named.map(|name| (name, String::new())).collect()
}

const ASKS: &str = " asks: ";

fn of_flow(revision: &Revision, model: &DataModel, flow: &Flow) -> Facts {
    let mut value = json!(flow);
    let mut conditions = vec![("exit.when", flow.exit.when.as_ref())];
    value["exit"]["when"] = Value::Null;
    if let Some(goal) = &flow.goal {
        value["goal"]["when"] = Value::Null;
        conditions.push(("goal.when", Some(&goal.when)));
    }
    if flow_of_inline(&flow.segment).is_some() {
        value["segment"] = Value::Null;
        let inline = revision.segments.get(&flow.segment);
        conditions.push(("segment", inline.map(|inline| &inline.condition)));
    }
    let order: Vec<&str> = flow.steps.iter().map(|step| step.id.as_str()).collect();
    value["steps"] = json!(order.join(", "));
    let mut facts = flat(&value, &["id"]);
    for (path, condition) in conditions {
        facts.extend(
            condition
                .into_iter()
                .flat_map(|own| asked(path, own, model)),
        );
    }
    for step in &flow.steps {
        for (key, said) in of_step(step, model) {
            facts.insert(format!("step {}: {key}", step.id), said);
        }
    }
    facts
}

fn of_step(step: &Step, model: &DataModel) -> Facts {
    let mut facts = Facts::from([("time".to_owned(), step.when.to_string())]);
    if let Some(wait) = step.when.wait_for() {
        facts.extend(asked("wait-for", &wait.until, model));
        facts.extend(flat(&json!({ "otherwise": wait.otherwise }), &[]));
    }
    if let Some(condition) = &step.condition {
        facts.extend(asked("if", condition, model));
    }
    let rest = json!({
        "at": step.at,
        "window": step.window,
        "on_skip": step.on_skip,
    });
    facts.extend(flat(&rest, &[]));
    for action in &step.actions {
        let channel = action.content.channel();
        match &action.reuses {
            Some(reuse) => {
                let reused = format!("{}/{}", reuse.campaign, reuse.communication);
                facts.insert(channel.to_string(), reused);
            }
            None => facts.extend(flat(&json!(action.content), &[])),
        }
    }
    facts
}

/// Every single value, by the path to it.
fn flat(value: &Value, without: &[&str]) -> Facts {
    let mut facts = Facts::new();
    let object = value.as_object().into_iter().flatten();
    for (key, value) in object.filter(|(key, _)| !without.contains(&key.as_str())) {
        spread(&written(key), value, &mut facts);
    }
    facts.retain(|_, said| !said.is_empty());
    facts
}

fn written(key: &str) -> String {
    match key {
        "caps" => "frequency-caps".to_owned(),
        key => key.replace('_', "-"),
    }
}

fn spread(path: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Null => {}
        Value::Object(parts) if path.ends_with("days") && parts.contains_key("weekdays") => {
            facts.insert(path.to_owned(), days(value));
        }
        // A text by language, or the same for all.
        Value::Object(parts) if parts.contains_key("default") => match parts.get("by_language") {
            Some(by_language) => spread(path, by_language, facts),
            None => spread(path, &parts["default"], facts),
        },
        Value::Object(parts) => {
            for (key, value) in parts {
                spread(&format!("{path}.{}", written(key)), value, facts);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                let id = item.get("id").and_then(Value::as_str);
                let id = id.map_or_else(|| (place + 1).to_string(), str::to_owned);
                spread(&format!("{path}.{id}"), item, facts);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            facts.insert(path.to_owned(), items.join(", "));
        }
        one => {
            facts.insert(path.to_owned(), plain(one));
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn days(value: &Value) -> String {
    let bits = value["weekdays"].as_u64().unwrap_or_default();
    let names = WEEK
        .iter()
        .enumerate()
        .filter(|(day, _)| bits >> day & 1 == 1);
    let mut names: Vec<&str> = names.map(|(_, name)| *name).collect();
    if value["except_holidays"] == true {
        names.push("no holidays");
    }
    names.join(", ")
}

fn changes(was: &Facts, is: &Facts) -> Vec<String> {
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let told = keys
        .into_iter()
        .filter_map(|key| match (was.get(key), is.get(key)) {
            (Some(was), Some(is)) if was == is => None,
            (None, Some(_)) if key.contains(ASKS) => Some(key.trim_start().to_owned()),
            (Some(_), None) if key.contains(ASKS) => {
                let no_longer = key.replacen(ASKS, " no longer asks: ", 1);
                Some(no_longer.trim_start().to_owned())
            }
            (Some(was), Some(is)) if is_short(was) && is_short(is) => {
                Some(format!("{key} was {was}, is {is}"))
            }
            (Some(_), Some(_)) => Some(format!("{key} is another text")),
            (None, Some(is)) if is_short(is) => Some(format!("{key} is {is}")),
            (None, Some(_)) => Some(format!("{key} is new")),
            (Some(was), None) if is_short(was) => Some(format!("{key} was {was}, is gone")),
            (Some(_), None) => Some(format!("{key} is gone")),
            (None, None) => None,
        });
    told.collect()
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= SHOWN && !text.contains('\n')
}
