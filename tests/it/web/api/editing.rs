//! Edits upon what was read: a customer who has moved is left alone, whoever moved them.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::rig::{Answer, Api};

async fn tag(api: &Api) -> String {
    let answer = api.get("/customers/ana").await;
    answer.good(200);
    answer.header("etag").to_owned()
}

fn city(api: &Api, city: &str) -> RequestBuilder {
    let body = json!({"fields": {"city": city}});
    api.request(Method::PATCH, "/customers/ana").json(&body)
}

#[tokio::test]
async fn an_edit_upon_an_old_reading_is_refused() {
    let api = Api::start().await;
    let read = tag(&api).await;
    let edited = api.send(city(&api, "Lyon").header("if-match", &read)).await;
    edited.good(200);
    let late = api.send(city(&api, "Rome").header("if-match", &read)).await;
    late.problem(412, "moved");
    let now = tag(&api).await;
    assert_ne!(now, read);
    let either = format!("{read}, {now}");
    api.send(city(&api, "Oslo").header("if-match", either))
        .await
        .good(200);
    let weak = format!("W/{}", tag(&api).await);
    api.send(city(&api, "Rome").header("if-match", weak))
        .await
        .problem(412, "moved");
    api.send(city(&api, "Bern").header("if-match", "*"))
        .await
        .good(200);
    let malformed = city(&api, "Rome").header("if-match", "lyon");
    api.send(malformed).await.problem(400, "bad-request");
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(shown["fields"]["city"], "Bern");
    let absent = api.request(Method::PATCH, "/customers/nobody");
    let absent = absent
        .header("if-match", &read)
        .json(&json!({"fields": {}}));
    api.send(absent).await.problem(404, "not-found");
}

#[tokio::test]
async fn every_edit_takes_the_condition() {
    let api = Api::start().await;
    let switches = json!({"outbound": true, "email": false, "sms": true, "push": true});
    let consents = json!({"email": "opted-in", "sms": "subscribed", "push": "subscribed"});
    let edits: [(Method, &str, Value); 3] = [
        (Method::PUT, "/customers/ana/switches", switches),
        (Method::PUT, "/customers/ana/consents", consents),
        (Method::DELETE, "/customers/ana", Value::Null),
    ];
    for (method, path, body) in edits {
        let read = tag(&api).await;
        let edit = |read: &str| {
            let request = api.request(method.clone(), path).header("if-match", read);
            if body.is_null() {
                request
            } else {
                request.json(&body)
            }
        };
        api.patch("/customers/ana", json!({"fields": {"city": path}}))
            .await
            .good(200);
        api.send(edit(&read)).await.problem(412, "moved");
        let done = api.send(edit(&tag(&api).await)).await;
        assert!([200, 204].contains(&done.status), "{done:?}");
    }
    api.get("/customers/ana").await.problem(404, "not-found");
}

#[tokio::test]
async fn the_tag_moves_with_what_people_edit_alone() {
    let api = Api::start().await;
    let first = tag(&api).await;
    assert_eq!(tag(&api).await, first);
    let dismissal = json!({"campaign": "gold-card"});
    api.post("/customers/ana/dismissals", dismissal)
        .await
        .good(200);
    let second = tag(&api).await;
    assert_ne!(second, first);
    let given_up = json!({"action": "unsubscribe", "category": "credit-cards"});
    api.post("/customers/ana/subscriptions", given_up.clone())
        .await
        .good(200);
    let third = tag(&api).await;
    assert_ne!(third, second);
    api.post("/customers/ana/subscriptions", given_up)
        .await
        .good(200);
    api.site.pass(40 * 24 * 60 * 60);
    assert_eq!(tag(&api).await, third);
}

#[tokio::test]
async fn of_several_edits_upon_one_reading_one_is_made() {
    let api = Api::start().await;
    for round in 0..5 {
        let read = tag(&api).await;
        let one = |name: &str| {
            let request = city(&api, &format!("{name}{round}")).header("if-match", &read);
            api.send(request)
        };
        let (a, b, c, d) = tokio::join!(one("a"), one("b"), one("c"), one("d"));
        let answers: [Answer; 4] = [a, b, c, d];
        let made: Vec<&Answer> = answers.iter().filter(|one| one.status == 200).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|one| one.status != 200) {
            answer.problem(412, "moved");
        }
    }
    let lines = api
        .get("/customers/ana/interactions?kind=field-changed")
        .await;
    assert_eq!(lines.json()["interactions"].as_array().unwrap().len(), 5);
}

fn unless(api: &Api, method: Method, path: &str, tag: &str) -> RequestBuilder {
    api.request(method, path).header("if-none-match", tag)
}

#[tokio::test]
async fn what_is_at_hand_already_is_not_sent_again() {
    let api = Api::start().await;
    for path in [
        "/customers/ana",
        "/fields/email",
        "/tags/vip",
        "/segments/new-members",
    ] {
        let read = api.get(path).await;
        read.good(200);
        let tag = read.header("etag");
        for known in [tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
            let again = api.send(unless(&api, Method::GET, path, known)).await;
            again.good(304);
            assert_eq!(again.header("etag"), tag);
            assert!(again.headers.get("content-type").is_none(), "{path}");
        }
        let other = api.send(unless(&api, Method::GET, path, "\"x\"")).await;
        assert_eq!(other.good(200), read.json());
        let url = unless(&api, Method::HEAD, path, "\"x\"");
        assert_eq!(url.send().await.unwrap().headers()["etag"], tag);
    }
}

#[tokio::test]
async fn an_answer_is_sent_again_when_anything_in_it_has_changed_and_edits_ask_for_the_version_alone()
 {
    let api = Api::start().await;
    let read = tag(&api).await;
    api.post("/customers/ana/notes", json!({"body": "prefers mornings"}))
        .await
        .good(201);
    let again = unless(&api, Method::GET, "/customers/ana", &read);
    let again = api.send(again).await;
    assert_eq!(again.good(200)["notes"][0]["body"], "prefers mornings");
    assert_ne!(again.header("etag"), read);
    // Nobody has edited her.
    let edited = api.send(city(&api, "Lyon").header("if-match", &read)).await;
    edited.good(200);
}
