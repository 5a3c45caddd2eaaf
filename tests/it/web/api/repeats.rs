//! Requests under a key: done once, answered alike for a day, and never mixed up.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use drumbeat::domain::token::TokenScope;

use super::rig::Api;

fn keyed(api: &Api, key: &str, body: &Value) -> RequestBuilder {
    let request = api.request(Method::POST, "/customers").json(body);
    request.header("idempotency-key", key)
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_again() {
    let api = Api::start().await;
    let body = json!({"id": "eva", "fields": {"city": "Lyon"}});
    let first = api.send(keyed(&api, "k-1", &body)).await;
    first.good(201);
    assert!(first.headers.get("idempotency-replayed").is_none());
    api.delete("/customers/eva").await.good(204);
    let again = api.send(keyed(&api, "k-1", &body)).await;
    again.good(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotency-replayed"), "true");
    for header in ["location", "content-type"] {
        assert_eq!(again.header(header), first.header(header));
    }
    api.get("/customers/eva").await.problem(404, "not-found");
    api.site.pass(24 * 60 * 60);
    let next_day = api.send(keyed(&api, "k-1", &body)).await;
    next_day.good(201);
    assert!(next_day.headers.get("idempotency-replayed").is_none());
}

#[tokio::test]
async fn a_refusal_is_repeated_as_well() {
    let api = Api::start().await;
    let body = json!({"id": "eva", "fields": {"email": "nobody"}});
    let first = api.send(keyed(&api, "k", &body)).await;
    first.problem(422, "invalid");
    let again = api.send(keyed(&api, "k", &body)).await;
    again.problem(422, "invalid");
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let api = Api::start().await;
    api.send(keyed(&api, "k", &json!({"id": "eva"})))
        .await
        .good(201);
    let other = api.send(keyed(&api, "k", &json!({"id": "bo"}))).await;
    other.problem(422, "key-reused");
    let elsewhere = api.request(Method::POST, "/customers/batch");
    let elsewhere = elsewhere
        .header("idempotency-key", "k")
        .json(&json!({"id": "eva"}));
    api.send(elsewhere).await.problem(422, "key-reused");
    // Keys are a token's own.
    let feed = api.token("feed", &[TokenScope::CustomersWrite]).await;
    let request = api.bare(Method::POST, "/customers").bearer_auth(feed);
    let request = request
        .header("idempotency-key", "k")
        .json(&json!({"id": "bo"}));
    api.send(request).await.good(201);
}

#[tokio::test]
async fn of_two_at_once_one_is_carried_out() {
    let api = Api::start().await;
    for round in 0..10 {
        let body = json!({"id": format!("c{round}"), "fields": {"city": "Lyon"}});
        let one = || api.send(keyed(&api, &format!("k{round}"), &body));
        let answers = tokio::join!(one(), one());
        let answers = [answers.0, answers.1];
        let carried_out = answers.iter().filter(|answer| {
            answer.status == 201 && answer.headers.get("idempotency-replayed").is_none()
        });
        assert_eq!(carried_out.count(), 1, "{answers:?}");
        for answer in &answers {
            if answer.status == 409 {
                answer.problem(409, "in-flight");
                assert_eq!(answer.header("retry-after"), "1");
            } else {
                answer.good(201);
            }
        }
    }
    let added = "SELECT count(*) FROM audit WHERE what = 'customer-added'";
    assert_eq!(api.site.number(added).await, 10);
}

#[tokio::test]
async fn what_failed_here_may_be_tried_again() {
    let api = Api::start().await;
    let body = json!({"id": "eva"});
    api.site.loses_its_revision(true);
    let failed = api.send(keyed(&api, "k", &body)).await;
    failed.problem(500, "internal");
    api.site.loses_its_revision(false);
    api.send(keyed(&api, "k", &body)).await.good(201);
}

#[tokio::test]
async fn who_fell_in_the_middle_holds_a_key_for_two_minutes() {
    let api = Api::start().await;
    let body = json!({"id": "eva"});
    api.send(keyed(&api, "k", &body)).await.good(201);
    api.site
        .execute("UPDATE request_answers SET status = NULL")
        .await;
    api.send(keyed(&api, "k", &body))
        .await
        .problem(409, "in-flight");
    api.site.pass(120);
    api.send(keyed(&api, "k", &body)).await.good(200);
}

#[tokio::test]
async fn answers_are_let_go_after_a_day() {
    let api = Api::start().await;
    api.send(keyed(&api, "old", &json!({"id": "eva"})))
        .await
        .good(201);
    api.site.pass(24 * 60 * 60);
    api.send(keyed(&api, "new", &json!({"id": "bo"})))
        .await
        .good(201);
    let pruned = api.site.store.prune_answers(api.site.clock_now()).await;
    assert_eq!(pruned.unwrap(), 1);
    let left = "SELECT count(*) FROM request_answers";
    assert_eq!(api.site.number(left).await, 1);
    let again = api.send(keyed(&api, "new", &json!({"id": "bo"}))).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_key_is_visible_and_of_some_length() {
    let api = Api::start().await;
    let long = "k".repeat(256);
    for key in ["", "a b", "clé", long.as_str()] {
        let answer = api.send(keyed(&api, key, &json!({"id": "eva"}))).await;
        answer.problem(400, "bad-request");
    }
}
