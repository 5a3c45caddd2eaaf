//! Fields that change over HTTP: their types, their rules, and what becomes of values.

use serde_json::json;

use super::defining::start;

#[tokio::test]
async fn a_changed_type_converts_values_and_loses_none_unasked() {
    let api = start().await;
    api.post("/fields", json!({"identifier": "age", "type": "text"}))
        .await
        .good(201);
    for (id, age) in [("a", "41"), ("b", "about forty"), ("c", "007")] {
        api.customer(id, json!({ "age": age })).await;
    }
    let path = "/fields/age";
    let to_integer = json!({"type": "integer"});
    let dry = api
        .patch(&format!("{path}?dry-run=true"), to_integer.clone())
        .await
        .good(200);
    let values = &dry["values"];
    assert_eq!(
        (
            &values["customers"],
            &values["converts"],
            &values["lost"],
            &dry["revision"]
        ),
        (&json!(3), &json!(2), &json!(1), &json!(null))
    );
    assert_eq!(
        values["examples"],
        json!([{"customer": "b", "value": "about forty", "reason": "`about forty` is not a whole number"}])
    );
    let refused = api
        .patch(path, to_integer.clone())
        .await
        .problem(409, "conflict");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .starts_with("1 of the 3 customers")
    );
    assert_eq!(api.get(path).await.good(200)["type"], "text");

    let told = api
        .patch(&format!("{path}?drop-unconvertible=true"), to_integer)
        .await
        .good(200);
    assert_eq!(told["values"]["converts"], 2);
    let age = async |id: &str| {
        let customer = api.get(&format!("/customers/{id}")).await.good(200);
        customer["fields"]["age"].clone()
    };
    assert_eq!(
        (age("a").await, age("b").await, age("c").await),
        (json!(41), json!(null), json!(7))
    );

    api.patch(path, json!({"type": "text"})).await.good(200);
    assert_eq!(
        (age("a").await, age("b").await, age("c").await),
        (json!("41"), json!("about forty"), json!("007"))
    );
}

#[tokio::test]
async fn rules_that_come_later_are_counted_and_change_nothing_that_is_stored() {
    let api = start().await;
    api.post("/fields", json!({"identifier": "nick", "type": "text"}))
        .await
        .good(201);
    for (id, nick) in [("a", "@a"), ("b", "b")] {
        api.customer(id, json!({ "nick": nick })).await;
    }
    let rules = json!({"validate": [{"starts-with": "@", "message": "must begin with @"}]});
    let dry = api
        .patch("/fields/nick?dry-run=true", rules.clone())
        .await
        .good(200);
    let values = &dry["values"];
    assert_eq!(
        (&values["customers"], &values["fails"]),
        (&json!(2), &json!(1))
    );
    let example = json!({"customer": "b", "value": "b", "reason": "must begin with @"});
    assert_eq!(values["examples"], json!([example]));
    api.patch("/fields/nick", rules).await.good(200);
    let b = api.get("/customers/b").await.good(200);
    assert_eq!(b["fields"]["nick"], "b");
    let again = api
        .patch("/customers/b", json!({"fields": {"nick": "bb"}}))
        .await;
    assert_eq!(
        again.problem(422, "invalid")["errors"][0]["message"],
        "must begin with @"
    );
}

#[tokio::test]
async fn a_script_that_never_ends_is_stored_and_holds_for_nothing() {
    let api = start().await;
    let endless = "value|replace('', value)|replace('', value)|replace('', value)|length >= 0";
    let field = json!({"identifier": "nick", "type": "text",
        "validate": [{"script": endless, "message": "is not checked in time"}]});
    api.post("/fields", field).await.good(201);
    let value = "x".repeat(2000);
    let answer = api
        .patch("/customers/ana", json!({"fields": {"nick": value}}))
        .await;
    let told = answer.problem(422, "invalid");
    assert_eq!(told["errors"][0]["message"], "is not checked in time");
}

#[tokio::test]
async fn rules_are_given_to_a_field_that_every_workspace_has() {
    let api = start().await;
    let rules = json!({"validate": [{"ends-with": ".ch", "message": "Swiss alone"}]});
    api.patch("/fields/email", rules).await.good(200);
    let email = api.get("/fields/email").await.good(200);
    assert_eq!(
        (&email["built_in"], &email["origin"]),
        (&json!(true), &json!("store"))
    );
    let body = json!({"fields": {"email": "ana@example.com"}});
    let refused = api
        .patch("/customers/ana", body)
        .await
        .problem(422, "invalid");
    assert_eq!(refused["errors"][0]["message"], "Swiss alone");
    api.patch("/fields/email", json!({"type": "text"}))
        .await
        .problem(422, "invalid");
    api.delete("/fields/email").await.good(204);
    assert_eq!(api.get("/fields/email").await.good(200)["origin"], "file");
}
