//! What goes wrong is told alike everywhere below `/api`.

use drumbeat::domain::daemon_settings::RequestRate;
use reqwest::Method;
use serde_json::json;

use super::rig::Api;

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_problem() {
    let api = Api::start().await;
    for path in ["/nowhere", "", "/", "/customers/a/b/c", "/customers/"] {
        api.get(path).await.problem(404, "not-found");
    }
    for path in ["/api", "/api/", "/api/v2/customers"] {
        let response = api.site.get(path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 404, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "application/problem+json", "{path}");
    }
    // Pages stay pages.
    let page = api.site.get("/nowhere").send().await.unwrap();
    let kind = page.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/html"));
}

#[tokio::test]
async fn a_body_must_be_json_of_some_size() {
    let api = Api::start().await;
    let send = async |kind: &str, body: String| {
        let request = api.request(Method::POST, "/customers");
        api.send(request.header("content-type", kind).body(body))
            .await
    };
    let good = json!({"id": "ana"}).to_string();
    send("text/plain", good.clone())
        .await
        .problem(415, "not-json");
    send("application/json; charset=utf-8", good.clone())
        .await
        .good(200);
    send("application/merge-patch+json", good).await.good(200);
    let broken = "{\n  \"id\": ana\n}".to_owned();
    let problem = send("application/json", broken)
        .await
        .problem(400, "bad-json");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("line 2, column 9: "), "{detail}");
    for body in ["", "{", "{} {}", "\u{0}"] {
        let answer = send("application/json", body.to_owned()).await;
        assert!(
            [400, 422].contains(&answer.status),
            "{body}: {}",
            answer.text
        );
    }
    let large = json!({"id": "x".repeat(1024 * 1024)}).to_string();
    send("application/json", large.clone())
        .await
        .problem(413, "too-large");
    let request = api
        .request(Method::POST, "/customers")
        .header("idempotency-key", "k");
    let request = request
        .header("content-type", "application/json")
        .body(large);
    api.send(request).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_key_that_is_not_known_is_named() {
    let api = Api::start().await;
    let answer = api
        .post("/customers", json!({"id": "a", "feilds": {}}))
        .await;
    let problem = answer.problem(422, "invalid");
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("unknown field `feilds`"), "{message}");
    let answer = api.post("/customers", json!({"id": 1})).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/id"]);
    let answer = api.post("/customers", json!([])).await;
    answer.problem(422, "invalid");
}

#[tokio::test]
async fn a_handler_that_panics_and_a_store_that_is_gone_are_problems() {
    let api = Api::start().await;
    api.site.loses_its_revision(true);
    let panicked = api.get("/flows").await.problem(500, "internal");
    assert!(!panicked.to_string().contains("asked to panic"));
    api.site.loses_its_revision(false);
    api.get("/flows").await.good(200);
    api.site.store.close().await;
    let answer = api.get("/flows").await;
    assert!(answer.status >= 500, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_when_to_come_back() {
    let api = Api::start_at(RequestRate {
        per_second: 1,
        burst: 3,
    })
    .await;
    let other = api.token("other", &[]).await;
    let mut refused = 0;
    for _ in 0..6 {
        let answer = api.get("/tags").await;
        if answer.status == 429 {
            answer.problem(429, "too-many");
            let seconds: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=2).contains(&seconds));
            refused += 1;
        } else {
            answer.good(200);
        }
    }
    // A second may pass meanwhile.
    assert!((1..=3).contains(&refused), "{refused}");
    let request = api.bare(Method::GET, "/tags").bearer_auth(other);
    api.send(request).await.problem(403, "forbidden");
}

#[tokio::test]
async fn no_other_site_may_ask_from_a_browser() {
    let api = Api::start().await;
    let preflight = api.bare(Method::OPTIONS, "/customers");
    let preflight = preflight
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST");
    let request = api.request(Method::GET, "/tags");
    let request = request.header("origin", "https://elsewhere.example");
    for request in [preflight, request] {
        let answer = api.send(request).await;
        let names = answer.headers.keys();
        assert!(
            !names
                .into_iter()
                .any(|name| name.as_str().starts_with("access-control"))
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}
