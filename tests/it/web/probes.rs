//! Owns the tests of what supervisors and monitors ask.

use std::sync::atomic::Ordering;

use drumbeat::store::CheckRecord;
use serde_json::{Value, json};

use super::site::{Site, read, sent};

#[tokio::test]
async fn healthz_says_whether_the_engine_turns() {
    let site = Site::start().await;
    assert_eq!(read(site.get("/healthz")).await, (200, "ok\n".to_owned()));
    site.running.alive.store(false, Ordering::SeqCst);
    let stalled = (503, "stalled\n".to_owned());
    assert_eq!(read(site.get("/healthz")).await, stalled);
}

#[tokio::test]
async fn readyz_tells_the_revision_the_last_check_and_the_gateways() {
    let site = Site::start().await;
    let check = CheckRecord {
        ok: false,
        errors: 2,
        at: "2026-01-09T10:31:00Z".parse().unwrap(),
        hash: "broken".to_owned(),
        report: json!([]),
    };
    site.store.record_check(&check).await.unwrap();
    let (status, body) = read(site.get("/readyz")).await;
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "ready": true,
            "revision": 1,
            "check": { "ok": false, "errors": 2, "at": "2026-01-09T10:31:00Z" },
            "channels": [{ "channel": "email", "gateway": "file", "breaker": "closed" }],
        })
    );
}

#[tokio::test]
async fn a_store_that_takes_no_writes_is_not_ready() {
    let site = Site::start().await;
    site.store.close().await;
    let (status, body) = read(site.get("/readyz")).await;
    assert_eq!(status, 503);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["ready"], json!(false));
}

#[tokio::test]
async fn metrics_come_as_openmetrics() {
    let site = Site::start().await;
    let response = sent(site.get("/metrics")).await;
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = response.text().await.unwrap();
    assert!(text.contains("drumbeat_messages_sent_total 3"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
