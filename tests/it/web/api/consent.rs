//! What customers agree to, give up and take back.

use serde_json::{Value, json};

use super::rig::Api;

const RECORDS: &str = "/customers/ana/subscriptions";

async fn records(api: &Api) -> Vec<Value> {
    let records = api.get(RECORDS).await.good(200);
    records["subscriptions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_customer_unsubscribes_and_comes_back() {
    let api = Api::start().await;
    let cards = json!({"action": "unsubscribe", "category": "credit-cards", "channel": "email"});
    let done = api.post(RECORDS, cards.clone()).await.good(200);
    let scope = json!({"category": "credit-cards", "channel": "email"});
    assert_eq!(
        done,
        json!({"customer": "ana", "scope": scope, "changed": true})
    );
    assert_eq!(api.post(RECORDS, cards).await.good(200)["changed"], false);
    let all = json!({"action": "unsubscribe"});
    api.post(RECORDS, all).await.good(200);
    let found = records(&api).await;
    assert_eq!(found.len(), 2);
    for record in &found {
        assert_eq!(
            (&record["actor"], &record["source"]),
            (&json!("root"), &json!("api"))
        );
        assert_eq!(record["state"], "unsubscribed");
    }
    let back = json!({"action": "resubscribe", "category": "credit-cards"});
    let done = api.post(RECORDS, back).await.good(200);
    assert_eq!(done["resubscribed"], json!([scope]));
    assert_eq!(done["still_blocked_by"], json!([{}]));
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["subscriptions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_name_that_the_workspace_does_not_know_is_named() {
    let api = Api::start().await;
    for (dimension, name) in [("campaign", "gold-crad"), ("category", "x"), ("group", "y")] {
        let body = json!({"action": "unsubscribe", dimension: name});
        let answer = api.post(RECORDS, body).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [format!("/{dimension}")]);
    }
    let body = json!({"action": "unsubscribe", "channel": "fax"});
    let answer = api.post(RECORDS, body).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/channel"]);
    let answer = api
        .post("/customers/ana/dismissals", json!({"campaign": "x"}))
        .await;
    answer.problem(422, "invalid");
    assert!(records(&api).await.is_empty());
    for path in [
        "/customers/nobody/subscriptions",
        "/customers/nobody/dismissals",
    ] {
        let body = json!({"action": "unsubscribe", "campaign": "gold-card"});
        let answer = api.post(path, body).await;
        assert!([404, 422].contains(&answer.status));
    }
}

#[tokio::test]
async fn switches_are_set_together_each_with_its_line() {
    let api = Api::start().await;
    let path = "/customers/ana/switches";
    let off = json!({"outbound": true, "email": false, "sms": false, "push": true});
    let done = api.put(path, off.clone()).await.good(200);
    assert_eq!(
        done,
        json!({"customer": "ana", "changed": true, "switches": off})
    );
    assert_eq!(api.put(path, off.clone()).await.good(200)["changed"], false);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["switches"], off);
    let lines = api
        .get("/customers/ana/interactions?kind=switched-off")
        .await;
    assert_eq!(lines.json()["interactions"].as_array().unwrap().len(), 2);
    for mask in 0_u8..16 {
        let on = |bit: u8| mask & (1 << bit) > 0;
        let some = json!({"outbound": on(0), "email": on(1), "sms": on(2), "push": on(3)});
        api.put(path, some.clone()).await.good(200);
        let shown = api.get("/customers/ana").await.good(200);
        assert_eq!(shown["switches"], some);
    }
    let answer = api.put(path, json!({"email": false})).await;
    answer.problem(422, "invalid");
    api.put("/customers/nobody/switches", off)
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn consents_are_set_together_each_with_its_line() {
    let api = Api::start().await;
    let path = "/customers/ana/consents";
    let given = json!({"email": "opted-in", "sms": "unsubscribed", "push": "subscribed"});
    let done = api.put(path, given.clone()).await.good(200);
    assert_eq!(
        done,
        json!({"customer": "ana", "changed": true, "consents": given})
    );
    assert_eq!(api.put(path, given).await.good(200)["changed"], false);
    let lines = api
        .get("/customers/ana/interactions?kind=consent-changed")
        .await;
    assert_eq!(lines.json()["interactions"].as_array().unwrap().len(), 2);
    let wrong = json!({"email": "yes", "sms": "subscribed", "push": "subscribed"});
    let answer = api.put(path, wrong).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/email"]);
}

#[tokio::test]
async fn a_campaign_is_dismissed_and_let_write_again() {
    let api = Api::start().await;
    let path = "/customers/ana/dismissals";
    let campaign = json!({"campaign": "gold-card"});
    let done = api.post(path, campaign.clone()).await.good(200);
    let expected =
        json!({"customer": "ana", "campaign": "gold-card", "dismissed": true, "changed": true});
    assert_eq!(done, expected);
    assert_eq!(api.post(path, campaign).await.good(200)["changed"], false);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["dismissals"][0]["campaign"], "gold-card");
    let withdrawn = json!({"campaign": "gold-card", "withdraw": true});
    let done = api.post(path, withdrawn).await.good(200);
    assert_eq!(done["dismissed"], false);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["dismissals"], json!([]));
}
