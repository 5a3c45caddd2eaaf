//! Owns the words of consent on the command line, and the sentence when one is not known.

use crate::customers::names::UnknownName;
use crate::domain::channel::Channel;
use crate::domain::customer::{Status, Switch};
use crate::domain::rating::Rating;
pub(crate) use crate::domain::scope_words::words as scope;
use crate::domain::subscription::Consent;
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

pub(crate) fn status(text: &str) -> Result<Status, String> {
    let known = Status::ALL.map(Status::as_str);
    Status::parse(text).ok_or_else(|| unknown("status", text, &known))
}

pub(crate) fn rating(text: &str) -> Result<Rating, String> {
    let known = Rating::ALL.map(Rating::as_str);
    Rating::parse(text).ok_or_else(|| unknown("rating", text, &known))
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
}
