//! What a flow has done is told at the command line, as text, rows, a page and JSON, and over HTTP alike.

use super::process::Place;

const OFFER: &str = r#"flow: offer
name: Offer <of> Lyon
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
goal: { when: { did: conversion }, within: 30d }
steps:
  - id: letter
    email:
      subject: Hello
      text: "{{ unsubscribe_url }} {{ organization.postal_address }}"
      variants: { plain: {}, bold: { subject: HELLO } }
  - { id: later, after: 3d, email: { subject: Again, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

#[tokio::test]
async fn a_report_says_the_same_in_every_form() {
    let place = Place::new().await;
    place.write("flows/offer.yaml", OFFER);
    let daemon = place.run().await;
    daemon
        .until("the letter is sent", async |store| {
            let sent = store
                .counts(jiff::Timestamp::UNIX_EPOCH)
                .await
                .unwrap()
                .sent;
            (!sent.is_empty()).then_some(())
        })
        .await;
    let facts = place.facts(&["report", "offer"]).await;
    let letter = &facts["steps"][0];
    assert_eq!(
        (&letter["entered"], &letter["sent"]),
        (&1.into(), &1.into())
    );
    assert_eq!(letter["parts"][0]["channel"], "email");
    assert_eq!(facts["goal"]["messaged"]["people"], 1);
    let create = ["token", "create", "reader", "--scope", "operations:read"];
    let made = place.facts(&create).await;
    let token = made["secret"].as_str();
    let url = format!("http://127.0.0.1:{}/api/v1/flows/offer/report", place.port);
    let asked = reqwest::Client::new().get(url).bearer_auth(token.unwrap());
    let told: serde_json::Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!(told["steps"], facts["steps"]);
    assert_eq!(told["goal"], facts["goal"]);
    assert_eq!(daemon.stop().await, Some(0));

    let text = place.said(&["report", "offer"]).await;
    assert!(text.contains("1 entered, 1 on their way"), "{text}");
    assert!(text.contains("nobody was held out"), "{text}");
    let rows = place.said(&["report", "offer", "--format", "csv"]).await;
    let mut rows = csv::Reader::from_reader(rows.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(
        rows[0].iter().take(7).collect::<Vec<_>>().join(","),
        "offer,letter,,,1,0,1"
    );
    let page = place.said(&["report", "offer", "--format", "html"]).await;
    assert!(
        page.contains("<svg") && page.contains("Offer &#60;of&#62; Lyon"),
        "{page}"
    );
}

#[tokio::test]
async fn a_flow_that_is_not_there_is_told_with_its_like() {
    let place = Place::new().await;
    place.run().await.stop().await;
    let output = place.command(&["report", "welcom"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("welcome"), "{said}");
}
