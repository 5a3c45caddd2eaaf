//! Owns the tests of explanations of many customers, and of moments in the past.

use drumbeat::domain::customer::Status;
use drumbeat::domain::segment::Condition;
use drumbeat::engine::explain::{AudienceTold, PastTold, audience, past};
use drumbeat::store::Error;

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};

impl Rig {
    async fn audience(&self, about: Option<&Condition>) -> AudienceTold {
        let catalog = self.engine().catalog();
        let flow = &catalog.revision().flows["f"];
        let told = audience(&self.store, &catalog, flow, about, self.now());
        told.await.unwrap()
    }

    /// Reason and number of each group; who is in it comes with a `+`.
    async fn groups(&self, about: Option<&Condition>) -> Vec<String> {
        let told = self.audience(about).await;
        let groups = told.groups.iter().map(|group| {
            let mark = if group.in_it { "+" } else { "" };
            format!("{mark}{} {}", group.reason, group.customers)
        });
        groups.collect()
    }

    async fn past(&self, customer: &str, at: &str) -> Result<PastTold, Error> {
        let catalog = self.engine().catalog();
        let model = &catalog.revision().data_model;
        let customer = self.store.customer(customer, model).await?.unwrap();
        past(&self.store, &catalog, &customer, "f", at.parse().unwrap()).await
    }
}

fn states(told: &PastTold) -> Vec<String> {
    let steps = told.steps.iter();
    steps
        .map(|step| format!("{} {}", step.step, step.state))
        .collect()
}

async fn rig(more: &str) -> Rig {
    let steps = [email("hello", "after: 1d"), sms("text", "after: 3d")];
    let rig = Rig::with(&flow(
        "f",
        "{ all: [ { field: city, is: Lyon }, { field: points, at-least: 5 } ] }",
        more,
        &steps,
    ))
    .await;
    for (id, city, points) in [
        ("ana", "Lyon", 9),
        ("bo", "Lyon", 9),
        ("cy", "Lyon", 1),
        ("di", "Rome", 9),
        ("ed", "Rome", 1),
        ("fi", "Lyon", 9),
    ] {
        rig.customer(id, &format!("city={city}, points={points}"))
            .await;
    }
    rig
}

const EVERYONE: Condition = Condition::All(Vec::new());

#[tokio::test]
async fn each_customer_counts_once_by_the_first_reason() {
    let mut rig = rig("exit: { on-leaving-segment: true }").await;
    rig.status("fi", Status::Suspended).await;
    rig.advance("2d").await;
    rig.set("bo", "points=1").await;
    rig.settle().await;
    let everyone = rig.groups(Some(&EVERYONE)).await;
    assert_eq!(
        everyone,
        [
            "+waiting 1",
            "left_segment 1",
            "suspended 1",
            "segment 2",
            "segment 1"
        ]
    );
    let told = rig.audience(Some(&EVERYONE)).await;
    assert_eq!(
        (told.customers, told.groups[4].example.as_deref()),
        (6, Some("cy"))
    );
    assert_eq!(told.groups[4].text, "do not meet: Points is at least 5");
    assert_eq!(rig.groups(None).await, ["+waiting 1", "suspended 1"]);
    rig.advance("10d").await;
    assert_eq!(rig.groups(None).await, ["completed 1", "suspended 1"]);
}

#[tokio::test]
async fn whoever_qualifies_and_does_not_enter_has_the_flow_to_blame() {
    for (keys, expected) in [
        ("status: draft", "status 4"),
        ("status: stopped", "status 4"),
        ("entry: { schedule: \"0 9 1 * *\" }", "schedule 4"),
        ("entry: { existing-members: skip }", "existing-members 4"),
        ("entry: { limit: 1 per day }", "pending 4"),
    ] {
        let mut rig = Rig::with(&flow(
            "f",
            LYON,
            "status: draft",
            &[email("hello", "after: 9d")],
        ))
        .await;
        for id in ["ana", "bo", "cy", "di"] {
            rig.customer(id, "city=Lyon").await;
        }
        rig.settle().await;
        rig.edit(
            "flows/f.yaml",
            &flow("f", LYON, keys, &[email("hello", "after: 9d")]),
        )
        .await;
        let groups = rig.groups(None).await;
        assert!(groups.contains(&expected.to_owned()), "{keys}: {groups:?}");
    }
}

#[tokio::test]
async fn a_moment_in_the_past_is_told_by_what_was_written_down_then() {
    let mut rig = rig("exit: { on-leaving-segment: true }").await;
    rig.advance("2d").await;
    let short = flow("f", LYON, "", &[email("hello", "after: 1d")]);
    rig.edit("flows/f.yaml", &short).await;
    rig.set("ana", "city=Rome").await;
    rig.advance("30d").await;

    let waiting = rig.past("ana", "2026-01-05T12:00:00Z").await.unwrap();
    assert_eq!(
        (waiting.revision, waiting.in_it, waiting.entry),
        (1, true, Some(1))
    );
    assert_eq!(states(&waiting), ["hello waited-for", "text to-come"]);
    let rules: Vec<_> = waiting
        .reasons
        .iter()
        .map(|point| (point.rule, point.met))
        .collect();
    let expected = [
        ("revision", None),
        ("status", None),
        ("membership", Some(true)),
        ("entry", Some(true)),
    ];
    assert_eq!(rules, expected);

    let later = rig.past("ana", "2026-01-06T12:00:00Z").await.unwrap();
    assert_eq!(states(&later), ["hello accepted", "text waited-for"]);
    let after = rig.past("ana", "2026-02-01T12:00:00Z").await.unwrap();
    assert_eq!((after.revision, after.in_it), (2, false));
    let never = rig.past("di", "2026-02-01T12:00:00Z").await.unwrap();
    assert_eq!(
        (never.in_it, never.entry, never.steps.len()),
        (false, None, 0)
    );
    let before = rig.past("ana", "2026-01-05T09:00:00Z").await.unwrap_err();
    assert!(before.to_string().contains("in force then"), "{before}");
}
