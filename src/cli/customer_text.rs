//! Owns a customer as text for people; instants are in the workspace's zone.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::columns::aligned;
use super::{customer_work, words};
use crate::customers::overview::Overview;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::{Customer, FieldValue, Switches};
use crate::domain::nps::NpsGroup;
use crate::domain::revision::Revision;
use crate::domain::subscription::SubscriptionState;
use crate::domain::value::Value;
use crate::store::{ChannelTotals, HistoryLine};

pub(crate) fn show(overview: &Overview, revision: &Revision) -> String {
    let zone = revision.time_zone();
    let mut text = head(overview, &zone);
    section(&mut text, "fields", &fields(&overview.customer, &zone));
    section(&mut text, "subscriptions", &subscriptions(overview, &zone));
    section(&mut text, "dismissed", &dismissals(overview, &zone));
    section(&mut text, "tasks", &customer_work::tasks(&overview.tasks));
    section(
        &mut text,
        "notes",
        &customer_work::notes(&overview.notes, &zone),
    );
    section(&mut text, "active flows", &active_flows(overview, &zone));
    section(&mut text, "messages", &totals(overview));
    section(
        &mut text,
        "history, newest first",
        &history(overview, &zone),
    );
    text
}

/// A customer in a list: id, name, e-mail address, phone number.
pub(crate) fn brief(customer: &Customer) -> [String; 4] {
    let text = |field: &str| customer.text(field).unwrap_or_default();
    let name = format!("{} {}", text("first_name"), text("last_name"));
    [
        customer.external_id.clone(),
        name.trim().to_owned(),
        text("email").to_owned(),
        text("phone").to_owned(),
    ]
}

fn section(text: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        let _ = write!(text, "\n{title}\n{body}");
    }
}

fn head(overview: &Overview, zone: &TimeZone) -> String {
    let customer = &overview.customer;
    let last = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| moment(at, zone));
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        row("status", status(customer)),
        row("rating", rating(overview)),
        row("created", moment(customer.created_at, zone)),
        row("last activity", last(customer.last_activity_at)),
        row("transaction", last(customer.last_transaction_at)),
        row("switches", switches(customer.switches)),
        row("consent", consents(customer)),
    ];
    if let Some(nps) = &overview.nps {
        let (score, group) = (nps.answer.score, NpsGroup::of(nps.answer.score));
        rows.push(row("nps", format!("{score} ({})", group.as_str())));
    }
    if let Some(last) = &overview.environment {
        let seen = &last.environment;
        let parts = [&seen.ip, &seen.browser, &seen.os, &seen.device].into_iter();
        let parts: Vec<&str> = parts.flatten().map(String::as_str).collect();
        rows.push(row("seen with", parts.join(", ")));
    }
    if !customer.tags.is_empty() {
        rows.push(row("tags", customer.tags.join(", ")));
    }
    format!("{}\n{}", customer.external_id, aligned(2, &rows))
}

fn status(customer: &Customer) -> String {
    let status = customer.status.as_str();
    match &customer.status_reason {
        Some(reason) => format!("{status}: {reason}"),
        None => status.to_owned(),
    }
}

/// With the day since when it is so, where it was another before.
fn rating(overview: &Overview) -> String {
    let rating = overview.rating.as_str();
    match overview.rating_history.as_slice() {
        [.., before, last] if last.rating == overview.rating => {
            let before = before.rating.as_str();
            format!("{rating} since {}, {before} before", last.on)
        }
        _ => rating.to_owned(),
    }
}

/// The master switch and each channel's at once.
fn switches(switches: Switches) -> String {
    let word = |on: bool| if on { "on" } else { "off" };
    let mut parts = vec![format!("outbound {}", word(switches.outbound))];
    for channel in Channel::ALL {
        parts.push(format!("{channel} {}", word(switches.channel(channel))));
    }
    parts.join(", ")
}

fn consents(customer: &Customer) -> String {
    let part = |channel| format!("{channel} {}", customer.consents.channel(channel).as_str());
    Channel::ALL.map(part).join(", ")
}

fn fields(customer: &Customer, zone: &TimeZone) -> String {
    let rows: Vec<_> = customer
        .fields
        .iter()
        .map(|(name, value)| [name.clone(), field(value, zone)])
        .collect();
    aligned(2, &rows)
}

fn field(value: &FieldValue, zone: &TimeZone) -> String {
    let one = |value: &Value| match value {
        Value::Instant(at) => moment(*at, zone),
        other => other.to_string(),
    };
    match value {
        FieldValue::One(value) => one(value),
        FieldValue::Many(values) => values.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

fn subscriptions(overview: &Overview, zone: &TimeZone) -> String {
    let rows: Vec<_> = overview
        .subscriptions
        .iter()
        .map(|record| {
            let state = match record.state {
                SubscriptionState::Unsubscribed => "unsubscribed",
                SubscriptionState::Resubscribed => "resubscribed",
            };
            let scope = words::scope(&record.scope);
            [
                state.to_owned(),
                scope,
                moment(record.at, zone),
                by(&record.by),
            ]
        })
        .collect();
    aligned(2, &rows)
}

fn by(by: &By) -> String {
    let note = by.note.as_ref().map(|note| format!(": {note}"));
    format!(
        "by {} ({}{})",
        by.actor,
        by.source.as_str(),
        note.unwrap_or_default()
    )
}

fn dismissals(overview: &Overview, zone: &TimeZone) -> String {
    let rows: Vec<_> = overview
        .dismissals
        .iter()
        .map(|dismissal| {
            let campaign = dismissal.campaign.clone();
            [campaign, moment(dismissal.at, zone), by(&dismissal.by)]
        })
        .collect();
    aligned(2, &rows)
}

fn active_flows(overview: &Overview, zone: &TimeZone) -> String {
    let rows: Vec<_> = overview
        .active_flows
        .iter()
        .map(|active| {
            [
                active.flow.clone(),
                format!("since {}", moment(active.since, zone)),
            ]
        })
        .collect();
    aligned(2, &rows)
}

fn totals(overview: &Overview) -> String {
    let mut rows: Vec<_> = overview
        .totals
        .channels
        .iter()
        .map(|(channel, sums)| [channel.as_str().to_owned(), sums_in_words(sums)])
        .collect();
    if overview.totals.conversions > 0 {
        let conversions = overview.totals.conversions.to_string();
        rows.push(["conversions".to_owned(), conversions]);
    }
    aligned(2, &rows)
}

pub(crate) fn sums_in_words(sums: &ChannelTotals) -> String {
    let named = [
        ("sent", sums.sent),
        ("delivered", sums.delivered),
        ("bounced", sums.bounced),
        ("withheld", sums.withheld),
        ("failed", sums.failed),
        ("uncertain", sums.uncertain),
        ("open", sums.open),
        ("opened", sums.opened),
        ("clicked", sums.clicked),
        ("conversions", sums.conversions),
    ];
    let parts: Vec<String> = named
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    parts.join(", ")
}

fn history(overview: &Overview, zone: &TimeZone) -> String {
    let rows: Vec<_> = overview
        .history
        .iter()
        .map(|line| entry(line, zone))
        .collect();
    let mut text = aligned(2, &rows);
    if overview.has_older {
        text.push_str("  older lines are left out: `--limit N` shows more\n");
    }
    text
}

/// One line of a history: when, what, where it belongs, and what is told about it.
pub(crate) fn entry(line: &HistoryLine, zone: &TimeZone) -> [String; 4] {
    let flow = line.flow.as_ref().map(|flow| match &line.step {
        Some(step) => format!("{flow}/{step}"),
        None => flow.clone(),
    });
    let place = flow.or_else(|| line.campaign.clone()).unwrap_or_default();
    let mut about: Vec<String> = Vec::new();
    about.extend(line.actor.as_ref().map(|actor| format!("by {actor}")));
    about.extend(
        line.detail
            .as_ref()
            .map(detail)
            .filter(|text| !text.is_empty()),
    );
    [
        moment(line.at, zone),
        line.kind.clone(),
        place,
        about.join(", "),
    ]
}

fn detail(detail: &Json) -> String {
    let said = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Object(_) => self::detail(value),
        other => other.to_string(),
    };
    match detail {
        Json::Object(parts) => parts
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| format!("{} {}", name.replace('_', " "), said(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => said(other),
    }
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
