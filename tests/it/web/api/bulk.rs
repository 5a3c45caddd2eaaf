//! What is done to many at once, up to its end: tags, suspension, deletion, reactivation.

use std::sync::Arc;

use drumbeat::clock::Clock;
use drumbeat::domain::job::JobNo;
use drumbeat::web::Daemon as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;
use crate::rig::crew::{crew, done};

/// Has the job that an answer names carried out.
async fn carried_out(api: &Api, begun: &Value) -> Value {
    let published = api.site.running.published();
    let clock: Arc<dyn Clock> = api.site.clock.clone();
    let job = JobNo(begun["job"].as_i64().unwrap());
    done(&crew(&api.site.store, &published, clock), job).await;
    api.get(&format!("/jobs/{job}")).await.good(200)
}

/// Has an order carried out; how many it changed.
async fn did(api: &Api, order: Value) -> Value {
    let begun = api.post("/jobs", order).await.good(202);
    let job = carried_out(api, &begun).await;
    assert_eq!((&job["state"], &job["failed"]), (&json!("done"), &json!(0)));
    job["changed"].clone()
}

/// Ann, Bob and Cem, beside Ana.
async fn people() -> Api {
    let api = Api::start().await;
    for id in ["ann", "bob", "cem"] {
        let email = format!("{id}@example.com");
        api.customer(id, json!({ "email": email })).await;
    }
    api
}

async fn key(api: &Api, id: &str, key: &str) -> Value {
    api.get(&format!("/customers/{id}")).await.good(200)[key].clone()
}

async fn everybodys(api: &Api, name: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for id in ["ana", "ann", "bob", "cem"] {
        all.push(key(api, id, name).await);
    }
    all
}

#[tokio::test]
async fn a_tag_is_added_to_the_contacts_that_were_selected() {
    let api = people().await;
    let order =
        json!({ "kind": "add-tags", "tags": ["vip"], "selection": { "ids": ["ann", "cem"] } });
    assert_eq!(did(&api, order).await, 2);
    let (with, without) = (json!(["vip"]), json!([]));
    let expected = [&without, &with, &without, &with].map(Clone::clone);
    assert_eq!(everybodys(&api, "tags").await, expected);
    let lines = api.get("/customers/ann/interactions?kind=tagged").await;
    let lines = lines.good(200);
    assert_eq!(lines["interactions"][0]["actor"], "root");
}

/// What other products call a group of contacts is a list here.
#[tokio::test]
async fn the_contacts_that_were_selected_are_added_to_a_group() {
    let api = people().await;
    for list in ["fair", "staff"] {
        api.post("/lists", json!({ "list": list })).await.good(201);
    }
    let order = json!({ "kind": "add-to-list", "list": "fair",
        "selection": { "ids": ["ana", "bob"] } });
    assert_eq!(did(&api, order).await, 2);
    let (on, off) = (json!(["fair"]), json!([]));
    let expected = [&on, &off, &on, &off].map(Clone::clone);
    assert_eq!(everybodys(&api, "lists").await, expected);
    let fair = api.get("/lists/fair").await.good(200);
    assert_eq!(fair["customers"], 2);
}

#[tokio::test]
async fn each_discarded_contact_shows_the_reason_of_their_exclusion() {
    let api = people().await;
    for (ids, reason) in [
        (vec!["ann", "bob"], "competitor"),
        (vec!["cem"], "under age"),
    ] {
        let order = json!({ "kind": "discard", "reason": reason, "selection": { "ids": ids } });
        did(&api, order).await;
    }
    let page = api.get("/customers?status=discarded&sort=id").await;
    let page = page.good(200);
    let rows = page["customers"].as_array().unwrap().iter();
    let rows: Vec<(&Value, &Value)> = rows
        .map(|row| (&row["id"], &row["status_reason"]))
        .collect();
    let expected = [
        (json!("ann"), json!("competitor")),
        (json!("bob"), json!("competitor")),
        (json!("cem"), json!("under age")),
    ];
    assert_eq!(rows, expected.each_ref().map(|(id, reason)| (id, reason)));
    assert_eq!(key(&api, "cem", "status_reason").await, "under age");
    assert_eq!(key(&api, "cem", "rating").await, "discarded");
    assert_eq!(key(&api, "ana", "status_reason").await, Value::Null);
    let lines = api.get("/customers/bob/interactions?kind=status-changed");
    let lines = lines.await.good(200);
    assert_eq!(lines["interactions"][0]["detail"]["reason"], "competitor");
}

#[tokio::test]
async fn the_contacts_that_were_selected_are_suspended_with_a_reason() {
    let api = people().await;
    let order = json!({ "kind": "suspend", "reason": "under review",
        "selection": { "ids": ["ann", "bob"] } });
    assert_eq!(did(&api, order).await, 2);
    let statuses = ["active", "suspended", "suspended", "active"];
    assert_eq!(everybodys(&api, "status").await, statuses);
    assert_eq!(key(&api, "ann", "status_reason").await, "under review");
}

#[tokio::test]
async fn the_contacts_that_were_selected_are_deleted_and_nobody_else() {
    let api = people().await;
    let order = json!({ "kind": "delete", "selection": { "ids": ["ann", "bob"] } });
    assert_eq!(did(&api, order).await, 2);
    for id in ["ann", "bob"] {
        let gone = api.get(&format!("/customers/{id}")).await;
        gone.problem(404, "not-found");
    }
    let left = api.get("/customers?sort=id").await.good(200);
    let left = left["customers"].as_array().unwrap().iter();
    let left: Vec<&Value> = left.map(|customer| &customer["id"]).collect();
    assert_eq!(left, ["ana", "cem"]);
}

#[tokio::test]
async fn suspended_contacts_are_reactivated_from_their_list_one_by_one_or_all_together() {
    let api = people().await;
    for (id, status) in [
        ("ana", "suspended"),
        ("ann", "suspended"),
        ("bob", "suspended"),
        ("cem", "discarded"),
    ] {
        let status = json!({ "status": status });
        let path = format!("/customers/{id}/status");
        api.put(&path, status).await.good(200);
    }
    let waiting = async || {
        let page = api.get("/customers?status=suspended&sort=id").await;
        let customers = page.good(200)["customers"].as_array().unwrap().clone();
        let ids = customers.iter().map(|customer| customer["id"].clone());
        ids.collect::<Vec<Value>>()
    };
    assert_eq!(waiting().await, ["ana", "ann", "bob"]);
    let active = json!({ "status": "active" });
    api.put("/customers/ann/status", active).await.good(200);
    assert_eq!(waiting().await, ["ana", "bob"]);
    let rest = json!({ "kind": "reactivate", "selection": { "where": { "status": "suspended" } } });
    assert_eq!(did(&api, rest).await, 2);
    assert!(waiting().await.is_empty());
    let statuses = ["active", "active", "active", "discarded"];
    assert_eq!(everybodys(&api, "status").await, statuses);
}

/// Ways by which a customer is added over HTTP.
const PATHS: [&str; 6] = ["one", "many", "told", "identified", "file", "renamed"];

/// Adds a customer by one of the ways; the id that they have then.
async fn added(api: &Api, path: &str, id: &str) -> String {
    let email = json!({ "email": format!("{id}@example.com") });
    match path {
        "one" => {
            let body = json!({ "id": id, "fields": email });
            api.post("/customers", body).await.good(201);
        }
        "many" => {
            let body = json!({ "customers": [{ "id": id, "fields": email }] });
            api.post("/customers/batch", body).await.good(200);
        }
        "told" => {
            let login = json!({ "id": "1", "kind": "login", "customer": id, "create": true });
            let body = json!({ "interactions": [login] });
            api.post("/interactions", body).await.good(200);
        }
        "identified" => {
            let body = json!({ "visitor": format!("v-{id}"), "customer": id });
            api.post("/identify", body).await.good(200);
        }
        "file" => {
            let file = api.request(Method::POST, "/imports?name=people.csv");
            let file = file.body(format!("id\n{id}\n"));
            let begun = api.send(file).await.good(201);
            carried_out(api, &begun).await;
            let save = format!("/imports/{}/save", begun["import"]);
            let begun = api.post(&save, json!(null)).await.good(202);
            carried_out(api, &begun).await;
        }
        _ => {
            let id = format!("new-{id}");
            let body = json!({ "id": id, "fields": email });
            api.post("/customers", body).await.good(201);
            return id;
        }
    }
    id.to_owned()
}

#[tokio::test]
async fn an_active_contact_who_was_deleted_is_added_again_as_suspended_by_whatever_path() {
    let api = Api::start().await;
    for path in PATHS {
        let email = json!({ "email": format!("{path}@example.com") });
        api.customer(path, email).await;
        assert_eq!(key(&api, path, "status").await, "active", "{path}");
        api.delete(&format!("/customers/{path}")).await.good(204);
        let back = added(&api, path, path).await;
        assert_eq!(key(&api, &back, "status").await, "suspended", "{path}");
        let reason = key(&api, &back, "status_reason").await;
        assert_eq!(reason, "deleted before", "{path}");
        let other = added(&api, path, &format!("first-{path}")).await;
        assert_eq!(key(&api, &other, "status").await, "active", "{path}");
    }
}
