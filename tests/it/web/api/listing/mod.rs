//! Owns what the tests of the list of customers share: asking it, and what customers are told to have done.

mod belonging;
mod moments;
mod order;
mod texts;

use serde_json::{Value, json};

use super::rig::Api;

/// The ids of a page, in its order.
fn ids(page: &Value) -> Vec<String> {
    let customers = page["customers"].as_array().unwrap().iter();
    let ids = customers.map(|customer| customer["id"].as_str().unwrap().to_owned());
    ids.collect()
}

/// Whom a search by a body finds, in the order of their ids.
async fn found(api: &Api, body: Value) -> Vec<String> {
    let mut ids = ids(&api.post("/customers/search", body).await.good(200));
    ids.sort_unstable();
    ids
}

/// Who meets a condition; as many are counted.
async fn meeting(api: &Api, condition: &Value) -> Vec<String> {
    let body = json!({ "where": condition });
    let counted = api.post("/segments/count", body.clone()).await.good(200);
    let found = found(api, body).await;
    assert_eq!(counted["count"], found.len(), "{condition}");
    found
}

/// Whom the list shows under these parameters, in the order of their ids; as many are counted.
async fn listed(api: &Api, query: &str) -> Vec<String> {
    let page = api.get(&format!("/customers?{query}")).await.good(200);
    let counted = api.get(&format!("/customers/count?{query}")).await;
    let mut ids = ids(&page);
    ids.sort_unstable();
    assert_eq!(counted.good(200)["count"], ids.len(), "{query}");
    ids
}

/// Tells of one interaction of a kind of one customer.
async fn did(api: &Api, customer: &str, kind: &str, at: &str) {
    let mut one =
        json!({ "id": format!("{kind}-{at}"), "kind": kind, "customer": customer, "at": at });
    if kind == "transaction" {
        one["transaction"] = json!({ "amount": "9.90", "currency": "EUR" });
    }
    let told = api.post("/interactions", json!({ "interactions": [one] }));
    assert_eq!(told.await.good(200)["recorded"], 1);
}
