//! Owns the words of consent on the command line, and the sentence when one is not known.

use crate::customers::names::UnknownName;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::subscription::{Consent, Scope};
use crate::domain::task::{TaskPriority, TaskStatus};

pub(crate) fn channel(text: &str) -> Result<Channel, String> {
    let known = Channel::ALL.map(Channel::as_str);
    Channel::parse(text).ok_or_else(|| unknown("channel", text, &known))
}

pub(crate) fn consent(text: &str) -> Result<Consent, String> {
    let known = Consent::ALL.map(Consent::as_str);
    Consent::parse(text).ok_or_else(|| unknown("consent", text, &known))
}

pub(crate) fn switch(text: &str) -> Result<Switch, String> {
    let known = ["outbound", "email", "sms", "push"];
    Switch::parse(text).ok_or_else(|| unknown("switch", text, &known))
}

pub(crate) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("write `on` or `off`".to_owned()),
    }
}

pub(crate) fn task_status(text: &str) -> Result<TaskStatus, String> {
    let known = TaskStatus::ALL.map(TaskStatus::as_str);
    TaskStatus::parse(text).ok_or_else(|| unknown("status", text, &known))
}

pub(crate) fn task_priority(text: &str) -> Result<TaskPriority, String> {
    let known = TaskPriority::ALL.map(TaskPriority::as_str);
    TaskPriority::parse(text).ok_or_else(|| unknown("priority", text, &known))
}

/// A field and its value.
pub(crate) fn written_field(text: &str) -> Result<(String, String), String> {
    let (field, value) = text
        .split_once('=')
        .ok_or("write the field and its value, such as `city=Lyon`")?;
    Ok((field.trim().to_owned(), value.to_owned()))
}

fn unknown(what: &'static str, text: &str, known: &[&str]) -> String {
    UnknownName::new(what, text, known.iter().copied()).to_string()
}

/// A scope in words: `category credit-cards and channel sms`.
pub(crate) fn scope(scope: &Scope) -> String {
    let channel = scope.channel.map(|channel| channel.as_str().to_owned());
    let dimensions = [
        ("campaign", scope.campaign.clone()),
        ("category", scope.category.clone()),
        ("group", scope.group.clone()),
        ("channel", channel),
    ];
    let parts: Vec<String> = dimensions
        .into_iter()
        .filter_map(|(dimension, name)| name.map(|name| format!("{dimension} {name}")))
        .collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_known_offer_the_nearest() {
        let error = channel("emial").unwrap_err();
        assert_eq!(error, "unknown channel `emial`: did you mean `email`?");
        assert_eq!(consent("opted-in"), Ok(Consent::OptedIn));
        assert!(switch("fax").is_err());
    }

    #[test]
    fn a_scope_names_its_dimensions() {
        let cards = Scope {
            category: Some("credit-cards".to_owned()),
            channel: Some(Channel::Sms),
            ..Scope::default()
        };
        assert_eq!(scope(&cards), "category credit-cards and channel sms");
        assert_eq!(scope(&Scope::EVERYTHING), "everything");
    }
}
