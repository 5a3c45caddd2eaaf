//! Devices of customers: apps register them, people see and remove them, nobody sees a token.

use serde_json::{Value, json};

use super::rig::Api;

const PATH: &str = "/customers/ana/devices";

#[tokio::test]
async fn devices_are_registered_listed_and_removed() {
    let api = Api::start().await;
    let device = json!({"kind": "fcm", "token": "secret-token-abcdef", "app": "bank"});
    let added = api.post(PATH, device.clone()).await.good(201);
    let again = api.post(PATH, device).await.good(200);
    assert_eq!(added, again);
    let answer = api.get(PATH).await;
    assert!(!answer.text.contains("secret-token"), "{}", answer.text);
    let listed = answer.good(200);
    let first = &listed["devices"][0];
    assert_eq!(
        (
            &first["device"],
            &first["kind"],
            &first["token"],
            &first["app"]
        ),
        (
            &added["device"],
            &json!("fcm"),
            &json!("…abcdef"),
            &json!("bank")
        )
    );
    let one = format!("{PATH}/{}", added["device"]);
    api.delete(&one).await.good(204);
    api.delete(&one).await.problem(404, "not-found");
    let listed = api.get(PATH).await.good(200);
    assert_eq!(listed["devices"], json!([]));
    let lines = api.get("/customers/ana/interactions").await.good(200);
    let lines = lines["interactions"].as_array().unwrap();
    let kinds: Vec<&Value> = lines.iter().take(2).map(|line| &line["kind"]).collect();
    assert_eq!(kinds, ["device-removed", "device-registered"]);
}

#[tokio::test]
async fn what_is_no_device_is_refused_with_its_place() {
    let api = Api::start().await;
    let keys = json!({"p256dh": "AAAA", "auth": "BTBZMqHH6r4Tts7J_aSIgg"});
    let browser = json!({"endpoint": "https://push.test/1", "expirationTime": null, "keys": keys});
    for (device, field) in [
        (json!({"kind": "fcm"}), "/kind"),
        (json!({"kind": "fcm", "token": "a", "fid": "b"}), "/kind"),
        (json!({"kind": "apns", "token": "no hex"}), "/token"),
        (
            json!({"kind": "webpush", "subscription": browser}),
            "/subscription/keys/p256dh",
        ),
    ] {
        let answer = api.post(PATH, device).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field]);
    }
    let device = json!({"kind": "fcm", "token": "a"});
    let answer = api.post("/customers/nobody/devices", device).await;
    answer.problem(404, "not-found");
}
