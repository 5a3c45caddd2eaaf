//! Owns the test that a simulation and the running engine agree, message for message.

use std::collections::BTreeSet;

use drumbeat::simulation::{self, Came, Request};
use drumbeat::store::{NewCustomer, NewRevision, Store, Upsert};
use drumbeat::workspace;

use super::people::by;
use super::rig::{Rig, START};
use super::written::{LYON, any, email, flow, policy, sms};

/// Flows of every kind of step; who gets what depends on fields, zones, consent and caps.
fn files() -> Vec<(&'static str, String)> {
    let choice = "first-of: [ { sms: { text: Hello } }, { email: { subject: Hello, \
         text: \"{{ organization.postal_address }} {{ unsubscribe_url }}\" } } ]";
    let steps = [
        email("hello", "after: 2d, at: \"10:30\""),
        any("choice", &format!("after: 1d, {choice}")),
        email("dated", "due: { field: joined_on, after: 20d }"),
        any("wait", "wait-for: { did: login, at-most: 5d }"),
        sms("last", "due: { weekday: tue }, at: \"21:30\""),
    ];
    let monthly = [email("monthly", "due: { business-day: 1 }, at: \"09:00\"")];
    let rules = policy(
        "quiet-hours: { sms: \"21:00-08:00\" }\nfrequency-caps: [ { limit: 3 per 7d, retry-for: 2d } ]\n\
         control-group: 10%",
    );
    let all = "{ field: points, at-least: 1 }";
    vec![
        ("flows/policy.yaml", rules),
        (
            "flows/f.yaml",
            flow("f", LYON, "entry: { holdout: 20% }", &steps),
        ),
        (
            "flows/g.yaml",
            flow("g", all, "entry: { reentry: every 25d }", &monthly),
        ),
    ]
}

fn people(rig: &Rig) -> Vec<NewCustomer> {
    use drumbeat::domain::customer::FieldValue;
    use drumbeat::domain::value::Value;
    let catalog = rig.engine().catalog();
    let model = &catalog.revision().data_model;
    let zones = [
        "Europe/Paris",
        "America/New_York",
        "Australia/Sydney",
        "Asia/Kathmandu",
    ];
    let person = |n: usize| {
        let mut fields = vec![
            ("email", format!("c{n}@bank.example")),
            ("city", ["Lyon", "Paris"][n % 2].to_owned()),
            ("points", (n % 3).to_string()),
            ("timezone", zones[n % 4].to_owned()),
            ("joined_on", format!("2026-01-{:02}", 1 + n % 20)),
        ];
        if !n.is_multiple_of(3) {
            fields.push(("phone", format!("+3361234{n:04}")));
        }
        let fields = fields.into_iter().map(|(name, text)| {
            let kind = model.field(name).unwrap().kind;
            let value = Value::parse(kind, &text, &jiff::tz::TimeZone::UTC).unwrap();
            (name.to_owned(), Some(FieldValue::One(value)))
        });
        NewCustomer {
            external_id: format!("c{n}"),
            fields: fields.collect(),
        }
    };
    (0..40).map(person).collect()
}

/// What a simulation of the same start says would come to one customer, and to how many messages all come.
async fn simulated(rig: &Rig, people: &[NewCustomer], customer: &str) -> (BTreeSet<String>, u64) {
    let sources = workspace::load(rig.folder.path()).unwrap();
    let revision = workspace::check(&sources).revision.unwrap();
    let start = START.parse().unwrap();
    let private = tempfile::tempdir().unwrap();
    let store = Store::open("sqlite://private.db", private.path())
        .await
        .unwrap();
    let publish = NewRevision {
        revision: &revision,
        hash: "before",
        commit: None,
        sources: Vec::new(),
        at: start,
    };
    store.publish(publish).await.unwrap();
    let how = Upsert {
        model: &revision.data_model,
        tags: &[],
        consents: &[],
        by: &by(),
        at: start,
    };
    store.upsert_customers(people, &how).await.unwrap();
    let request = Request {
        flows: Vec::new(),
        from: start,
        until: rig.now(),
        customer: Some(customer.to_owned()),
        public_url: "https://bank.example".to_owned(),
    };
    let simulated = simulation::simulate(&store, (revision, "now"), &request, &|_| {});
    let simulated = simulated.await.unwrap();
    store.close().await;
    let lines = simulated.timeline.iter().filter_map(|line| {
        let Came::Sent { channel, .. } = &line.came else {
            return None;
        };
        let step = line.step.as_ref()?;
        Some(format!(
            "{} {} {channel} {} {step}",
            line.at, line.customer, line.flow
        ))
    });
    (lines.collect(), simulated.tally.values().sum())
}

#[tokio::test]
async fn a_simulation_and_the_engine_agree_message_for_message() {
    let files = files();
    let written: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let mut rig = Rig::start(&written).await;
    let people = people(&rig);
    rig.upsert(&people).await;
    rig.advance("60d").await;
    let came: Vec<(String, String)> = rig
        .outbox
        .take()
        .iter()
        .map(|tried| {
            let origin = &tried.message.frozen.origin;
            let (customer, flow, step) = (&origin.customer, &origin.flow, &origin.step);
            let line = format!("{} {customer} {} {flow} {step}", tried.at, tried.channel);
            (customer.clone(), line)
        })
        .collect();
    let mut words = 0;
    // Whose words are kept is one customer at a time.
    for customer in ["c0", "c4", "c10", "c14", "c22", "c38"] {
        let (foretold, all) = simulated(&rig, &people, customer).await;
        let own = came.iter().filter(|(to, _)| to == customer);
        let own: BTreeSet<String> = own.map(|(_, line)| line.clone()).collect();
        assert_eq!(foretold, own, "{customer}");
        assert_eq!(all, came.len() as u64);
        words += own.len();
    }
    assert!(words > 10, "{words}");
}
