//! Segments, flows, what runs, and why.

use reqwest::Method;
use serde_json::json;

use super::rig::Api;

#[tokio::test]
async fn segments_are_listed_counted_and_gone_through() {
    let api = Api::start().await;
    for n in 0..5 {
        let city = if n < 3 { "Lyon" } else { "Rome" };
        api.customer(&format!("c{n}"), json!({ "city": city }))
            .await;
    }
    let listed = api.get("/segments").await.good(200);
    assert_eq!(listed["segments"][0]["segment"], "new-members");
    let counted = api.get("/segments/new-members").await.good(200);
    assert_eq!(counted["count"], 3);
    assert_eq!(counted["description"], "Who lives in Lyon");
    let (mut query, mut seen) = ("limit=2".to_owned(), Vec::new());
    loop {
        let page = api
            .get(&format!("/segments/new-members/customers?{query}"))
            .await
            .good(200);
        for customer in page["customers"].as_array().unwrap() {
            assert_eq!(customer["fields"]["city"], "Lyon");
            seen.push(customer["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("limit=2&cursor={next}");
    }
    seen.sort();
    assert_eq!(seen, ["c0", "c1", "c2"]);
    let unknown = api
        .get("/segments/new-member")
        .await
        .problem(404, "not-found");
    assert!(
        unknown["detail"]
            .as_str()
            .unwrap()
            .contains("`new-members`")
    );
    api.get("/segments/x/customers")
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn a_flow_is_paused_and_resumed_and_the_audit_says_by_whom() {
    let api = Api::start().await;
    let flows = api.get("/flows").await.good(200);
    let flow = &flows["flows"][0];
    assert_eq!(flow["flow"], "new-member-onboarding");
    assert_eq!(
        (&flow["status"], &flow["paused"]),
        (&json!("active"), &json!(null))
    );
    assert_eq!(
        flow["steps"],
        json!([{"step": "welcome", "channel": "sms", "after": "4d"}])
    );

    let path = "/flows/new-member-onboarding";
    let body = json!({"reason": "a wrong offer"});
    let done = api
        .post(&format!("{path}/pause"), body.clone())
        .await
        .good(200);
    assert_eq!(
        done,
        json!({"flow": "new-member-onboarding", "changed": true})
    );
    let again = api.post(&format!("{path}/pause"), body).await.good(200);
    assert_eq!(again["changed"], false);
    let status = api.get("/status").await.good(200);
    assert_eq!(status["flows"][0]["status"], "paused");
    let flows = api.get("/flows").await.good(200);
    assert_eq!(flows["flows"][0]["paused"]["by"], "root");
    let line = api.site.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!((line.actor.as_str(), line.what.as_str()), ("root", "pause"));

    let resumed = api.request(Method::POST, &format!("{path}/resume"));
    assert_eq!(api.send(resumed).await.good(200)["changed"], true);
    for verb in ["pause", "resume"] {
        let answer = api.post(&format!("/flows/nothing/{verb}"), json!({})).await;
        answer.problem(404, "not-found");
    }
    for reason in ["a\u{0}b".to_owned(), "x".repeat(1001)] {
        let answer = api
            .post(&format!("{path}/pause"), json!({ "reason": reason }))
            .await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), ["/reason"]);
    }
}

#[tokio::test]
async fn what_runs_is_told() {
    let api = Api::start().await;
    let status = api.get("/status").await.good(200);
    assert_eq!(status["revision"], 1);
    assert_eq!(status["flows"][0]["flow"], "new-member-onboarding");
    assert_eq!(status["flows"][0]["enrollments"]["waiting"], 0);
    assert_eq!(status["channels"][0]["channel"], "email");
    assert_eq!(status["daemon"]["running"], false);
}

#[tokio::test]
async fn a_customer_and_a_flow_are_explained() {
    let api = Api::start().await;
    let path = "/customers/ana/explain";
    let told = api
        .get(&format!("{path}?flow=new-member-onboarding"))
        .await
        .good(200);
    assert_eq!(told["enrolled"], false);
    assert_eq!(told["reasons"][0]["rule"], "segment");
    assert_eq!(told["reasons"][0]["met"], false);
    assert_eq!(told["reasons"][0]["value"], "city: none");
    let unknown = api.get(&format!("{path}?flow=new-member-onbording")).await;
    let unknown = unknown.problem(404, "not-found");
    assert!(unknown["detail"].as_str().unwrap().contains("did you mean"));
    api.get(path).await.problem(400, "bad-request");
    let nobody = api
        .get("/customers/nobody/explain?flow=new-member-onboarding")
        .await;
    nobody.problem(404, "not-found");
}
