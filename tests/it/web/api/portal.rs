//! What customers saw and clicked in the institution's portal: recorded, and shown in their history.

use serde_json::{Value, json};

use super::lakeside::{lakeside, told};
use super::rig::Api;

/// The lines of this kind in a history.
async fn lines(api: &Api, customer: &str, kind: &str) -> Vec<Value> {
    let path = format!("/customers/{customer}/interactions?kind={kind}");
    let page = api.get(&path).await.good(200);
    page["interactions"].as_array().unwrap().clone()
}

/// Records one thing of Ana, and gives the one line of its kind; Ben has none.
async fn recorded(api: &Api, what: Value) -> Value {
    api.customer("ben", json!({})).await;
    let kind = what["kind"].as_str().unwrap().to_owned();
    assert!(lines(api, "ana", &kind).await.is_empty());
    told(api, json!([what])).await;
    assert!(lines(api, "ben", &kind).await.is_empty());
    let mut lines = lines(api, "ana", &kind).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines.remove(0);
    assert_eq!(
        (&line["direction"], &line["at"]),
        (&json!("inbound"), &json!("2026-01-08T09:00:00Z"))
    );
    line
}

/// What is lacking is named, and nothing is recorded.
async fn refused(api: &Api, kind: &str, field: &str) {
    let before = lines(api, "ana", kind).await;
    let bare = json!([{ "id": "bare", "kind": kind, "customer": "ana" }]);
    let body = json!({ "interactions": bare });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(
        result["results"][0]["errors"][0]["field"], field,
        "{result}"
    );
    assert_eq!(lines(api, "ana", kind).await, before);
}

#[tokio::test]
async fn a_page_that_a_customer_visited_is_recorded_with_its_address_and_title() {
    let api = lakeside().await;
    let page = json!({ "url": "https://bank.example/loans", "title": "Loans" });
    let visit = json!({ "id": "1", "kind": "page-visited", "customer": "ana",
        "at": "2026-01-08T09:00:00Z", "page": page });
    let line = recorded(&api, visit).await;
    assert_eq!(line["detail"]["page"]["url"], page["url"]);
    assert_eq!(line["detail"]["page"]["title"], "Loans");
    refused(&api, "page-visited", "/page").await;
}

#[tokio::test]
async fn a_banner_that_a_customer_clicked_is_recorded_with_its_campaign() {
    let api = lakeside().await;
    let click = json!({ "id": "1", "kind": "banner-clicked", "customer": "ana",
        "at": "2026-01-08T09:00:00Z", "banner": "spring", "campaign": "gold-card" });
    let line = recorded(&api, click).await;
    assert_eq!(line["detail"]["banner"], "spring");
    assert_eq!(line["campaign"], "gold-card");
    refused(&api, "banner-clicked", "/banner").await;
}

#[tokio::test]
async fn a_pop_up_window_that_a_customer_viewed_is_recorded() {
    let api = lakeside().await;
    let view = json!({ "id": "1", "kind": "popup-viewed", "customer": "ana",
        "at": "2026-01-08T09:00:00Z", "popup": "newsletter" });
    let line = recorded(&api, view).await;
    assert_eq!(line["detail"]["popup"], "newsletter");
    refused(&api, "popup-viewed", "/popup").await;
}
