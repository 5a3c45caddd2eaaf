//! Tokens: refused when they should be, shown once, and written down as who did something.

use drumbeat::domain::token::{CHANCE, Secret, TokenScope};
use reqwest::Method;
use serde_json::json;

use super::rig::{Answer, Api};

async fn with(api: &Api, authorization: &str) -> Answer {
    let request = api.bare(Method::GET, "/customers");
    api.send(request.header("authorization", authorization))
        .await
}

#[tokio::test]
async fn whoever_has_no_good_token_is_told_the_same() {
    let api = Api::start().await;
    let (token, secret) = api.new_token("reader", &[TokenScope::CustomersRead]).await;
    let good = secret.reveal().to_owned();
    with(&api, &format!("Bearer {good}")).await.good(200);
    with(&api, &format!("bearer  {good}")).await.good(200);
    for bad in ["", "Bearer", "Bearer ", "Basic YTpi", &good, "Bearer drb_x"] {
        with(&api, bad).await.problem(401, "unauthorized");
    }
    let other = api.token("other", &[]).await;
    // The id of one token with the secret of another.
    let mixed = format!("Bearer {}{}", &good[..20], &other[20..]);
    let mistyped = with(&api, &mixed).await;
    mistyped.problem(401, "unauthorized");
    let root = api.request(Method::DELETE, &format!("/tokens/{}", token.id));
    api.send(root).await.good(204);
    let revoked = with(&api, &format!("Bearer {good}")).await;
    revoked.problem(401, "unauthorized");
    assert_eq!(revoked.text, mistyped.text);
}

#[tokio::test]
async fn an_address_that_guesses_tokens_is_put_off_for_the_rest_of_a_minute() {
    let api = Api::start().await;
    let good = format!(
        "Bearer {}",
        api.token("reader", &[TokenScope::CustomersRead]).await
    );
    let guess = |chance: u8| format!("Bearer {}", Secret::new([chance; CHANCE]).reveal());
    // One that has ended comes again and again, and what has not the form of a token is no guess.
    for _ in 0..30 {
        with(&api, &guess(0)).await.problem(401, "unauthorized");
        with(&api, "Bearer drb_x")
            .await
            .problem(401, "unauthorized");
    }
    for chance in 1..20 {
        with(&api, &guess(chance))
            .await
            .problem(401, "unauthorized");
    }
    for barred in [&guess(20), &guess(0), &good] {
        let answer = with(&api, barred).await;
        answer.problem(429, "too-many");
        assert_eq!(answer.header("retry-after"), "61");
    }
    api.site.pass(59);
    let late = with(&api, &good).await;
    late.problem(429, "too-many");
    assert_eq!(late.header("retry-after"), "2");
    api.site.pass(1);
    with(&api, &good).await.good(200);
}

#[tokio::test]
async fn a_token_ends_at_its_time() {
    let api = Api::start().await;
    let body = json!({"name": "brief", "scopes": ["customers:read"], "expires_in": "2h"});
    let created = api.post("/tokens", body).await.good(201);
    assert_eq!(created["expires_at"], "2026-01-09T12:30:00Z");
    let authorization = format!("Bearer {}", created["secret"].as_str().unwrap());
    api.site.pass(2 * 60 * 60 - 1);
    with(&api, &authorization).await.good(200);
    api.site.pass(1);
    with(&api, &authorization)
        .await
        .problem(401, "unauthorized");
}

#[tokio::test]
async fn a_secret_is_shown_once_and_only_its_hash_is_kept() {
    let api = Api::start().await;
    let body = json!({"name": "feed", "scopes": ["customers:write", "customers:write"]});
    let answer = api.post("/tokens", body.clone()).await;
    let created = answer.good(201);
    assert_eq!(created["scopes"], json!(["customers:write"]));
    assert_eq!(created["created_by"], "root");
    let secret = created["secret"].as_str().unwrap();
    let id = created["token"].as_str().unwrap();
    assert!(secret.starts_with(&format!("drb_{id}")));
    assert_eq!(answer.header("location"), format!("/api/v1/tokens/{id}"));
    let listed = api.get("/tokens").await;
    assert!(listed.text.contains(id) && !listed.text.contains(&secret[20..]));
    let kept = "SELECT count(*) FROM tokens WHERE length(hash) = 32";
    assert_eq!(api.site.number(kept).await, 2);
    api.post("/tokens", body).await.problem(409, "conflict");
    let body = json!({"name": "two", "scopes": ["admin"]});
    let keyed = api.request(Method::POST, "/tokens").json(&body);
    let keyed = api.send(keyed.header("idempotency-key", "k")).await;
    keyed.problem(400, "bad-request");
}

#[tokio::test]
async fn a_token_that_cannot_be_is_refused_by_its_fields() {
    let api = Api::start().await;
    for (body, field) in [
        (json!({"name": " ", "scopes": ["admin"]}), "/name"),
        (json!({"name": "a", "scopes": []}), "/scopes"),
        (json!({"name": "a", "scopes": ["all"]}), "/scopes/0"),
        (
            json!({"name": "a", "scopes": ["admin"], "expires_in": "soon"}),
            "/expires_in",
        ),
        (
            json!({"name": "a", "scopes": ["admin"], "expires_in": "0d"}),
            "/expires_in",
        ),
    ] {
        let answer = api.post("/tokens", body).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field]);
    }
    api.delete("/tokens/nothing")
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn a_use_is_written_down_once_a_minute() {
    let api = Api::start().await;
    let used = async || {
        let tokens = api.get("/tokens").await.json();
        tokens["tokens"][0]["last_used_at"].clone()
    };
    assert_eq!(used().await, "2026-01-09T10:30:00Z");
    api.site.pass(59);
    assert_eq!(used().await, "2026-01-09T10:30:00Z");
    api.site.pass(1);
    assert_eq!(used().await, "2026-01-09T10:31:00Z");
}

#[tokio::test]
async fn histories_and_the_audit_name_the_token() {
    let api = Api::start().await;
    let feed = api
        .token("core banking", &[TokenScope::CustomersWrite])
        .await;
    let body = json!({"fields": {"city": "Lyon"}});
    let request = api.bare(Method::PATCH, "/customers/ana").bearer_auth(&feed);
    api.send(request.json(&body)).await.good(200);
    let history = api
        .get("/customers/ana/interactions?kind=field-changed")
        .await;
    let line = &history.json()["interactions"][0];
    assert_eq!(line["actor"], "core banking");
    assert_eq!(line["detail"], json!({"source": "api", "fields": ["city"]}));
    let body = json!({"id": "eva"});
    let request = api.bare(Method::POST, "/customers").bearer_auth(&feed);
    api.send(request.json(&body)).await.good(201);
    let line = api.site.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(
        (line.actor.as_str(), line.source.as_str()),
        ("core banking", "api")
    );
    assert_eq!(line.what, "customer-added");
}
