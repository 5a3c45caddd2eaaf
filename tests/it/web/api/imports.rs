//! Files of customers over HTTP: brought, looked at, changed, saved, taken back.

use std::sync::Arc;

use drumbeat::clock::Clock;
use drumbeat::domain::job::JobNo;
use drumbeat::domain::token::TokenScope;
use drumbeat::web::Daemon as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;
use crate::rig::crew::{crew, done};

impl Api {
    pub(super) async fn bring(&self, name: &str, file: impl Into<reqwest::Body>) -> Value {
        let request = self.request(Method::POST, &format!("/imports?name={name}"));
        self.send(request.body(file)).await.good(201)
    }

    /// Carries out the job that an answer names.
    pub(super) async fn work(&self, begun: &Value) {
        let published = self.site.running.published();
        let clock: Arc<dyn Clock> = self.site.clock.clone();
        let crew = crew(&self.site.store, &published, clock);
        done(&crew, JobNo(begun["job"].as_i64().unwrap())).await;
    }
}

#[tokio::test]
async fn a_file_is_brought_looked_at_changed_saved_and_taken_back() {
    let api = Api::start().await;
    let file = "Kunde;E-Mail\nann;ann@example.com\nben;nobody\n";
    let begun = api.bring("people.csv", file).await;
    let path = format!("/imports/{}", begun["import"]);
    assert_eq!(begun["state"], "checking");
    api.work(&begun).await;
    let shown = api.get(&path).await.good(200);
    assert!(
        shown["problem"].as_str().unwrap().contains("unique id"),
        "{shown}"
    );
    assert_eq!(shown["preview"]["columns"][1]["name"], "E-Mail");
    api.post(&format!("{path}/save"), json!(null))
        .await
        .problem(409, "conflict");
    let patch = json!({ "map": { "Kunde": "id", "E-Mail": "email" }, "tags": [] });
    let changed = api.patch(&path, patch).await.good(200);
    api.work(&changed).await;
    let shown = api.get(&path).await.good(200);
    assert_eq!(
        (&shown["state"], &shown["problem"]),
        (&json!("checked"), &Value::Null)
    );
    let counts = [&shown["counts"]["created"], &shown["counts"]["rejected"]];
    assert_eq!(counts, [&json!(1), &json!(1)]);
    assert_eq!(shown["first_rejects"][0]["line"], 3);
    api.get("/customers/ann").await.problem(404, "not-found");
    let begun = api
        .post(&format!("{path}/save"), json!(null))
        .await
        .good(202);
    api.work(&begun).await;
    api.get("/customers/ann").await.good(200);
    let rejects = api.request(Method::GET, &format!("{path}/rejects"));
    let rejects = rejects.send().await.unwrap();
    assert_eq!(rejects.headers()["content-type"], "text/csv; charset=utf-8");
    let text = rejects.text().await.unwrap();
    assert!(
        text.starts_with("Kunde,E-Mail,line,reason\nben,nobody,3,"),
        "{text}"
    );
    let begun = api
        .post(&format!("{path}/revert"), json!({}))
        .await
        .good(202);
    api.work(&begun).await;
    api.get("/customers/ann").await.problem(404, "not-found");
    let list = api.get("/imports?limit=1").await.good(200);
    assert_eq!(
        (&list["imports"][0]["state"], &list["next"]),
        (&json!("reverted"), &Value::Null)
    );
}

#[tokio::test]
async fn what_cannot_be_done_to_an_import_is_said() {
    let api = Api::start().await;
    let begun = api.bring("people.csv", "id\nann\n").await;
    let path = format!("/imports/{}", begun["import"]);
    for (patch, field) in [
        (json!({ "match": "shoe" }), "/match"),
        (json!({ "delimiter": "x" }), "/delimiter"),
        (json!({ "tags": ["nope"] }), "/tags"),
        (json!({ "list": "nope" }), "/list"),
    ] {
        let refused = api.patch(&path, patch).await;
        refused.problem(422, "invalid");
        assert_eq!(refused.fields(), [field]);
    }
    api.post(&format!("{path}/revert"), json!({}))
        .await
        .problem(409, "conflict");
    let discarded = api.post(&format!("{path}/discard"), json!(null)).await;
    assert_eq!(discarded.status, 204);
    api.post(&format!("{path}/save"), json!(null))
        .await
        .problem(409, "conflict");
    api.get("/imports/99").await.problem(404, "not-found");
    api.get("/imports/x").await.problem(404, "not-found");
    let empty = api.request(Method::POST, "/imports?name=a.csv");
    api.send(empty).await.problem(400, "bad-request");
    let unnamed = api.request(Method::POST, "/imports").body("id\n");
    api.send(unnamed).await.problem(400, "bad-request");
    let reader = api.token("reader", &[TokenScope::CustomersRead]).await;
    let bring = api
        .bare(Method::POST, "/imports?name=a.csv")
        .bearer_auth(reader);
    api.send(bring.body("id\n")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn damaged_and_hostile_files_are_refused_by_the_look_and_hold_nobody_up() {
    let api = Api::start().await;
    let endless = format!("id,city\na,\"{}", "x".repeat(2 * 1024 * 1024));
    for (name, file, told) in [
        ("a.xlsx", b"no workbook".to_vec(), "is not a workbook"),
        ("a.csv", endless.into_bytes(), "a row of more than 1 MiB"),
        ("a.json", b"[{\"id\": 1}]".to_vec(), "one JSON array"),
        (
            "a.csv",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            "old version",
        ),
    ] {
        let begun = api.bring(name, file).await;
        api.work(&begun).await;
        let shown = api
            .get(&format!("/imports/{}", begun["import"]))
            .await
            .good(200);
        let problem = shown["problem"].as_str().unwrap();
        assert!(problem.contains(told), "{problem}");
        assert_eq!(shown["state"], "checked");
    }
    let file = "id,email\na,\"a@example.com\r\nBcc: b@example.com\"\nb,=1+1\nc,nobody\n\nd,d@example.com\n";
    let begun = api.bring("a.csv", file.as_bytes().to_vec()).await;
    api.work(&begun).await;
    let shown = api
        .get(&format!("/imports/{}", begun["import"]))
        .await
        .good(200);
    let counts = [&shown["counts"]["created"], &shown["counts"]["rejected"]];
    assert_eq!(counts, [&json!(1), &json!(3)], "{shown}");
}
