//! Many customers at once: each has a result, and what is wrong stops nobody else.

use serde_json::{Value, json};

use super::rig::Api;

#[tokio::test]
async fn each_customer_of_a_batch_has_its_result() {
    let api = Api::start().await;
    let customers = json!([
        {"id": "ana", "fields": {"city": "Lyon"}},
        {"id": "ben", "fields": {"email": "ben@example.com"}},
        {"id": "cid", "fields": {"email": "nobody", "citi": 1}},
        {"id": ""},
    ]);
    let body = json!({ "customers": customers });
    let result = api.post("/customers/batch", body.clone()).await.good(200);
    let counts = |result: &Value| {
        ["read", "created", "updated", "unchanged", "rejected"].map(|key| result[key].as_u64())
    };
    assert_eq!(counts(&result), [4, 1, 1, 0, 2].map(Some));
    let outcomes: Vec<&Value> = result["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["outcome"])
        .collect();
    assert_eq!(outcomes, ["updated", "created", "rejected", "rejected"]);
    let errors = &result["results"][2]["errors"];
    assert_eq!(errors[0]["field"], "/fields/email");
    assert_eq!(errors[1]["field"], "/fields/citi");
    assert_eq!(result["results"][3]["errors"][0]["field"], "/id");
    let again = api.post("/customers/batch", body).await.good(200);
    assert_eq!(counts(&again), [4, 0, 0, 2, 2].map(Some));
    let line = api.site.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(line.what, "customers-added");
    assert_eq!(line.detail.as_deref(), Some("{\"customers\":1}"));
}

#[tokio::test]
async fn a_thousand_go_in_at_once_and_not_one_more() {
    let api = Api::start().await;
    let some = |count: usize| {
        let customers: Vec<Value> = (0..count).map(|n| json!({"id": format!("b{n}")})).collect();
        json!({ "customers": customers })
    };
    let result = api.post("/customers/batch", some(1000)).await.good(200);
    assert_eq!(result["created"], 1000);
    assert_eq!(api.site.store.customer_count().await.unwrap(), 1001);
    let answer = api.post("/customers/batch", some(1001)).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/customers"]);
    let none = api.post("/customers/batch", some(0)).await.good(200);
    assert_eq!(none["read"], 0);
}

#[tokio::test]
async fn a_customer_of_another_shape_is_named_by_its_place() {
    let api = Api::start().await;
    let body = json!({"customers": [{"id": "a"}, {"id": "b", "field": {}}]});
    let answer = api.post("/customers/batch", body).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/customers/1/field"]);
    // More than other addresses take.
    let large = json!({"customers": [{"id": "x", "fields": {"city": "x".repeat(1_500_000)}}]});
    let answer = api.post("/customers/batch", large).await;
    assert_ne!(answer.status, 413, "{}", answer.text);
}
