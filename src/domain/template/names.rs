//! Owns the names a template may use, and what was probably meant by another.

use crate::domain::field::{DataModel, ID};

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
    let help = nearest(name, all(model)).map(|near| format!("did you mean `{near}`?"));
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
    let field = name.strip_prefix("customer.");
    FIXED.contains(&name) || field.is_some_and(|field| field == ID || model.field(field).is_some())
}

fn all(model: &DataModel) -> impl Iterator<Item = String> {
    let fields = model.fields.iter().map(|field| field.identifier.as_str());
    fields
        .chain([ID])
        .map(|field| format!("customer.{field}"))
        .chain(FIXED.map(str::to_owned))
}

/// The candidate most like `name`, if any is alike enough to be a slip of the finger.
pub(super) fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(name, &candidate),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
