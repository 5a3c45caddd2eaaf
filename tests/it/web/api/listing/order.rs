//! The list of customers in an order, with what stands in each row.

use serde_json::{Value, json};

use super::super::defining;
use super::{Api, did, ids, listed, meeting};

/// Everybody in an order, one at a time, by addresses and by bodies alike.
async fn sorted(api: &Api, sort: &str) -> Vec<String> {
    let (mut query, mut seen) = (format!("sort={sort}&limit=1"), Vec::new());
    let mut body = json!({ "sort": sort, "limit": 1 });
    for _ in 0..20 {
        let page = api.get(&format!("/customers?{query}")).await.good(200);
        let same = api.post("/customers/search", body.clone()).await.good(200);
        assert_eq!(ids(&page), ids(&same), "{sort}");
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else {
            return seen;
        };
        query = format!("sort={sort}&limit=1&cursor={next}");
        body["cursor"] = same["next"].clone();
    }
    panic!("the list by {sort} does not end");
}

/// Ann, Bob and Cem, added and active in no common order.
async fn people() -> Api {
    let api = Api::start().await;
    for (id, last_name, zip) in [
        ("cem", "Özil", "20095"),
        ("ann", "Zola", "04109"),
        ("bob", "oak", "10115"),
    ] {
        let fields = json!({ "last_name": last_name, "zip": zip });
        api.customer(id, fields).await;
        api.site.pass(60);
    }
    did(&api, "bob", "login", "2026-01-07T08:00:00Z").await;
    did(&api, "ann", "transaction", "2026-01-06T08:00:00Z").await;
    did(&api, "cem", "transaction", "2025-12-06T08:00:00Z").await;
    api
}

#[tokio::test]
async fn everybody_is_sorted_by_their_latest_activity_from_either_end() {
    let api = people().await;
    let newest = ["bob", "ann", "cem", "ana"];
    assert_eq!(sorted(&api, "-last-activity").await, newest);
    // Who never did anything comes last from either end.
    let oldest = ["cem", "ann", "bob", "ana"];
    assert_eq!(sorted(&api, "last-activity").await, oldest);
    did(&api, "cem", "logout", "2026-01-08T08:00:00Z").await;
    let newest = ["cem", "bob", "ann", "ana"];
    assert_eq!(sorted(&api, "-last-activity").await, newest);
}

#[tokio::test]
async fn everybody_is_sorted_by_id_creation_transaction_or_any_field_from_either_end() {
    let api = people().await;
    for (sort, expected) in [
        ("id", ["ana", "ann", "bob", "cem"]),
        ("-id", ["cem", "bob", "ann", "ana"]),
        ("created", ["ana", "cem", "ann", "bob"]),
        ("-created", ["bob", "ann", "cem", "ana"]),
        ("last_name", ["bob", "cem", "ann", "ana"]),
        ("-last_name", ["ann", "cem", "bob", "ana"]),
        ("zip", ["ann", "bob", "cem", "ana"]),
        ("-zip", ["cem", "bob", "ann", "ana"]),
    ] {
        assert_eq!(sorted(&api, sort).await, expected, "{sort}");
    }
    let bought = sorted(&api, "-last-transaction").await;
    assert_eq!(bought[..2], ["ann", "cem"]);
    let bought = sorted(&api, "last-transaction").await;
    assert_eq!(bought[..2], ["cem", "ann"]);
}

#[tokio::test]
async fn the_list_shows_when_each_customer_was_last_active_as_soon_as_they_are() {
    let api = people().await;
    let last = async |id: &str| {
        let page = api.get("/customers").await.good(200);
        let rows = page["customers"].as_array().unwrap().iter();
        let mut of = rows.filter(|row| row["id"] == id);
        of.next().unwrap()["last_activity_at"].clone()
    };
    assert_eq!(last("bob").await, "2026-01-07T08:00:00Z");
    assert_eq!(last("ana").await, Value::Null);
    did(&api, "bob", "logout", "2026-01-09T09:00:00Z").await;
    assert_eq!(last("bob").await, "2026-01-09T09:00:00Z");
    // What is told late moves nobody back.
    did(&api, "bob", "logout", "2026-01-01T09:00:00Z").await;
    assert_eq!(last("bob").await, "2026-01-09T09:00:00Z");
    assert_eq!(last("ann").await, "2026-01-06T08:00:00Z");
}

#[tokio::test]
async fn customers_have_last_transactions_smart_lists_segments_activity_creation_tags_and_filters()
{
    let api = defining::start().await;
    api.post("/tags", json!({ "tag": "vip" })).await.good(201);
    let lyon = json!({ "field": "city", "is": "Lyon" });
    let smart = json!({ "name": "lyonnais", "where": lyon });
    api.post("/smart-lists", smart).await.good(201);
    let segment =
        json!({ "segment": "buyers", "where": { "last-transaction": { "exists": true } } });
    api.post("/segments", segment).await.good(201);
    api.customer("bob", json!({ "city": "Lyon" })).await;
    did(&api, "bob", "transaction", "2026-01-06T08:00:00Z").await;
    did(&api, "bob", "login", "2026-01-07T08:00:00Z").await;

    let page = api.get("/customers?segment=buyers").await.good(200);
    assert_eq!(ids(&page), ["bob"]);
    let bob = &page["customers"][0];
    assert_eq!(bob["last_transaction_at"], "2026-01-06T08:00:00Z");
    assert_eq!(bob["last_activity_at"], "2026-01-07T08:00:00Z");
    assert_eq!(bob["created_at"], "2026-01-09T10:30:00Z");
    assert_eq!(bob["tags"], json!([]));
    let whole = api.get("/customers/bob").await.good(200);
    assert_eq!(whole["last_transaction_at"], "2026-01-06T08:00:00Z");
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["last_transaction_at"], Value::Null);

    for (path, list, key, name) in [
        ("/smart-lists", "smart_lists", "name", "lyonnais"),
        ("/segments", "segments", "segment", "buyers"),
        ("/tags", "tags", "tag", "vip"),
    ] {
        let section = api.get(path).await.good(200);
        let names = section[list].as_array().unwrap().iter();
        assert!(names.map(|one| &one[key]).any(|known| known == name));
    }
    assert_eq!(listed(&api, "segment=lyonnais").await, ["bob"]);
    assert!(listed(&api, "tag=vip").await.is_empty());
    let old = json!({ "created": { "before": "01.01.2000" } });
    assert_eq!(meeting(&api, &old).await, ["ana"]);
}
