//! Owns a small bank of files for tests of the API, and short ways to ask it.

use reqwest::Url;
use serde_json::{Value, json};

use super::rig::Api;

const SETTINGS: &str = "workspace: lakeside\n";
const BANK: &str = r#"
customers:
  fields:
    joined_on: { description: Joined on, type: date }
    points: { description: Points, type: integer }
    balance: { description: Balance, type: number }
    tier: { description: Tier, type: choice, choices: [silver, gold] }
    products: { description: Products, type: text, cardinality: many }
  tags: { vip: {}, guest: {} }
---
policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { credit-cards: Credit cards, loans: Loans }
  groups: { retail: Retail banking }
---
segment: in-lyon
where: { field: city, is: Lyon }
---
segment: important
where: { all: [ { segment: in-lyon }, { tag: vip } ] }
---
campaign: gold-card
name: Gold Card
category: credit-cards
group: retail
segment: important
communications: { offer: { push: { title: An offer, body: Look } } }
---
campaign: home-loan
name: Home loan
category: loans
group: retail
segment: in-lyon
communications: { offer: { push: { title: A home, body: Look } } }
---
campaign: statements
name: Statements
category: credit-cards
group: retail
communications: { note: { push: { title: A statement, body: Look } } }
"#;

/// The bank with Ana, of whom the first name is known.
pub(super) async fn lakeside() -> Api {
    Api::start_on(&[("drumbeat.yaml", SETTINGS), ("bank.yaml", BANK)]).await
}

/// Records what customers did.
pub(super) async fn told(api: &Api, interactions: Value) {
    let body = json!({ "interactions": interactions });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(result["recorded"], result["read"], "{result}");
}

/// Sets fields of a customer, who is made when missing.
pub(super) async fn set(api: &Api, id: &str, fields: Value) {
    let path = format!("/customers/{id}");
    let answer = api.patch(&path, json!({ "fields": fields })).await;
    if answer.status == 404 {
        return api.customer(id, fields).await;
    }
    answer.good(200);
}

/// Puts a tag on customers, as a job does.
pub(super) async fn tag(api: &Api, tag: &str, ids: &[&str]) {
    let order = json!({ "kind": "add-tags", "tags": [tag], "selection": { "ids": ids } });
    did(api, order).await;
}

/// Queues a job, carries it out, and tells how it ended.
pub(super) async fn did(api: &Api, order: Value) -> Value {
    let job = api.post("/jobs", order).await.good(202);
    api.work(&job).await;
    let done = api.get(&format!("/jobs/{}", job["job"])).await.good(200);
    assert_eq!(done["state"], "done", "{done}");
    done
}

/// The ids of those who are found, in the order in which they come; as many are counted.
pub(super) async fn found(api: &Api, query: &[(&str, &str)]) -> Vec<String> {
    let asked = Url::parse_with_params("http://127.0.0.1", query).unwrap();
    let asked = asked.query().unwrap();
    let page = api.get(&format!("/customers?{asked}")).await.good(200);
    let count = api
        .get(&format!("/customers/count?{asked}"))
        .await
        .good(200);
    let ids = ids(&page);
    assert_eq!(count["count"], ids.len(), "{query:?}");
    ids
}

pub(super) fn ids(page: &Value) -> Vec<String> {
    let customers = page["customers"].as_array().unwrap().iter();
    let id = |customer: &Value| customer["id"].as_str().unwrap().to_owned();
    customers.map(id).collect()
}

/// The same, sorted.
pub(super) async fn among(api: &Api, query: &[(&str, &str)]) -> Vec<String> {
    let mut ids = found(api, query).await;
    ids.sort_unstable();
    ids
}
