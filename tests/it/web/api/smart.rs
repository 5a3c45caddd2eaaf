//! Smart lists: made of those who are found, and shown under their names.

use serde_json::{Value, json};

use super::defining::start;
use super::rig::Api;

async fn made(api: &Api, name: &str, condition: Value) {
    let list = json!({ "name": name, "where": condition });
    api.post("/smart-lists", list).await.good(201);
}

async fn members(api: &Api, name: &str) -> Vec<String> {
    let path = format!("/segments/{name}/customers");
    let page = api.get(&path).await.good(200);
    let customers = page["customers"].as_array().unwrap().iter();
    let mut ids: Vec<String> = customers
        .map(|customer| customer["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    let counted = api.get(&format!("/smart-lists/{name}")).await.good(200);
    assert_eq!(counted["count"], ids.len(), "{name}");
    ids
}

#[tokio::test]
async fn a_smart_list_is_made_of_filters_tags_creation_last_activity_or_picked_people() {
    let api = start().await;
    for (id, city) in [("ann", "Lyon"), ("bob", "Rome"), ("cem", "Rome")] {
        api.customer(id, json!({ "city": city })).await;
        api.site.pass(5 * 86_400);
    }
    let login = json!({ "id": "1", "kind": "login", "customer": "bob" });
    let told = json!({ "interactions": [login] });
    api.post("/interactions", told).await.good(200);
    let published = drumbeat::web::Daemon::published(&*api.site.running);
    api.site.tag("cem", "staff", &published).await;
    for (name, condition, expected) in [
        (
            "by-filter",
            json!({ "field": "city", "is": "Rome" }),
            vec!["bob", "cem"],
        ),
        ("by-tag", json!({ "tag": "staff" }), vec!["cem"]),
        (
            "by-creation",
            json!({ "created": { "on": "09.01.2026" } }),
            vec!["ann"],
        ),
        (
            "by-activity",
            json!({ "last-activity": { "within-last": "2d" } }),
            vec!["bob"],
        ),
        (
            "by-hand",
            json!({ "field": "id", "in": ["ann", "cem"] }),
            vec!["ann", "cem"],
        ),
    ] {
        made(&api, name, condition).await;
        assert_eq!(members(&api, name).await, expected, "{name}");
    }
    // Who comes to meet the condition later is in it by itself.
    let moved = json!({ "fields": { "city": "Rome" } });
    api.patch("/customers/ann", moved).await.good(200);
    assert_eq!(members(&api, "by-filter").await, ["ann", "bob", "cem"]);
    assert_eq!(members(&api, "by-hand").await, ["ann", "cem"]);
}

#[tokio::test]
async fn a_smart_list_is_saved_under_its_name_and_shown_among_the_smart_lists() {
    let api = start().await;
    let condition = json!({ "field": "city", "is": "Rome" });
    let list = json!({ "name": "romans", "description": "Who lives in Rome", "where": condition });
    let answer = api.post("/smart-lists", list.clone()).await;
    answer.good(201);
    assert_eq!(answer.header("location"), "/api/v1/smart-lists/romans");
    let section = api.get("/smart-lists").await.good(200);
    let lists = section["smart_lists"].as_array().unwrap();
    assert_eq!(lists.len(), 1, "{section}");
    for (key, value) in list.as_object().unwrap() {
        assert_eq!(&lists[0][key], value, "{key}");
    }
    let segments = api.get("/segments").await.good(200);
    let segments = segments["segments"].as_array().unwrap().iter();
    assert!(
        segments
            .map(|one| &one["segment"])
            .all(|name| name != "romans")
    );
    api.post("/smart-lists", list)
        .await
        .problem(409, "conflict");
    let nameless = json!({ "name": "", "where": { "tag": "staff" } });
    let answer = api.post("/smart-lists", nameless).await;
    answer.problem(422, "invalid");
}
