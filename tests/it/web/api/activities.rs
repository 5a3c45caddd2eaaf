//! What the history of a customer comes to, page by page.

use serde_json::{Value, json};

use super::rig::Api;

async fn told(api: &Api, interactions: Value) {
    let body = json!({ "interactions": interactions });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(result["recorded"], result["read"], "{result}");
}

/// Everything of a list, three at a time; no page is like another.
async fn all(api: &Api, path: &str, list: &str) -> Vec<Value> {
    let (mut query, mut seen) = ("limit=3".to_owned(), Vec::new());
    for _ in 0..20 {
        let page = api.get(&format!("{path}?{query}")).await.good(200);
        seen.extend(page[list].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            return seen;
        };
        query = format!("limit=3&cursor={next}");
    }
    panic!("{path} does not end");
}

#[tokio::test]
async fn items_and_transactions_come_page_by_page_without_a_gap() {
    let api = Api::start().await;
    let hour = |n: i32| format!("2026-01-05T{n:02}:00:00Z");
    let touched = (0..7).map(|n| {
        json!({ "id": format!("i{n}"), "kind": "item-touched", "customer": "ana", "at": hour(n / 2),
            "item": { "sku": format!("s{n}"), "name": "Loan" } })
    });
    // Two of each instant.
    let bought = (0..8).map(|n| {
        json!({ "id": format!("t{n}"), "kind": "transaction", "customer": "ana", "at": hour(n / 2),
            "transaction": { "amount": "0.10", "currency": "EUR", "reason": n.to_string(), "items": [{ "sku": "s1" }] } })
    });
    told(&api, touched.chain(bought).collect()).await;
    let items = all(&api, "/customers/ana/items", "items").await;
    let skus: Vec<&str> = items
        .iter()
        .map(|item| item["sku"].as_str().unwrap())
        .collect();
    assert_eq!(skus, ["s1", "s6", "s4", "s5", "s2", "s3", "s0"]);
    assert_eq!(
        (&items[0]["times"], &items[0]["bought"]),
        (&json!(9), &json!(8))
    );
    let transactions = all(&api, "/customers/ana/transactions", "transactions").await;
    let whole = api.get("/customers/ana/transactions").await.good(200);
    assert_eq!(whole["transactions"], json!(transactions));
    let mut reasons: Vec<&str> = transactions
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    let total = json!([{ "currency": "EUR", "count": 8, "amount": "0.80" }]);
    assert_eq!(whole["totals"], total);
    let campaigns = all(&api, "/customers/ana/campaigns", "campaigns").await;
    let ids: Vec<&str> = campaigns
        .iter()
        .map(|one| one["campaign"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted() && ids.len() >= 2, "{ids:?}");
    assert!(all(&api, "/customers/ana/ahead", "ahead").await.is_empty());
    assert!(
        all(&api, "/customers/ana/messages", "messages")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn sums_say_what_came_back_on_each_channel() {
    let api = Api::start().await;
    let did = |id: &str, kind: &str, channel: &str| json!({ "id": id, "kind": kind, "customer": "ana", "channel": channel });
    told(
        &api,
        json!([
            did("1", "email-opened", "email"),
            did("2", "email-opened", "email"),
            did("3", "email-clicked", "email"),
            { "id": "4", "kind": "conversion", "customer": "ana", "campaign": "gold-card", "channel": "push" },
            { "id": "5", "kind": "login", "customer": "ana" },
        ]),
    )
    .await;
    let totals = api.get("/customers/ana/totals").await.good(200);
    assert_eq!(
        (&totals["email"]["opened"], &totals["email"]["clicked"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(totals["email"]["interactions"], 3);
    assert_eq!(totals["push"]["conversions"], 1);
    assert_eq!(
        (&totals["interactions"], &totals["conversions"]),
        (&json!(5), &json!(1))
    );
    let several = api
        .get("/customers/ana/interactions?kind=login,email-clicked")
        .await
        .good(200);
    assert_eq!(several["interactions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_campaign_is_picked_by_its_name_and_an_unknown_one_says_so() {
    let api = Api::start().await;
    api.post(
        "/customers/ana/dismissals",
        json!({ "campaign": "gold-card" }),
    )
    .await
    .good(200);
    let gold = api
        .get("/customers/ana/campaigns/gold-card")
        .await
        .good(200);
    assert_eq!(gold["campaign"], "gold-card");
    assert_eq!(gold["interactions"][0]["kind"], "dismissal");
    let flow = api
        .get("/customers/ana/campaigns/new-member-onboarding")
        .await
        .good(200);
    assert_eq!(
        (&flow["kind"], &flow["qualifies"]),
        (&json!("flow"), &json!(false))
    );
    assert_eq!(flow["conditions"][0]["met"], false);
    api.get("/customers/ana/campaigns/nothing")
        .await
        .problem(404, "not-found");
    api.get("/customers/nobody/campaigns")
        .await
        .problem(404, "not-found");
    api.get("/customers/nobody/ahead")
        .await
        .problem(404, "not-found");
}
