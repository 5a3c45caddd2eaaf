//! Finding customers by what they are and where they belong: state, list, tag, kind.

use serde_json::{Value, json};

use super::{Api, did, ids, listed, meeting};

async fn with(people: &[&str]) -> Api {
    let api = Api::start().await;
    for id in people {
        api.customer(id, json!({})).await;
    }
    api
}

#[tokio::test]
async fn the_list_is_filtered_by_the_state_of_the_contacts() {
    let api = with(&["asleep", "awake", "barred", "waiting"]).await;
    did(&api, "asleep", "login", "2025-11-01T08:00:00Z").await;
    did(&api, "awake", "login", "2026-01-08T08:00:00Z").await;
    for (id, status) in [("barred", "discarded"), ("waiting", "suspended")] {
        let status = json!({ "status": status });
        let path = format!("/customers/{id}/status");
        api.put(&path, status).await.good(200);
    }
    for (query, expected) in [
        ("status=active", vec!["ana", "asleep", "awake"]),
        ("status=suspended", vec!["waiting"]),
        ("status=discarded", vec!["barred"]),
        ("rating=new", vec!["awake"]),
        ("rating=frequent", vec![]),
        ("rating=dormant", vec!["asleep"]),
        ("rating=discarded", vec!["barred"]),
        ("rating=inactive&status=active", vec!["ana"]),
    ] {
        assert_eq!(listed(&api, query).await, expected, "{query}");
    }
    let wrong = api.get("/customers?rating=old").await;
    wrong.problem(400, "bad-request");
}

#[tokio::test]
async fn the_state_of_each_contact_is_their_rating_or_their_happiness_as_one_likes() {
    let api = with(&["glad", "sad", "silent"]).await;
    for (id, score) in [("glad", 10), ("sad", 2)] {
        let answer = json!({ "id": "1", "kind": "nps-answered", "customer": id,
            "at": "2025-12-01T08:00:00Z", "nps": { "score": score } });
        let told = api.post("/interactions", json!({ "interactions": [answer] }));
        assert_eq!(told.await.good(200)["recorded"], 1);
    }
    let page = api.get("/customers?sort=-id").await.good(200);
    let rows = page["customers"].as_array().unwrap().iter();
    let states: Vec<Value> = rows
        .map(|row| json!([row["id"], row["rating"], row["nps"]]))
        .collect();
    let expected = [
        json!(["silent", "inactive", null]),
        json!(["sad", "frequent", 2]),
        json!(["glad", "frequent", 10]),
        json!(["ana", "inactive", null]),
    ];
    assert_eq!(states, expected);
    let promoters = json!({ "nps": "promoter" });
    assert_eq!(meeting(&api, &promoters).await, ["glad"]);
    assert_eq!(listed(&api, "rating=frequent").await, ["glad", "sad"]);
}

/// What other products call a group of contacts is a list here.
#[tokio::test]
async fn the_list_is_filtered_by_the_group_that_contacts_are_in() {
    let api = with(&["ann", "bob", "cem"]).await;
    for (list, members) in [("fair", vec!["ann", "bob"]), ("staff", vec!["cem"])] {
        api.post("/lists", json!({ "list": list })).await.good(201);
        let path = format!("/lists/{list}/members");
        api.post(&path, json!({ "add": members })).await.good(200);
    }
    assert_eq!(listed(&api, "list=fair").await, ["ann", "bob"]);
    assert_eq!(listed(&api, "list=staff").await, ["cem"]);
    let off = json!({ "remove": ["ann"] });
    api.post("/lists/fair/members", off).await.good(200);
    assert_eq!(listed(&api, "list=fair").await, ["bob"]);
    let off_it = json!({ "not": { "list": "fair" } });
    assert_eq!(meeting(&api, &off_it).await, ["ana", "ann", "cem"]);
}

#[tokio::test]
async fn the_list_is_filtered_by_the_tags_of_contacts() {
    let api = with(&["ann", "bob"]).await;
    let published = drumbeat::web::Daemon::published(&*api.site.running);
    api.site.tag("bob", "vip", &published).await;
    assert_eq!(listed(&api, "tag=vip").await, ["bob"]);
    assert!(listed(&api, "tag=staff").await.is_empty());
    let others = json!({ "not": { "tag": "vip" } });
    assert_eq!(meeting(&api, &others).await, ["ana", "ann"]);
}

/// A visitor of whom nobody knows who they are, and one who signed up for the newsletter.
async fn visited() -> Api {
    let api = Api::start().await;
    for visitor in ["v-1", "v-2"] {
        let page = json!({ "url": "https://bank.example/loans" });
        let visit =
            json!({ "id": visitor, "kind": "page-visited", "visitor": visitor, "page": page });
        let told = api.post("/interactions", json!({ "interactions": [visit] }));
        assert_eq!(told.await.good(200)["recorded"], 1);
    }
    let who = json!({ "visitor": "v-2", "customer": "eva" });
    api.post("/identify", who).await.good(200);
    api
}

#[tokio::test]
async fn customers_who_are_identified_are_a_kind_to_filter_by() {
    let api = visited().await;
    assert_eq!(listed(&api, "identified=true").await, ["ana", "eva"]);
    let known = json!({ "identified": true });
    assert_eq!(meeting(&api, &known).await, ["ana", "eva"]);
    let page = api.get("/customers?identified=true").await.good(200);
    assert_eq!(page["customers"][0]["identified"], true);
}

#[tokio::test]
async fn anonymous_visitors_are_a_kind_to_filter_by_with_an_id_and_their_activity() {
    let api = visited().await;
    assert_eq!(listed(&api, "identified=false").await, ["v-1"]);
    assert_eq!(
        meeting(&api, &json!({ "identified": false })).await,
        ["v-1"]
    );
    let page = api.get("/customers?identified=false").await.good(200);
    let visitor = &page["customers"][0];
    assert_eq!(
        (&visitor["email"], &visitor["rating"]),
        (&Value::Null, &json!("new"))
    );
    // They are in no list of those who are known.
    let known = api.get("/customers?identified=true").await.good(200);
    assert!(!ids(&known).contains(&"v-1".to_owned()));
}
