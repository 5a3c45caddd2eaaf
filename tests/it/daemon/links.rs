//! The unsubscribe link of a message as it was received: looked at, then used, and obeyed.

use reqwest::Client;
use serde_json::{Value, json};

use super::gateways::{Gateways, link, parts_of};
use super::process::{Place, Running};

const MAILS: &str = r#"flow: mails
name: Mails
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: hello, email: { subject: Hello, text: "Stop: {{ unsubscribe_url }} or write to {{ organization.postal_address }}" } }
  - { id: again, after: 1h, email: { subject: Again, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

const TEXTS: &str = r#"flow: texts
name: Texts
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: ping, sms: { text: "Your card is ready. Stop: {{ unsubscribe_url }}" } }
  - { id: pong, after: 1h, sms: { text: "Have you seen your card?" } }
"#;

pub(super) const FLOWS: [(&str, &str); 2] =
    [("flows/mails.yaml", MAILS), ("flows/texts.yaml", TEXTS)];

/// Looks at a link as scanners and curious people do; the page offers a form.
async fn look(browser: &Client, link: &str) {
    for _ in 0..2 {
        let page = browser.get(link).send().await.unwrap();
        assert_eq!(page.status(), 200, "{link}");
        let page = page.text().await.unwrap();
        assert!(page.contains("<form method=\"post\""), "{page}");
        let head = browser.head(link).send().await.unwrap();
        assert_eq!(head.status(), 200, "{link}");
    }
}

async fn post(browser: &Client, link: &str, body: &'static str) {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let request = browser.post(link).header(kind.0, kind.1).body(body);
    assert_eq!(request.send().await.unwrap().status(), 200, "{link}");
}

pub(super) async fn records(place: &Place, customer: &str) -> Value {
    let shown = place.facts(&["customer", "show", customer]).await;
    let records = shown["subscriptions"].as_array().unwrap().iter();
    records
        .map(|record| {
            let keys = ["campaign", "state", "actor", "source", "note"];
            keys.map(|key| (key, record[key].clone()))
                .into_iter()
                .collect::<Value>()
        })
        .collect()
}

pub(super) fn record(campaign: &str, source: &str, note: &str) -> Value {
    json!({
        "campaign": campaign,
        "state": "unsubscribed",
        "actor": "customer",
        "source": source,
        "note": format!("link in {note} of campaign {campaign}"),
    })
}

/// Lets the hour pass and the flows end.
pub(super) async fn wait(place: &Place, daemon: Running) {
    assert_eq!(daemon.stop().await, Some(0));
    place
        .said(&["run", "--clock-scale", "3600", "--until-idle"])
        .await;
}

/// What became of the second message of each flow, and how often the first was sent.
async fn outcomes(place: &Place, customer: &str) -> Vec<String> {
    let shown = place.facts(&["customer", "show", customer]).await;
    let lines = shown["interactions"].as_array().unwrap().iter();
    let mut outcomes: Vec<String> = lines
        .filter(|line| line["step"].is_string())
        .map(|line| {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let reason = word(&line["detail"]["reason"]);
            let told = format!("{} {} {reason}", word(&line["step"]), word(&line["kind"]));
            told.trim_end().to_owned()
        })
        .collect();
    outcomes.sort();
    outcomes
}

#[tokio::test]
async fn a_link_in_an_e_mail_or_a_text_as_received_stops_the_next_message() {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &FLOWS).await;
    let daemon = place.run().await;
    gateways.take(3, 3).await;
    let (mails, texts) = (gateways.mails(), gateways.texts());
    let page = format!("http://127.0.0.1:{}/u/", place.port);
    let in_mail = link(parts_of(&mails, "ana").1, &page);
    let text = texts.iter().find(|text| text["to"] == "+59899100001");
    let in_text = link(text.unwrap()["text"].as_str().unwrap(), &page);
    let header = parts_of(&mails, "ben").0;
    let in_header = link(header, &page);
    assert!(header.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));

    let browser = Client::builder().no_proxy().build().unwrap();
    for link in [&in_mail, &in_text, &in_header] {
        look(&browser, link).await;
    }
    for customer in ["ana", "ben"] {
        assert_eq!(records(&place, customer).await, json!([]), "{customer}");
    }
    post(&browser, &in_mail, "").await;
    post(&browser, &in_text, "").await;
    post(&browser, &in_header, "List-Unsubscribe=One-Click").await;
    let of_ana = [
        record("mails", "link", "e-mail"),
        record("texts", "link", "text message"),
    ];
    assert_eq!(records(&place, "ana").await, json!(of_ana));
    let of_ben = [record("mails", "one-click", "e-mail")];
    assert_eq!(records(&place, "ben").await, json!(of_ben));

    wait(&place, daemon).await;
    let kept_back = "withheld unsubscribed_campaign";
    let (mail, text) = (
        format!("again email-{kept_back}"),
        format!("pong sms-{kept_back}"),
    );
    let first = ["hello email-sent", "ping sms-sent"];
    let of = |second: [&str; 2]| [second[0], first[0], first[1], second[1]].map(str::to_owned);
    assert_eq!(outcomes(&place, "ana").await, of([&mail, &text]));
    assert_eq!(outcomes(&place, "ben").await, of([&mail, "pong sms-sent"]));
    let both = of(["again email-sent", "pong sms-sent"]);
    assert_eq!(outcomes(&place, "eva").await, both);
    let seconds = |all: &[String], word: &str| all.iter().filter(|m| m.contains(word)).count();
    assert_eq!(seconds(&gateways.mails(), "Subject: Again"), 1);
    let texts: Vec<String> = gateways.texts().iter().map(Value::to_string).collect();
    assert_eq!(seconds(&texts, "Have you seen"), 2);
}

const GOLD: &str = r#"campaign: gold-card
name: Gold Card
category: onboarding
group: retail
unsubscribe: campaign
communications:
  offer: { email: { subject: An offer, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
  reminder: { email: { subject: A reminder, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
---
flow: mails
name: Mails
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: offer, email: gold-card/offer }
  - { id: reminder, after: 1h, email: gold-card/reminder }
  - { id: news, after: 1h, email: { subject: News, text: "{{ unsubscribe_url }} {{ organization.postal_address }}" } }
"#;

#[tokio::test]
async fn who_clicks_the_link_in_an_e_mail_of_a_campaign_is_unsubscribed_from_it_and_the_record_tells_how()
 {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &[("flows/gold.yaml", GOLD)]).await;
    let daemon = place.run().await;
    gateways.take(3, 0).await;
    let page = format!("http://127.0.0.1:{}/u/", place.port);
    let clicked = link(parts_of(&gateways.mails(), "ana").1, &page);
    let browser = Client::builder().no_proxy().build().unwrap();
    look(&browser, &clicked).await;
    assert_eq!(records(&place, "ana").await, json!([]));
    post(&browser, &clicked, "").await;
    let by_link = [record("gold-card", "link", "e-mail")];
    assert_eq!(records(&place, "ana").await, json!(by_link));
    assert_eq!(records(&place, "ben").await, json!([]));
    wait(&place, daemon).await;
    let withheld = "reminder email-withheld unsubscribed_campaign";
    let of_ana = ["news email-sent", "offer email-sent", withheld];
    assert_eq!(outcomes(&place, "ana").await, of_ana);
    let of_ben = ["news email-sent", "offer email-sent", "reminder email-sent"];
    assert_eq!(outcomes(&place, "ben").await, of_ben);
}
