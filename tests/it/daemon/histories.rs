//! The history of a customer, as a daemon wrote it and commands show it: whole, and narrowed.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::process::Place;

const CHANNELS: &str = r#"channel: email
gateway: { file: { folder: var/messages } }
from: "Lakeside <hello@lakeside.example>"
---
channel: sms
gateway: { file: { folder: var/messages } }
---
channel: push
gateway: { file: { folder: var/messages } }
"#;

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding, cards: Cards }
  groups: { retail: Retail }
"#;

const FLOW: &str = r#"campaign: gold-card
name: Gold Card
category: cards
group: retail
communications: { offer: { sms: { text: "Your gold card is ready" } } }
---
flow: welcome
name: Welcome
category: onboarding
group: retail
max-lateness: 365d
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: account, after: 4d, email: { subject: Your account, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
  - { id: card, after: 40d, sms: gold-card/offer }
  - { id: app, after: 3d, push: { title: The app, body: Look } }
"#;

const PEOPLE: &str = "\
id,email,phone,city
ana,ana@example.com,+59899100001,Lyon
bo,bo@example.com,+59899100002,Paris
eva,eva@example.com,+59899100003,Lyon
";

const DID: &str = "\
customer,kind,at,campaign
ana,page-visited,2026-01-04T10:00:00Z,
ana,conversion,2026-01-05T10:00:00Z,gold-card
";

/// Seven weeks of a flow, of which Eva gets no texts; Ana did something before, and turned texts off after.
async fn seven_weeks() -> Place {
    let place = Place::new().await;
    place.write("email.yaml", CHANNELS);
    place.write("flows/policy.yaml", POLICY);
    place.write("flows/welcome.yaml", FLOW);
    place.write("customers.csv", PEOPLE);
    place.write("did.csv", DID);
    place.said(&["import", "customers.csv"]).await;
    place.said(&["switch", "eva", "sms", "off"]).await;
    run(&place).await;
    place
        .said(&["import", "did.csv", "--kind", "interactions"])
        .await;
    place.said(&["switch", "ana", "sms", "off"]).await;
    place
}

async fn run(place: &Place) {
    place
        .said(&["run", "--clock-scale", "2419200", "--until-idle"])
        .await;
}

/// A customer's lines, narrowed by these words, the newest first.
async fn lines(place: &Place, customer: &str, words: &[&str]) -> Vec<Value> {
    let asked = [&["customer", "interactions", customer], words].concat();
    let told = place.facts(&asked).await;
    told["interactions"].as_array().unwrap().clone()
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    let kinds = lines.iter().map(|line| line["kind"].as_str().unwrap());
    kinds.collect()
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                files(&entry.path())
            } else {
                1
            }
        })
        .sum()
}

#[tokio::test]
async fn the_whole_history_of_a_customer_is_kept_and_shown() {
    let place = seven_weeks().await;
    let all = lines(&place, "ana", &[]).await;
    let expected = [
        "switched-off",
        "completed-flow",
        "push-sent",
        "sms-sent",
        "email-sent",
        "entered-flow",
        "entered-segment",
        "conversion",
        "page-visited",
    ];
    assert_eq!(kinds(&all), expected);
    let times: Vec<&str> = all
        .iter()
        .map(|line| line["at"].as_str().unwrap())
        .collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );
    let shown = place.facts(&["customer", "show", "ana"]).await;
    assert_eq!(shown["interactions"], Value::Array(all.clone()));
    assert!(lines(&place, "bo", &[]).await.is_empty());
    run(&place).await;
    assert_eq!(lines(&place, "ana", &[]).await, all, "after another start");
}

#[tokio::test]
async fn every_e_mail_text_and_push_that_was_sent_stands_in_the_history() {
    let place = seven_weeks().await;
    let sent = async |customer: &str| -> Vec<String> {
        let all = lines(&place, customer, &["--direction", "outbound"]).await;
        let told = |line: &Value| {
            let words = ["kind", "channel", "flow", "step"].map(|key| line[key].as_str().unwrap());
            words.join(" ")
        };
        all.iter().rev().map(told).collect()
    };
    let of_ana = [
        "email-sent email welcome account",
        "sms-sent sms welcome card",
        "push-sent push welcome app",
    ];
    assert_eq!(sent("ana").await, of_ana);
    // What was kept back was not sent, and is not told as sent.
    let of_eva = [of_ana[0], "sms-withheld sms welcome card", of_ana[2]];
    assert_eq!(sent("eva").await, of_eva);
    assert!(sent("bo").await.is_empty());
    assert_eq!(files(&place.path().join("var/messages")), 5);
}

#[tokio::test]
async fn a_history_is_narrowed_to_a_campaign() {
    let place = seven_weeks().await;
    let gold = lines(&place, "ana", &["--campaign", "gold-card"]).await;
    assert_eq!(kinds(&gold), ["sms-sent", "conversion"]);
    let welcome = lines(&place, "ana", &["--campaign", "welcome"]).await;
    let of_the_flow = kinds(&welcome);
    assert!(of_the_flow.contains(&"email-sent"), "{of_the_flow:?}");
    for other in ["conversion", "page-visited", "switched-off"] {
        assert!(!of_the_flow.contains(&other), "{of_the_flow:?}");
    }
    assert!(
        lines(&place, "eva", &["--campaign", "gold-card"])
            .await
            .len()
            == 1
    );
    assert!(
        lines(&place, "bo", &["--campaign", "welcome"])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_history_is_narrowed_to_a_category() {
    let place = seven_weeks().await;
    let cards = lines(&place, "ana", &["--category", "cards"]).await;
    assert_eq!(kinds(&cards), ["sms-sent", "conversion"]);
    let onboarding = lines(&place, "ana", &["--category", "onboarding"]).await;
    let kinds = kinds(&onboarding);
    assert!(
        kinds.contains(&"email-sent") && kinds.contains(&"push-sent"),
        "{kinds:?}"
    );
    assert!(
        !kinds.contains(&"conversion") && !kinds.contains(&"switched-off"),
        "{kinds:?}"
    );
    assert!(
        lines(&place, "ana", &["--category", "loans"])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_history_is_narrowed_to_a_month() {
    let place = seven_weeks().await;
    let all = lines(&place, "ana", &[]).await;
    let month = |line: &Value| line["at"].as_str().unwrap()[..7].to_owned();
    let months: BTreeSet<String> = all.iter().map(month).collect();
    assert!(months.len() >= 3, "{months:?}");
    for one in &months {
        let expected: Vec<Value> = all
            .iter()
            .filter(|line| month(line) == *one)
            .cloned()
            .collect();
        assert_eq!(
            lines(&place, "ana", &["--month", one]).await,
            expected,
            "{one}"
        );
    }
    let january = lines(&place, "ana", &["--month", "2026-01"]).await;
    assert_eq!(kinds(&january), ["conversion", "page-visited"]);
    assert!(
        lines(&place, "ana", &["--month", "2025-12"])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_history_is_narrowed_to_what_came_in_or_to_what_went_out() {
    let place = seven_weeks().await;
    let inbound = lines(&place, "ana", &["--direction", "inbound"]).await;
    assert_eq!(kinds(&inbound), ["conversion", "page-visited"]);
    let outbound = lines(&place, "ana", &["--direction", "outbound"]).await;
    assert_eq!(kinds(&outbound), ["push-sent", "sms-sent", "email-sent"]);
    let changes = lines(&place, "ana", &["--direction", "change"]).await;
    assert!(kinds(&changes).contains(&"switched-off"));
    let parts = inbound.len() + outbound.len() + changes.len();
    assert_eq!(lines(&place, "ana", &[]).await.len(), parts);
}

#[tokio::test]
async fn each_channel_is_summed_up_with_the_conversions_that_came_of_it() {
    let place = seven_weeks().await;
    let all = lines(&place, "ana", &[]).await;
    let push = all.iter().find(|line| line["kind"] == "push-sent").unwrap();
    let later = push["at"].as_str().unwrap();
    let converted = format!("customer,kind,at,campaign\nana,conversion,{later},gold-card\n");
    place.write("later.csv", &converted);
    place
        .said(&["import", "later.csv", "--kind", "interactions"])
        .await;
    let sums = async |customer: &str| -> Vec<[Value; 3]> {
        let totals = place.facts(&["customer", "totals", customer]).await;
        let channels = ["email", "sms", "push"].map(|channel| totals[channel].clone());
        let keys = ["sent", "withheld", "conversions"];
        channels.map(|of| keys.map(|key| of[key].clone())).into()
    };
    let numbers = |all: [[u64; 3]; 3]| all.map(|of| of.map(Value::from));
    // What Ana did before anything was said to her came of no message.
    assert_eq!(
        sums("ana").await,
        numbers([[1, 0, 0], [1, 0, 1], [1, 0, 0]])
    );
    assert_eq!(
        sums("eva").await,
        numbers([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    );
    let totals = place.facts(&["customer", "totals", "ana"]).await;
    assert_eq!(totals["conversions"], 2);
}
