//! What people at the bank do with one customer: status, notes, tasks, merging, a copy, a message now.

use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;

fn said(list: &Value, key: &str) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one[key].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_customer_is_suspended_with_a_reason_and_reactivated() {
    let api = Api::start().await;
    let input = json!({"status": "suspended", "reason": "asked by the branch"});
    let set = api
        .put("/customers/ana/status", input.clone())
        .await
        .good(200);
    assert_eq!(
        set,
        json!({"customer": "ana", "status": "suspended", "changed": true})
    );
    let again = api.put("/customers/ana/status", input).await.good(200);
    assert_eq!(again["changed"], false);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(
        (&shown["status"], &shown["rating"]),
        (&json!("suspended"), &json!("inactive"))
    );
    assert_eq!(shown["status_reason"], "asked by the branch");
    api.put("/customers/ana/status", json!({"status": "active"}))
        .await
        .good(200);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(
        (&shown["status"], &shown["status_reason"]),
        (&json!("active"), &Value::Null)
    );
    let lines = api
        .get("/customers/ana/interactions?kind=status-changed")
        .await
        .good(200);
    assert_eq!(said(&lines["interactions"], "actor"), ["root", "root"]);
}

#[tokio::test]
async fn a_rating_cannot_be_set() {
    let api = Api::start().await;
    let answer = api
        .patch("/customers/ana", json!({"fields": {"rating": "new"}}))
        .await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/fields/rating"]);
    assert!(answer.text.contains("computed"), "{}", answer.text);
}

#[tokio::test]
async fn notes_are_written_down_listed_and_removed() {
    let api = Api::start().await;
    let path = "/customers/ana/notes";
    let added = api
        .post(path, json!({"body": " called about the card "}))
        .await
        .good(201);
    api.post(path, json!({"body": "wants a call back"}))
        .await
        .good(201);
    let notes = api.get(path).await.good(200);
    assert_eq!(
        said(&notes["notes"], "body"),
        ["wants a call back", "called about the card"]
    );
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["notes"], notes["notes"]);
    let answer = api.post(path, json!({"body": "  "})).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/body"]);
    let first = format!("{path}/{}", added["note"]);
    api.delete(&first).await.good(204);
    api.delete(&first).await.problem(404, "not-found");
    api.delete(&format!("{path}/x"))
        .await
        .problem(400, "bad-request");
    api.get("/customers/nobody/notes")
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn tasks_on_a_customer_are_added_and_listed_the_most_important_first() {
    let api = Api::start().await;
    api.customer("ben", json!({})).await;
    let path = "/customers/ana/tasks";
    assert_eq!(api.get(path).await.good(200)["tasks"], json!([]));
    api.post(path, json!({"name": "write"})).await.good(201);
    let urgent = json!({"name": "call", "priority": "high"});
    let added = api.post(path, urgent).await.good(201);
    let tasks = api.get(path).await.good(200);
    assert_eq!(said(&tasks["tasks"], "name"), ["call", "write"]);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["tasks"], tasks["tasks"]);
    let one = format!("{path}/{}", added["task"]);
    let done = json!({"status": "done"});
    api.patch(&one, done.clone()).await.good(204);
    let tasks = api.get(path).await.good(200);
    assert_eq!(said(&tasks["tasks"], "name"), ["write", "call"]);
    api.delete(&one).await.good(204);
    api.patch(&one, done).await.problem(404, "not-found");
    let tasks = api.get(path).await.good(200);
    assert_eq!(said(&tasks["tasks"], "name"), ["write"]);
    let other = api.get("/customers/ben/tasks").await.good(200);
    assert_eq!(other["tasks"], json!([]));
}

#[tokio::test]
async fn a_task_has_a_name_a_description_a_status_a_priority_and_somebody_who_does_it() {
    let api = Api::start().await;
    let path = "/customers/ana/tasks";
    let task = json!({
        "name": "call", "description": "about the gold card", "status": "open",
        "priority": "high", "assignee": "carla", "due_on": "2026-03-01",
    });
    let added = api.post(path, task.clone()).await.good(201);
    let tasks = api.get(path).await.good(200);
    for (key, value) in task.as_object().unwrap() {
        assert_eq!(&tasks["tasks"][0][key], value);
    }
    let one = format!("{path}/{}", added["task"]);
    let change = json!({"status": "in-progress", "assignee": ""});
    api.patch(&one, change).await.good(204);
    let tasks = api.get(path).await.good(200);
    let last = &tasks["tasks"][0];
    assert_eq!(
        (&last["name"], &last["status"]),
        (&json!("call"), &json!("in-progress"))
    );
    assert_eq!(
        (&last["assignee"], &last["priority"]),
        (&Value::Null, &json!("high"))
    );
    for (wrong, field) in [
        (json!({"name": "", "priority": "high"}), "/name"),
        (json!({"name": "call", "priority": "dire"}), "/priority"),
        (json!({"name": "call", "status": "lost"}), "/status"),
    ] {
        let answer = api.post(path, wrong).await;
        assert_eq!(answer.fields(), [field]);
    }
}

#[tokio::test]
async fn only_a_visitor_is_merged_and_only_into_somebody_who_is_known() {
    let api = Api::start().await;
    api.customer("ben", json!({})).await;
    let answer = api
        .post("/customers/ana/merge", json!({"into": "ben"}))
        .await;
    answer.problem(409, "conflict");
    let answer = api
        .post("/customers/ana/merge", json!({"into": "nobody"}))
        .await;
    answer.problem(404, "not-found");
}

#[tokio::test]
async fn a_person_gets_a_copy_of_everything_that_is_known_of_them() {
    let api = Api::start().await;
    api.post("/customers/ana/notes", json!({"body": "=1+1"}))
        .await
        .good(201);
    let copy = api.get("/customers/ana/export").await;
    assert_eq!(
        copy.header("content-disposition"),
        "attachment; filename=\"customer.json\""
    );
    let copy = copy.good(200);
    assert_eq!(
        (&copy["customer"]["id"], &copy["notes"][0]["body"]),
        (&json!("ana"), &json!("=1+1"))
    );
    let table = api.get("/customers/ana/export?format=csv").await;
    assert_eq!(
        (table.status, table.header("content-type")),
        (200, "text/csv; charset=utf-8")
    );
    let lines: Vec<&str> = table.text.lines().collect();
    assert_eq!(lines[0], "section,item,name,value");
    assert!(lines.contains(&"customer,0,id,ana"), "{lines:?}");
    assert!(lines.contains(&"notes,1,body,'=1+1"), "{lines:?}");
    let answer = api.get("/customers/ana/export?format=pdf").await;
    answer.problem(400, "bad-request");
}

#[tokio::test]
async fn a_communication_is_sent_to_one_customer_now() {
    let api = Api::start().await;
    let path = "/customers/ana/messages";
    let asked = api
        .post(path, json!({"communication": "gold-card/offer-text"}))
        .await
        .good(202);
    assert_eq!(
        (&asked["customer"], &asked["channel"]),
        (&json!("ana"), &json!("sms"))
    );
    assert_eq!(asked["message"]["state"], "waiting");
    let lines = api
        .get("/customers/ana/interactions?kind=send-asked&campaign=gold-card")
        .await;
    let lines = lines.good(200);
    assert_eq!(lines["interactions"][0]["actor"], "root");
    assert_eq!(
        lines["interactions"][0]["detail"]["communication"],
        "offer-text"
    );
    let answer = api
        .post(path, json!({"communication": "gold-card/offer-txt"}))
        .await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/communication"]);
    assert!(
        answer.text.contains("did you mean `gold-card/offer-text`"),
        "{}",
        answer.text
    );
    let body = json!({"communication": "gold-card/offer-text"});
    api.post("/customers/nobody/messages", body)
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn everybody_is_counted_by_rating() {
    let api = Api::start().await;
    let counts = api.get("/ratings").await.good(200);
    let ratings = counts["ratings"].as_array().unwrap();
    let all: u64 = ratings
        .iter()
        .map(|one| one["customers"].as_u64().unwrap())
        .sum();
    let names = said(&counts["ratings"], "rating");
    assert_eq!(
        names,
        [
            "new",
            "frequent",
            "dormant",
            "expired",
            "inactive",
            "discarded"
        ]
    );
    let listed = api.get("/customers").await.good(200);
    assert_eq!(all, listed["customers"].as_array().unwrap().len() as u64);
    let bare = api.send(api.bare(Method::GET, "/ratings")).await;
    bare.problem(401, "unauthorized");
}
