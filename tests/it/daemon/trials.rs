//! A message is looked at, and tried at an address of one's own, before anybody gets it.

use serde_json::json;

use super::gateways::Gateways;
use super::process::Place;

const CAMPAIGN: &str = r#"campaign: gold-card
name: Gold card
category: onboarding
group: retail
communications:
  offer:
    email:
      subject: "An offer for {{ customer.id }}"
      html: '<p>Dear {{ customer.email }}, <b>gold</b></p><p><a href="{{ unsubscribe_url }}">Stop</a> {{ organization.postal_address }}</p>'
  text: { sms: { text: "Gold, {{ customer.id }}. Stop: {{ unsubscribe_url }}" } }
"#;

const OFFER: [&str; 3] = ["gold-card/offer", "--as", "ana"];

async fn place() -> (Place, Gateways) {
    let place = Place::new().await;
    let gateways = Gateways::beside(&place, &[("flows/gold-card.yaml", CAMPAIGN)]).await;
    (place, gateways)
}

#[tokio::test]
async fn a_communication_is_shown_as_a_customer_would_get_it() {
    let (place, gateways) = place().await;
    let facts = place
        .facts(&["preview", "gold-card/offer", "--as", "ana"])
        .await;
    assert_eq!(facts["channel"], "email");
    assert_eq!(facts["subject"], "An offer for ana");
    let html = facts["html"].as_str().unwrap();
    assert!(
        html.starts_with("<p>Dear ana@example.com, <b>gold</b></p>"),
        "{html}"
    );
    let text = facts["text"].as_str().unwrap();
    assert!(text.starts_with("Dear ana@example.com, gold"), "{text}");

    let said = place
        .said(&[
            "preview",
            "gold-card/offer",
            "--as",
            "ana",
            "--html",
            "out.html",
        ])
        .await;
    assert!(said.contains("subject: An offer for ana\n"), "{said}");
    assert_eq!(
        std::fs::read_to_string(place.path().join("out.html")).unwrap(),
        html
    );

    // What the files say now, not what a daemon has read.
    place.write(
        "flows/gold-card.yaml",
        &CAMPAIGN.replace("Gold, ", "Silver, "),
    );
    let said = place
        .said(&["preview", "gold-card/text", "--as", "ben"])
        .await;
    assert!(
        said.contains("alphabet: GSM-7\nparts: 1\n\nSilver, ben. Stop: http://127.0.0.1:"),
        "{said}"
    );
    assert!(gateways.mails().is_empty() && gateways.texts().is_empty());
}

#[tokio::test]
async fn what_cannot_be_shown_says_why() {
    let (place, _gateways) = place().await;
    for (arguments, why) in [
        (
            &["preview", "gold-card/ofer", "--as", "ana"][..],
            "did you mean `gold-card/offer`?",
        ),
        (&["preview", "gold-card/offer", "--as", "zoe"], "`zoe`"),
        (
            &["preview", "gold-card/text", "--as", "ana", "--html", "x"],
            "has no HTML part",
        ),
        (
            &[
                "send-test",
                "gold-card/offer",
                "--as",
                "ana",
                "--to",
                "no address",
            ],
            "not an e-mail address",
        ),
    ] {
        let output = place.command(arguments).output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn a_communication_is_tried_at_an_address_of_ones_own_and_nobody_else_hears_of_it() {
    let (place, gateways) = place().await;
    let to = ["--to", "boss@example.com", "--by", "mia"];
    let sent = [&["send-test"], &OFFER[..], &to].concat();
    let facts = place.facts(&sent).await;
    assert_eq!(facts["outcome"], "accepted");
    let mails = gateways.mails();
    let [mail] = &mails[..] else {
        panic!("one mail: {mails:?}");
    };
    assert!(mail.contains("To: boss@example.com"), "{mail}");
    assert!(mail.contains("Subject: [Test] An offer for ana"), "{mail}");

    let texted = [
        "send-test",
        "gold-card/text",
        "--as",
        "ana",
        "--to",
        "+59899111111",
    ];
    assert_eq!(place.facts(&texted).await["outcome"], "accepted");
    let text = &gateways.texts()[0];
    assert_eq!(text["to"], "+59899111111");
    assert!(
        text["text"]
            .as_str()
            .unwrap()
            .starts_with("[Test] Gold, ana.")
    );

    let shown = place.facts(&["customer", "show", "ana"]).await;
    let lines = shown["interactions"].as_array().unwrap().iter();
    assert_eq!(
        lines.filter(|line| line["direction"] == "outbound").count(),
        0
    );
    assert_eq!(place.facts(&["dispatches"]).await["dispatches"], json!([]));
    let lines = place.store().await.audit_lines(10).await.unwrap();
    let told = lines
        .iter()
        .find(|line| line.what == "test message sent")
        .unwrap();
    assert_eq!(told.source, "command-line");
}
