//! What a gateway tells of its messages, from the request it makes to what people see.

use std::time::Duration;

use serde_json::Value;

use super::process::Place;
use crate::rig::http_script::HttpScript;
use crate::rig::port;

const FLOW: &str = r"flow: texts
name: Texts
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: hello, sms: { text: Hello } }
  - { id: again, after: 1d, sms: { text: Again } }
";

/// In the manner of Kannel's `sendsms`.
fn channel(url: &str) -> String {
    format!(
        r#"channel: sms
gateway:
  http:
    method: GET
    url: "{url}?to={{{{ message.to | urlencode }}}}&dlr-mask=31&dlr-url={{{{ receipt_url | urlencode }}}}%3Fstat%3D%25d"
    form: {{}}
    success: {{ status: [202] }}
    receipts:
      secret: a-secret-of-some-length
      status: stat
      accepted: ["4", "8"]
      delivered: ["1"]
      bounced: ["2"]
      failed: ["16"]
"#
    )
}

/// The address that the gateway was told to call, with a status in it.
fn callback(script: &HttpScript, stat: &str) -> Option<String> {
    let heard = script.heard();
    let url = reqwest::Url::parse(&format!("http://gateway{}", heard.first()?.uri)).unwrap();
    let (_, url) = url.query_pairs().find(|(name, _)| name == "dlr-url")?;
    Some(url.replace("%d", stat))
}

async fn call(url: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.timeout(Duration::from_mins(1)).build().unwrap();
    client.get(url).send().await.unwrap().status().as_u16()
}

async fn lines(place: &Place, kind: &str) -> Vec<Value> {
    let shown = place.facts(&["customer", "show", "ana"]).await;
    let lines = shown["interactions"].as_array().unwrap().iter();
    lines.filter(|line| line["kind"] == kind).cloned().collect()
}

/// A place whose SMS gateway took one message to Ana.
async fn place() -> (Place, HttpScript) {
    let place = Place::new().await;
    let script = HttpScript::start(|_| (202, vec![], "0: Accepted for delivery")).await;
    let port = place.port;
    let settings = format!(
        "workspace: test\nlisten: \"127.0.0.1:{port}\"\npublic-url: http://127.0.0.1:{port}\n"
    );
    place.write("drumbeat.yaml", &settings);
    place.write("sms.yaml", &channel(&script.url()));
    std::fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    place.write("flows/texts.yaml", FLOW);
    place.write(
        "customers.csv",
        "id,phone,city\nana,+59899100001,Lyon\nbo,+59899100002,Paris\n",
    );
    place.said(&["import", "customers.csv"]).await;
    (place, script)
}

#[tokio::test]
async fn a_callback_in_the_manner_of_kannel_is_seen_in_the_history_and_in_the_explanation() {
    let (place, script) = place().await;
    let daemon = place.run().await;
    let taken = || callback(&script, "8");
    let accepted = port::eventually("the message", taken).await;
    assert_eq!(call(&accepted).await, 204);
    let url = callback(&script, "2").unwrap();
    let own = format!("http://127.0.0.1:{}/hooks/sms/status/", place.port);
    assert!(url.starts_with(&own), "{url}");
    let forged = url.replace("a-secret-of", "another-one");
    assert_eq!(call(&forged).await, 403);
    assert_eq!(lines(&place, "bounced").await.len(), 0);
    for _ in 0..3 {
        assert_eq!(call(&url).await, 204);
    }
    let bounced = lines(&place, "bounced").await;
    assert_eq!(bounced.len(), 1, "{bounced:#?}");
    assert_eq!(bounced[0]["detail"]["bounce"], "hard");
    assert_eq!(bounced[0]["detail"]["detail"], "stat=2");
    let explained = place.said(&["explain", "ana", "texts"]).await;
    assert!(explained.contains("bounced (hard)"), "{explained}");
    let metrics = place.get("/metrics").await.1;
    let counted = r#"drumbeat_receipts_heard_total{channel="sms",fate="bounced"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn while_the_store_takes_nothing_a_receipt_is_refused_and_told_again_it_is_stored() {
    let (place, script) = place().await;
    let daemon = place.run().await;
    port::eventually("the message", || callback(&script, "1")).await;
    // Settled, so that the claim is not what the receipt waits for.
    daemon
        .until("the message to be settled", async |_| {
            (lines(&place, "sms-sent").await.len() == 1).then_some(())
        })
        .await;
    let url = callback(&script, "1").unwrap();
    let file = place.path().join("var/drumbeat.db");
    let home = crate::rig::home::Home::file(file.parent().unwrap());
    let lock = home.lock("dispatches").await;
    assert_eq!(call(&url).await, 503);
    lock.release().await;
    assert_eq!(lines(&place, "delivered").await.len(), 0);
    assert_eq!(call(&url).await, 204);
    assert_eq!(lines(&place, "delivered").await.len(), 1);
    assert_eq!(daemon.stop().await, Some(0));
}
