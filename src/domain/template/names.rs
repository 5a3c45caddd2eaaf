//! Owns the names a template may use, and what was probably meant by another.

use crate::domain::field::{DataModel, ID};
use crate::domain::near::near;

/// Before the name of a field.
const CUSTOMER: &str = "customer.";

/// Names that every message has or may have, beside the customer's fields.
const FIXED: [&str; 12] = [
    "customer.tags",
    "customer.rating",
    "flow.id",
    "flow.name",
    "campaign.id",
    "campaign.name",
    "step.id",
    "organization.name",
    "organization.postal_address",
    "unsubscribe_url",
    "preferences_url",
    "dismiss_url",
];

/// What is wrong with a name, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadName {
    pub message: String,
    pub help: Option<String>,
}

/// Why `name` means nothing in a template over this data model, or none when it does.
pub(super) fn bad(name: &str, model: &DataModel) -> Option<BadName> {
    if is_known(name, model) {
        return None;
    }
    let parent = name.rsplit_once('.').map(|(parent, _)| parent);
    if let Some(parent) = parent.filter(|parent| is_known(parent, model)) {
        return Some(BadName {
            message: format!("`{parent}` has no parts"),
            help: Some(format!("write `{{{{ {parent} }}}}`")),
        });
    }
    let message = match name.split_once('.') {
        Some(("customer", field)) => format!("customers have no field `{field}`"),
        _ => format!("`{name}` is not known in templates"),
    };
    let help = meant(name, model).map(|meant| format!("did you mean `{meant}`?"));
    Some(BadName {
        message,
        help: help.or_else(|| remedy(name)),
    })
}

fn remedy(name: &str) -> Option<String> {
    match name.split_once('.') {
        Some(("customer", _)) => Some("declare the field under `customers: fields:`".to_owned()),
        None if name == "customer" => Some("name a field: `customer.first_name`".to_owned()),
        _ => None,
    }
}

fn is_known(name: &str, model: &DataModel) -> bool {
    let field = name.strip_prefix(CUSTOMER);
    FIXED.contains(&name) || field.is_some_and(|field| field == ID || model.field(field).is_some())
}

fn all(model: &DataModel) -> impl Iterator<Item = String> {
    let fields = model.fields.iter().map(|field| field.identifier.as_str());
    fields
        .chain([ID])
        .map(|field| format!("{CUSTOMER}{field}"))
        .chain(FIXED.map(str::to_owned))
}

fn meant(name: &str, model: &DataModel) -> Option<String> {
    let all: Vec<String> = all(model).collect();
    let Some(field) = name.strip_prefix(CUSTOMER) else {
        return near(name, all.iter().map(String::as_str)).map(str::to_owned);
    };
    let fields = all.iter().filter_map(|name| name.strip_prefix(CUSTOMER));
    near(field, fields).map(|field| format!("{CUSTOMER}{field}"))
}
