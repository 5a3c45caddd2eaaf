//! Owns a workspace in a temporary folder.

use std::fs;
use std::path::Path;

use drumbeat::workspace::{self, Checked, Sources};
use tempfile::TempDir;

pub(crate) const SETTINGS: &str = "\
workspace: lakeside
database: sqlite://var/drumbeat.db
listen: 127.0.0.1:0
zone: America/New_York
public-url: https://lakeside.example/
";

pub(crate) const CHANNELS: &str = r#"
channel: email
gateway: { smtp: { host: "${SMTP_HOST}", port: "${SMTP_PORT}", password: "${credential:smtp}" } }
from: "Lakeside Credit Union <hello@lakeside.example>"
pace: 50 per second
---
channel: sms
gateway:
  http:
    url: https://sms.example/send
    headers: { Authorization: "Bearer ${SMS_TOKEN}" }
    json: { to: "{{ message.to }}", text: "{{ message.text }}", flash: false, ttl: 60 }
    success: { status: [200, 202] }
    id-pointer: /id
    idempotency-header: Idempotency-Key
---
channel: push
gateway: { file: { folder: var/outbox } }
"#;

pub(crate) const CUSTOMERS: &str = r##"
customers:
  fields:
    joined_on: { description: Joined on, type: date }
    products: { description: Products, type: text, cardinality: many }
    balance: { description: Balance, type: number }
    plan: { description: Plan, type: choice, choices: [basic, gold] }
    instagram_profile:
      type: text
      validate:
        - { starts-with: "@", message: "must begin with @" }
        - { script: "value|length <= 31", message: "at most 30 characters after the @" }
    zip: { validate: [ { min-length: 5, message: five digits } ] }
  tags: { staff: { color: "#7a1fa2" }, vip: {} }
"##;

pub(crate) const POLICY: &str = r#"
policy:
  organization: { name: Lakeside Credit Union, postal-address: "12 Shore Road, Lakeside, OH 44000" }
  categories: { onboarding: Onboarding, credit-cards: Credit cards }
  groups: { retail-banking: Retail banking }
  consent: { email: opt-out, sms: opt-in, push: opt-in }
  quiet-hours: { sms: "21:00-08:00" }
  frequency-caps: [ { limit: 4 per 7d, channels: [email, sms, push], retry-for: 24h } ]
  holidays: [ 2026-12-25 ]
"#;

pub(crate) const SEGMENT: &str = r#"
segment: new-members
description: Opened a share account in the last 30 days
where:
  all:
    - { field: joined_on, within-last: 30d }
    - { field: products, includes: checking }
    - any: [ { field: city, starts-with: San }, { field: zip, starts-with: "44" } ]
    - not: { tag: staff }
    - { not: { did: email-opened, campaign: gold-card, within-last: 14d } }
    - { field: plan, in: [basic, gold] }
    - { field: balance, between: [10, 99.5] }
    - { consent: { sms: opted-in } }
    - { subscribed: { category: onboarding } }
    - { created: { within-last: 400d } }
    - { field: born_on, anniversary: { within-next: 7d } }
    - { random: 50% }
"#;

pub(crate) const CAMPAIGN: &str = r#"
campaign: gold-card
name: New Rewards Gold Credit Card
category: credit-cards
group: retail-banking
segment: new-members
active: { from: 2026-01-01, until: 2026-12-31 }
unsubscribe: category
dismissable: true
communications:
  offer: { email: { subject: "An offer, {{ customer.first_name }}", template: templates/offer.html } }
  offer-text: { sms: { text: "An offer" } }
  offer-push: { push: { title: An offer, body: Look, link: "lakeside://gold" } }
  homepage: { on-screen: { note: "kept here for reference" } }
  survey: { form: { fields: [income] } }
  contract: { docusign: { envelope: 1 } }
"#;

pub(crate) const TEMPLATE: &str = r#"<p>Dear {{ customer.first_name }}</p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> · {{ organization.postal_address }}</p>
"#;

pub(crate) const FLOW: &str = r#"
flow: welcome
name: Welcome
category: onboarding
group: retail-banking
segment: new-members
entry: { reentry: every 90d, existing-members: from-joining, limit: 2000 per day }
exit: { on-leaving-segment: true, when: { did: conversion, campaign: gold-card } }
window: { days: mon-fri, hours: "09:00-18:00" }
steps:
  - id: hello
    after: 4d
    email:
      subject: "Welcome, {{ customer.first_name }}"
      text: |
        Hello {{ customer.first_name }}
        {{ unsubscribe_url }} {{ organization.postal_address }}
  - id: card
    after: 7d
    at: "10:00"
    if: { not: { did: email-clicked, step: hello } }
    sms: gold-card/offer-text
  - id: pause
    after: 1d 12h
  - id: app
    on-skip: exit
    push: { title: Bank from your phone, body: "It is quick", link: "lakeside://app" }
  - id: offer
    after: 1mo
    window: { days: [sat, sun], zone: workspace }
    email: gold-card/offer
"#;

/// A workspace that is without a mistake until a test adds one.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn good() -> Self {
        Self::empty()
            .with("drumbeat.yaml", SETTINGS)
            .with("channels/all.yaml", CHANNELS)
            .with("flows/customers.yaml", CUSTOMERS)
            .with("flows/policy.yaml", POLICY)
            .with("flows/segments/new-members.yaml", SEGMENT)
            .with("flows/campaigns/gold-card.yaml", CAMPAIGN)
            .with("flows/templates/offer.html", TEMPLATE)
            .with("flows/welcome.yaml", FLOW)
    }

    pub(crate) fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Replaces `from`, which must be there, in one of the files.
    pub(crate) fn changed(self, path: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.dir.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.with(path, text.replacen(from, to, 1))
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn load(&self) -> Sources {
        workspace::load(self.path()).unwrap()
    }

    pub(crate) fn check(&self) -> Checked {
        workspace::check(&self.load())
    }

    /// Each diagnostic as `file:line code message`.
    pub(crate) fn findings(&self) -> Vec<String> {
        let checked = self.check();
        let line = |d: &workspace::Diagnostic| {
            format!(
                "{}:{}:{} {} {}",
                d.file, d.line, d.column, d.code, d.message
            )
        };
        checked.diagnostics.iter().map(line).collect()
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let checked = self.check();
        checked.diagnostics.iter().map(|d| d.code).collect()
    }
}
