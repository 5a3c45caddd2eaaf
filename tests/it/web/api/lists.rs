//! Lists over HTTP: made, filled, named anew and removed.

use serde_json::{Value, json};

use super::rig::Api;

#[tokio::test]
async fn a_list_is_made_filled_and_removed() {
    let api = Api::start().await;
    api.customer("ben", json!({})).await;
    let body = json!({"list": "spring fair", "description": "guests"});
    let answer = api.post("/lists", body.clone()).await;
    let made = answer.good(201);
    assert_eq!(
        (&made["customers"], &made["source"]),
        (&json!(0), &json!("api"))
    );
    assert_eq!(answer.header("location"), "/api/v1/lists/spring%20fair");
    api.post("/lists", body).await.problem(409, "conflict");
    let filled = json!({"add": ["ana", "ben", "nobody"], "remove": ["ben"]});
    let change = api
        .post("/lists/spring%20fair/members", filled)
        .await
        .good(200);
    let expected = json!({"list": "spring fair", "added": 2, "removed": 1, "unknown": ["nobody"]});
    assert_eq!(change, expected);
    let members = api.get("/lists/spring%20fair/customers").await.good(200);
    assert_eq!(members["customers"][0]["id"], "ana");
    assert_eq!(members["customers"].as_array().unwrap().len(), 1);
    let new = json!({"list": "fair", "description": ""});
    let changed = api.patch("/lists/spring%20fair", new).await.good(200);
    assert_eq!(
        (&changed["list"], &changed["description"]),
        (&json!("fair"), &Value::Null)
    );
    assert_eq!(changed["customers"], 1);
    api.get("/lists/spring%20fair")
        .await
        .problem(404, "not-found");
    api.delete("/lists/fair").await.good(204);
    api.delete("/lists/fair").await.problem(404, "not-found");
    api.get("/customers/ana").await.good(200);
}

#[tokio::test]
async fn lists_are_listed_page_by_page() {
    let api = Api::start().await;
    for name in ["b", "c", "a"] {
        api.post("/lists", json!({"list": name})).await.good(201);
    }
    let names = |page: &Value| -> Vec<String> {
        let lists = page["lists"].as_array().unwrap().iter();
        lists
            .map(|list| list["list"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = api.get("/lists?limit=2").await.good(200);
    assert_eq!(names(&first), ["a", "b"]);
    let next = first["next"].as_str().unwrap();
    let rest = api
        .get(&format!("/lists?limit=2&cursor={next}"))
        .await
        .good(200);
    assert_eq!(names(&rest), ["c"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_list_is_named() {
    let api = Api::start().await;
    api.post("/lists", json!({"list": "fair"})).await.good(201);
    api.post("/lists", json!({"list": "staff"})).await.good(201);
    for (body, field) in [
        (json!({"list": ""}), "/list"),
        (json!({"list": "a/b"}), "/list"),
        (json!({"list": "a", "description": "\u{0}"}), "/description"),
    ] {
        let answer = api.post("/lists", body).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field]);
    }
    let taken = api.patch("/lists/fair", json!({"list": "staff"})).await;
    taken.problem(409, "conflict");
    let many: Vec<String> = (0..1001).map(|n| format!("c{n}")).collect();
    let many = api.post("/lists/fair/members", json!({"add": many})).await;
    many.problem(422, "invalid");
    let bad = api
        .post("/lists/fair/members", json!({"remove": ["a", ""]}))
        .await;
    bad.problem(422, "invalid");
    assert_eq!(bad.fields(), ["/remove/1"]);
    let lost = api.post("/lists/nowhere/members", json!({})).await;
    lost.problem(404, "not-found");
}
