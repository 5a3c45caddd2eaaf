//! A text message over SMPP, from the flow to what the phone answers, with the daemon between.

use serde_json::{Value, json};

use super::process::Place;
use crate::rig::smsc::Smsc;

const FLOW: &str = r"flow: texts
name: Texts
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: hello, sms: { text: Hello } }
  - { id: again, after: 1d, sms: { text: Again } }
";

fn channel(centre: u16) -> String {
    format!(
        "channel: sms\ngateway:\n  smpp: {{ host: 127.0.0.1, port: {centre}, system-id: drum, password: s3cret }}\nfrom: Lakeside\n"
    )
}

/// A place whose text messages go to this centre; Ana gets one.
async fn place(centre: u16) -> Place {
    let place = Place::new().await;
    place.write("sms.yaml", &channel(centre));
    std::fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    place.write("flows/texts.yaml", FLOW);
    place.write(
        "customers.csv",
        "id,phone,city\nana,+59899100001,Lyon\nbo,+59899100002,Paris\n",
    );
    place.said(&["import", "customers.csv"]).await;
    place
}

async fn lines(place: &Place, kind: &str) -> Vec<Value> {
    let shown = place.facts(&["customer", "show", "ana"]).await;
    let lines = shown["interactions"].as_array().unwrap().iter();
    lines.filter(|line| line["kind"] == kind).cloned().collect()
}

#[tokio::test]
async fn a_message_is_seen_delivered_and_answered_and_the_daemon_takes_leave() {
    let smsc = Smsc::start(&json!({ "receipts": "tlv" })).await;
    let place = place(smsc.port).await;
    let daemon = place.run().await;
    let submit = &smsc.said("submit", 1).await[0];
    let found = (&submit["to"], &submit["text"]);
    assert_eq!(found, (&json!("59899100001"), &json!("Hello")));
    // A receipt that came before anybody listened is told again, as real centres do.
    if smsc.said("receipt", 1).await[0]["status"] != 0 {
        smsc.ask(&json!({ "deliver": {
            "esm_class": 4, "source_addr": "59899100001", "short_message": "id:m-1 stat:DELIVRD",
        }}));
        assert_eq!(smsc.said("delivered", 1).await[0]["status"], 0);
    }
    smsc.ask(&json!({ "deliver": {
        "source_addr_ton": 1, "source_addr": "59899100001", "destination_addr": "777",
        "short_message": "gracias",
    }}));
    for (kind, words) in [("delivered", "id:m-1"), ("replied", "gracias")] {
        let told = daemon
            .until(kind, async |_| lines(&place, kind).await.first().cloned())
            .await;
        let said = told["detail"].to_string();
        assert!(said.contains(words), "{kind}: {said}");
    }
    assert_eq!(daemon.stop().await, Some(0));
    smsc.said("unbind", 1).await;
}
