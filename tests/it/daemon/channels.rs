//! One flow over every channel, from the files to what the gateways took.

use serde_json::json;

use super::gateways::Gateways;
use super::process::Place;

const FLOW: &str = r#"campaign: gold-card
name: Gold Card
category: onboarding
group: retail
communications: { offer: { sms: { text: "Hi {{ customer.id }}, your gold card is ready" } } }
---
flow: onboarding
name: Onboarding
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: account, after: 4d, email: { subject: Your account, text: "For {{ customer.id }}. {{ unsubscribe_url }} {{ organization.postal_address }}" } }
  - { id: card, after: 7d, sms: gold-card/offer }
  - { id: app, after: 3d, push: { title: "The app, {{ customer.id }}", body: Look, link: "lakeside://app" } }
"#;

#[tokio::test]
async fn an_onboarding_flow_speaks_by_e_mail_text_and_push_over_two_weeks_by_itself() {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &[("flows/onboarding.yaml", FLOW)]).await;
    place
        .said(&["run", "--clock-scale", "604800", "--until-idle"])
        .await;
    let mut mails = gateways.mails();
    mails.retain(|mail| mail.contains("Subject: Your account"));
    let people = ["ana", "ben", "eva"];
    assert_eq!(mails.len(), 3, "{mails:#?}");
    for id in people {
        let to = format!("To: {id}@example.com");
        let one = mails.iter().filter(|mail| mail.contains(&to)).count();
        assert_eq!(one, 1, "{id}");
    }
    let mut texts = gateways.texts();
    texts.sort_by_key(ToString::to_string);
    let expected = people.into_iter().zip(1..).map(|(id, n)| {
        json!({
            "to": format!("+5989910000{n}"),
            "text": format!("Hi {id}, your gold card is ready"),
        })
    });
    assert_eq!(texts, expected.collect::<Vec<_>>());
    let mut pushes = gateways.pushes();
    pushes.sort_by_key(ToString::to_string);
    let expected = people
        .map(|id| json!({ "to": id, "title": format!("The app, {id}"), "link": "lakeside://app" }));
    assert_eq!(pushes, expected);
    shown(&place).await;
}

/// A person reads the whole of it in the customer's history, oldest last.
async fn shown(place: &Place) {
    let ana = place.facts(&["customer", "show", "ana"]).await;
    let lines = ana["interactions"].as_array().unwrap();
    let told: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            let step = line["step"].as_str().unwrap_or_default();
            (line["kind"].as_str().unwrap(), step)
        })
        .collect();
    let expected = [
        ("completed-flow", ""),
        ("push-sent", "app"),
        ("sms-sent", "card"),
        ("email-sent", "account"),
        ("entered-flow", ""),
        ("entered-segment", ""),
    ];
    assert_eq!(told, expected);
}
