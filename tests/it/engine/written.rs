//! Owns the files that tests write: a workspace in which everything is allowed, and short ways to say a flow.

pub(super) const LYON: &str = "{ field: city, is: Lyon }";

pub(super) const BASE: &[(&str, &str)] = &[
    ("drumbeat.yaml", SETTINGS),
    ("channels/email.yaml", EMAIL),
    ("channels/sms.yaml", SMS),
    ("channels/push.yaml", PUSH),
    ("flows/customers.yaml", CUSTOMERS),
];

const SETTINGS: &str = "\
workspace: bank
database: sqlite://var/drumbeat.db
listen: \"127.0.0.1:0\"
zone: UTC
public-url: https://bank.example
";

pub(super) const EMAIL: &str = "\
channel: email
gateway: { file: { folder: var/out } }
from: \"Bank <hello@bank.example>\"
";

pub(super) const SMS: &str = "\
channel: sms
gateway: { file: { folder: var/out } }
from: BANK
";

const PUSH: &str = "\
channel: push
gateway: { file: { folder: var/out } }
";

const CUSTOMERS: &str = "\
customers:
  fields:
    joined_on: { description: Joined on, type: date }
    points: { description: Points, type: integer }
  tags: { vip: {} }
";

/// A policy with more keys, one a line.
pub(super) fn policy(more: &str) -> String {
    let mut text = "\
policy:
  organization: { name: Bank, postal-address: \"1 Shore Road, Lakeside\" }
  categories:
    news: News
    cards: Cards
    statements: { name: Statements, purpose: service }
  groups: { retail: Retail, wealth: Wealth }
"
    .to_owned();
    for line in more.lines() {
        text += "  ";
        text += line.trim_start();
        text += "\n";
    }
    text
}

/// A flow of the category `news` and the group `retail`.
pub(super) fn flow(id: &str, condition: &str, more: &str, steps: &[String]) -> String {
    let segment = format!("segment: {{ where: {condition} }}");
    flow_over(id, &segment, &format!("category: news\n{more}"), steps)
}

/// A flow over a segment that is written out, in a category that is.
pub(super) fn flow_over(id: &str, segment: &str, more: &str, steps: &[String]) -> String {
    let mut text = format!("flow: {id}\nname: Flow {id}\ngroup: retail\n{segment}\n");
    for line in more.lines() {
        text += line.trim_start();
        text += "\n";
    }
    text += "steps:\n";
    for step in steps {
        text += "  - { ";
        text += step;
        text += " }\n";
    }
    text
}

fn step(id: &str, keys: &str, action: &str) -> String {
    let id = format!("id: {id}");
    let mut parts = vec![id.as_str(), keys, action];
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

pub(super) fn email(id: &str, keys: &str) -> String {
    let body = "\"{{ organization.postal_address }} {{ unsubscribe_url }}\"";
    let subject = "\"Hello {{ customer.first_name|default('you') }}\"";
    step(
        id,
        keys,
        &format!("email: {{ subject: {subject}, text: {body} }}"),
    )
}

pub(super) fn sms(id: &str, keys: &str) -> String {
    step(id, keys, "sms: { text: \"Hello\" }")
}

pub(super) fn push(id: &str, keys: &str) -> String {
    step(id, keys, "push: { title: \"Hello\", body: \"Look\" }")
}

/// A step of its own making: a reuse, or a waiting place.
pub(super) fn any(id: &str, keys: &str) -> String {
    step(id, keys, "")
}
