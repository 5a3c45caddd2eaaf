//! The rating of customers by the days since their last activity, in profiles, lists and counts alike.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::rig::Api;

/// Customers who were last active so many days ago, each with an id that says so; Ana never was.
async fn active(days: &[i64]) -> Api {
    let api = Api::start().await;
    for ago in days {
        let id = format!("{ago:03}");
        api.customer(&id, json!({})).await;
        let at = api.site.clock_now() - SignedDuration::from_hours(24 * ago);
        let one = json!({ "id": "1", "kind": "login", "customer": id, "at": at });
        let told = api.post("/interactions", json!({ "interactions": [one] }));
        assert_eq!(told.await.good(200)["recorded"], 1);
    }
    api
}

/// Who has a rating, by the list, by the profiles and by the counts.
async fn rated(api: &Api, rating: &str) -> Vec<String> {
    let page = api
        .get(&format!("/customers?rating={rating}&sort=id"))
        .await;
    let page = page.good(200);
    let customers = page["customers"].as_array().unwrap().iter();
    let ids: Vec<String> = customers
        .map(|customer| customer["id"].as_str().unwrap().to_owned())
        .collect();
    let everybody = api.get("/customers").await.good(200);
    for customer in everybody["customers"].as_array().unwrap() {
        let id = customer["id"].as_str().unwrap();
        let shown = api.get(&format!("/customers/{id}")).await.good(200);
        let is_so = shown["rating"] == rating;
        assert_eq!(is_so, ids.iter().any(|known| known == id), "{id}");
    }
    let counts = api.get("/ratings").await.good(200);
    let counts = counts["ratings"].as_array().unwrap();
    let of = |count: &&Value| count["rating"] == rating;
    let count = counts.iter().find(of).unwrap();
    assert_eq!(count["customers"], ids.len(), "{rating}");
    ids
}

#[tokio::test]
async fn the_counts_of_new_frequent_dormant_and_inactive_contacts_each_open_their_list() {
    let api = active(&[1, 2, 3, 20, 30, 60, 200]).await;
    let waits = json!({ "status": "suspended" });
    api.put("/customers/003/status", waits).await.good(200);
    let counts = api.get("/ratings").await.good(200);
    let counts = counts["ratings"].as_array().unwrap().iter();
    let mut told = Vec::new();
    for count in counts {
        let rating = count["rating"].as_str().unwrap();
        let query = format!("rating={rating}&status=active");
        let listed = api.get(&format!("/customers?{query}")).await.good(200);
        let listed = listed["customers"].as_array().unwrap();
        assert!(listed.iter().all(|one| one["rating"] == rating));
        assert_eq!(count["customers"], listed.len(), "{rating}");
        told.push((rating.to_owned(), listed.len()));
    }
    let expected = [
        ("new", 2),
        ("frequent", 2),
        ("dormant", 1),
        ("expired", 1),
        ("inactive", 1),
        ("discarded", 0),
    ];
    assert_eq!(
        told,
        expected.map(|(rating, count)| (rating.to_owned(), count))
    );
}

#[tokio::test]
async fn who_was_active_in_the_last_fifteen_days_is_rated_new() {
    let api = active(&[0, 15, 16]).await;
    assert_eq!(rated(&api, "new").await, ["000", "015"]);
    api.site.pass(86_400);
    assert_eq!(rated(&api, "new").await, ["000"]);
}

#[tokio::test]
async fn whose_last_activity_was_16_to_45_days_ago_is_rated_frequent() {
    let api = active(&[15, 16, 45, 46]).await;
    assert_eq!(rated(&api, "frequent").await, ["016", "045"]);
    api.site.pass(86_400);
    assert_eq!(rated(&api, "frequent").await, ["015", "016"]);
}

#[tokio::test]
async fn whose_last_activity_was_46_to_120_days_ago_is_rated_dormant() {
    let api = active(&[45, 46, 120, 121]).await;
    assert_eq!(rated(&api, "dormant").await, ["046", "120"]);
    api.site.pass(86_400);
    assert_eq!(rated(&api, "dormant").await, ["045", "046"]);
    assert_eq!(rated(&api, "expired").await, ["120", "121"]);
}

#[tokio::test]
async fn of_whom_no_activity_was_ever_recorded_is_rated_inactive() {
    let api = active(&[0, 4_000]).await;
    // What people change about somebody is no activity of theirs.
    let city = json!({ "fields": { "city": "Lyon" } });
    api.patch("/customers/ana", city).await.good(200);
    let note = json!({ "body": "called" });
    api.post("/customers/ana/notes", note).await.good(201);
    assert_eq!(rated(&api, "inactive").await, ["ana"]);
    api.site.pass(400 * 86_400);
    assert_eq!(rated(&api, "inactive").await, ["ana"]);
    let login = json!({ "id": "1", "kind": "login", "customer": "ana" });
    api.post("/interactions", json!({ "interactions": [login] }))
        .await
        .good(200);
    assert!(rated(&api, "inactive").await.is_empty());
}
