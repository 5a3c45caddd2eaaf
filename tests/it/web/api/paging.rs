//! Every list comes page by page, and its pages are the whole of it.

use serde_json::{Value, json};

use super::rig::Api;

/// They hold an array, and no list: how many there can be is known, or they show one thing.
const NO_LISTS: [&str; 5] = [
    "/ratings",
    "/status",
    "/flows/{id}/report",
    "/customers/{id}/explain",
    "/customers/{id}/totals",
];

/// The schema of the body of a good answer, where it is JSON.
fn body<'a>(document: &'a Value, operation: &'a Value) -> &'a Value {
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    match schema["$ref"].as_str() {
        Some(name) => {
            let name = name.rsplit('/').next().unwrap();
            &document["components"]["schemas"][name]
        }
        None => schema,
    }
}

fn parameters(operation: &Value) -> Vec<&str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn whatever_answers_with_a_list_is_asked_for_page_by_page() {
    let api = Api::start().await;
    let mut lists = 0;
    for (path, item) in api.document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        let shown = body(&api.document, operation);
        let properties = shown["properties"].as_object();
        let mut kinds = properties
            .into_iter()
            .flatten()
            .map(|(_, one)| &one["type"]);
        let is_list = !path.ends_with('}') && kinds.any(|kind| kind == "array");
        if !is_list || NO_LISTS.contains(&path.as_str()) {
            continue;
        }
        lists += 1;
        for name in ["limit", "cursor"] {
            assert!(parameters(operation).contains(&name), "{path}: no {name}");
        }
        let link = &operation["responses"]["200"]["headers"]["Link"];
        assert!(link.is_object(), "{path}: no Link");
        assert!(!shown["properties"]["next"].is_null(), "{path}: no next");
    }
    assert_eq!(lists, 25);
}

/// All that is in a list, so many at a time.
async fn walked(api: &Api, path: &str, key: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut at = format!("{path}?limit={limit}");
    loop {
        let answer = api.get(&at).await;
        let page = answer.good(200);
        let some = page[key].as_array().unwrap();
        assert!(some.len() <= limit, "{path}");
        all.extend(some.iter().cloned());
        let Some(cursor) = page["next"].as_str() else {
            assert!(answer.headers.get("link").is_none(), "{path}");
            return all;
        };
        assert_eq!(some.len(), limit, "{path}");
        at = format!("{path}?limit={limit}&cursor={cursor}");
        let link = format!("</api/v1{at}>; rel=\"next\"");
        assert_eq!(answer.header("link"), link);
    }
}

async fn fill(api: &Api) {
    for number in 0..5 {
        let note = json!({ "body": format!("note {number}") });
        api.post("/customers/ana/notes", note).await.good(201);
        let priority = ["low", "high", "normal"][number % 3];
        let task = json!({ "name": format!("task {number}"), "priority": priority });
        api.post("/customers/ana/tasks", task).await.good(201);
        let channel = ["email", "sms", "push"].get(number);
        let given_up = json!({ "action": "unsubscribe", "channel": channel });
        api.post("/customers/ana/subscriptions", given_up)
            .await
            .good(200);
        let token = json!({ "name": format!("token {number}"), "scopes": ["customers:read"] });
        api.post("/tokens", token).await.good(201);
    }
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_whole_of_it_in_its_order() {
    let api = Api::start().await;
    fill(&api).await;
    for (path, key, least) in [
        ("/fields", "fields", 10),
        ("/flows", "flows", 1),
        ("/tokens", "tokens", 6),
        ("/segments", "segments", 1),
        ("/customers/ana/notes", "notes", 5),
        ("/customers/ana/tasks", "tasks", 5),
        ("/customers/ana/subscriptions", "subscriptions", 4),
    ] {
        let whole = walked(&api, path, key, 1000).await;
        assert!(whole.len() >= least, "{path}: {}", whole.len());
        for limit in [1, 2] {
            let parts = walked(&api, path, key, limit).await;
            assert_eq!(parts, whole, "{path}");
        }
    }
    let first = api.get("/fields?limit=1").await.good(200);
    let cursor = first["next"].as_str().unwrap();
    let elsewhere = api.get(&format!("/tokens?cursor={cursor}")).await;
    elsewhere.problem(400, "bad-cursor");
    api.get("/fields?limit=0").await.problem(400, "bad-request");
}

#[tokio::test]
async fn what_comes_while_a_list_is_walked_moves_nobody_to_another_page() {
    let api = Api::start().await;
    fill(&api).await;
    let first = api.get("/customers/ana/notes?limit=2").await.good(200);
    let newer = json!({ "body": "newer" });
    api.post("/customers/ana/notes", newer).await.good(201);
    let cursor = first["next"].as_str().unwrap();
    let rest = format!("/customers/ana/notes?limit=9&cursor={cursor}");
    let next = api.get(&rest).await.good(200);
    let bodies = |page: &Value| -> Vec<String> {
        let notes = page["notes"].as_array().unwrap().iter();
        notes
            .map(|one| one["body"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(bodies(&first), ["note 4", "note 3"]);
    assert_eq!(bodies(&next), ["note 2", "note 1", "note 0"]);
}
