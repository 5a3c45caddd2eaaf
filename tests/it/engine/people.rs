//! Owns what people do to customers in a test, and what is asked about them.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Status, Switch};
use drumbeat::domain::ids::{Bucket, CustomerId, NameNo};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::{Consent, Resubscription, Scope};
use drumbeat::domain::value::Value;
use drumbeat::store::{HistoryFilter, HistoryLine, NewCustomer, Pause, Upsert};
use jiff::tz::TimeZone;

use super::rig::Rig;

pub(super) fn by() -> By {
    By::new(Actor::named("maria"), Source::CommandLine).noting("asked on the phone")
}

impl Rig {
    /// A new customer who can be reached on every channel: `city=Lyon, points=3`.
    pub(super) async fn customer(&self, id: &str, fields: &str) {
        let number = Bucket::of(id).0;
        let reached = format!("email={id}@bank.example, phone=+336{number:08}, {fields}");
        self.set(id, &reached).await;
    }

    /// Sets fields; nothing after the `=` clears one.
    pub(super) async fn set(&self, id: &str, fields: &str) {
        self.set_all(&[id], fields).await;
    }

    pub(super) async fn set_all(&self, ids: &[&str], fields: &str) {
        let catalog = self.engine().catalog();
        let model = &catalog.revision().data_model;
        let pairs = fields
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='));
        let fields: Vec<(String, Option<FieldValue>)> = pairs
            .map(|(name, text)| {
                let kind = model.field(name).unwrap().kind;
                let value = (!text.is_empty())
                    .then(|| FieldValue::One(Value::parse(kind, text, &TimeZone::UTC).unwrap()));
                (name.to_owned(), value)
            })
            .collect();
        let rows: Vec<NewCustomer> = ids
            .iter()
            .map(|id| NewCustomer {
                external_id: (*id).to_owned(),
                fields: fields.clone(),
            })
            .collect();
        self.upsert(&rows).await;
    }

    pub(super) async fn upsert(&self, rows: &[NewCustomer]) {
        let catalog = self.engine().catalog();
        let how = Upsert {
            model: &catalog.revision().data_model,
            tags: &[],
            consents: &[],
            by: &by(),
            at: self.now(),
        };
        self.store.upsert_customers(rows, &how).await.unwrap();
    }

    pub(super) async fn id(&self, customer: &str) -> CustomerId {
        self.store.customer_id(customer).await.unwrap().unwrap()
    }

    pub(super) async fn did(&self, customer: &str, kind: Kind) {
        let id = self.id(customer).await;
        let interaction = Interaction::new(id, self.now(), kind);
        self.store.record(&[interaction]).await.unwrap();
    }

    pub(super) async fn clicked(&self, customer: &str, flow: &str, step: &str) {
        let mut click = Interaction::new(self.id(customer).await, self.now(), Kind::EmailClicked);
        click.channel = Some(Channel::Email);
        click.flow = Some(flow.to_owned());
        click.campaign = Some(flow.to_owned());
        click.step = Some(step.to_owned());
        self.store.record(&[click]).await.unwrap();
    }

    pub(super) async fn unsubscribe(&self, customer: &str, scope: &Scope) {
        let (id, by) = (self.id(customer).await, by());
        let changed = self.store.unsubscribe(id, scope, &by, self.now());
        assert!(changed.await.unwrap());
    }

    pub(super) async fn resubscribe(&self, customer: &str, scope: &Scope) -> Resubscription {
        let (id, by) = (self.id(customer).await, by());
        let answer = self.store.resubscribe(id, scope, &by, self.now());
        answer.await.unwrap()
    }

    pub(super) async fn dismiss(&self, customer: &str, campaign: &str) {
        let (id, by) = (self.id(customer).await, by());
        let changed = self.store.dismiss(id, campaign, &by, self.now());
        assert!(changed.await.unwrap());
    }

    pub(super) async fn switch(&self, customer: &str, switch: Switch, on: bool) {
        let (id, by) = (self.id(customer).await, by());
        let changed = self.store.set_switch(id, switch, on, &by, self.now());
        assert!(changed.await.unwrap());
    }

    pub(super) async fn consent(&self, customer: &str, channel: Channel, consent: Consent) {
        let (id, by) = (self.id(customer).await, by());
        let changed = self
            .store
            .set_consent(id, channel, consent, &by, self.now());
        changed.await.unwrap();
    }

    pub(super) async fn status(&self, customer: &str, status: Status) {
        let (id, by) = (self.id(customer).await, by());
        let changed = self.store.set_status(id, status, &by, self.now());
        assert!(changed.await.unwrap());
    }

    pub(super) fn flow(&self, flow: &str) -> NameNo {
        let catalog = self.engine().catalog();
        let numbers = &catalog.published.numbers;
        numbers.number(NameKind::Flow, flow).unwrap()
    }

    pub(super) fn pause(&self) -> Pause {
        Pause {
            at: self.now(),
            by: "maria".to_owned(),
            reason: Some("a wrong price".to_owned()),
        }
    }

    pub(super) async fn pause_flow(&mut self, flow: &str) {
        let (number, pause) = (self.flow(flow), self.pause());
        assert!(self.store.pause_flow(number, &pause).await.unwrap());
        self.settle().await;
    }

    pub(super) async fn resume_flow(&mut self, flow: &str) {
        let (number, now) = (self.flow(flow), self.now());
        assert!(self.store.resume_flow(number, now).await.unwrap());
        self.settle().await;
    }

    /// A customer's lines, oldest first.
    pub(super) async fn history(&self, customer: &str) -> Vec<HistoryLine> {
        let id = self.id(customer).await;
        let all = HistoryFilter::default();
        let mut lines = self.store.history(id, &all, 1_000).await.unwrap();
        lines.reverse();
        lines.sort_by_key(|line| (line.at, rank(&line.kind)));
        lines
    }

    /// What became of each step, and how each run ended: `hello sent`, `hello withheld late`, `f completed`.
    pub(super) async fn ledger(&self, customer: &str) -> Vec<String> {
        let lines = self.history(customer).await;
        lines.iter().filter_map(ledger_line).collect()
    }

    /// When a customer entered which flow.
    pub(super) async fn entered(&self, customer: &str) -> Vec<String> {
        let lines = self.history(customer).await;
        let entered = lines.iter().filter(|line| line.kind == "entered-flow");
        entered
            .map(|line| {
                let at = line.at.strftime("%m-%d %H:%M");
                format!("{at} {}", line.flow.as_deref().unwrap_or_default())
            })
            .collect()
    }

    /// One number, asked past the store.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        self.home.number(sql).await
    }

    /// Writes past the store.
    pub(super) async fn execute(&self, sql: &str) {
        self.home.execute(sql).await;
    }
}

fn rank(kind: &str) -> u8 {
    match kind {
        "entered-flow" | "send-asked" => 0,
        "completed-flow" | "exited-flow" => 2,
        _ => 1,
    }
}

pub(super) fn ledger_line(line: &HistoryLine) -> Option<String> {
    let reason = line.detail.as_ref()?.get("reason");
    let reason = reason
        .and_then(|reason| reason.as_str())
        .unwrap_or_default();
    let flow = line.flow.as_deref().unwrap_or_default();
    let text = match line.kind.as_str() {
        "completed-flow" => format!("{flow} completed"),
        "exited-flow" => format!("{flow} exited {reason}"),
        kind => {
            let (channel, state) = kind.split_once('-')?;
            Channel::parse(channel)?;
            let step = line.step.as_deref()?;
            format!("{step} {state} {reason}")
        }
    };
    Some(text.trim_end().to_owned())
}
