//! Customers: added, shown, edited, deleted, found, and listed page by page.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn ids(page: &Value) -> Vec<String> {
    let customers = page["customers"].as_array().unwrap();
    let id = |customer: &Value| customer["id"].as_str().unwrap().to_owned();
    customers.iter().map(id).collect()
}

#[tokio::test]
async fn a_customer_is_added_shown_edited_and_deleted() {
    let api = Api::start().await;
    let fields = json!({"city": "Lyon", "products": ["a;b", "loan"], "phone": "+1 555 0100"});
    let answer = api
        .post("/customers", json!({"id": " a/b ñ ", "fields": fields}))
        .await;
    let added = json!({"customer": "a/b ñ", "created": true, "changed": true});
    assert_eq!(answer.good(201), added);
    assert_eq!(
        answer.header("location"),
        "/api/v1/customers/a%2Fb%20%C3%B1"
    );
    let path = answer.header("location").strip_prefix("/api/v1").unwrap();

    let shown = api.get(path).await.good(200);
    assert_eq!(shown["id"], "a/b ñ");
    assert_eq!(shown["fields"]["products"], json!(["a;b", "loan"]));
    assert_eq!(shown["fields"]["phone"], "+15550100");
    assert_eq!(shown["status"], "active");
    assert_eq!(
        shown["totals"],
        json!({"interactions": 0, "conversions": 0})
    );

    let patch = json!({"fields": {"city": null, "products": "card"}});
    let edited = api.patch(path, patch.clone()).await.good(200);
    assert_eq!(
        edited,
        json!({"customer": "a/b ñ", "created": false, "changed": true})
    );
    assert_eq!(api.patch(path, patch).await.good(200)["changed"], false);
    let shown = api.get(path).await.good(200);
    assert_eq!(shown["fields"]["products"], json!(["card"]));
    assert!(shown["fields"].get("city").is_none());

    api.delete(path).await.good(204);
    api.get(path).await.problem(404, "not-found");
    api.delete(path).await.problem(404, "not-found");
    let patch = json!({"fields": {}});
    api.patch(path, patch).await.problem(404, "not-found");
}

#[tokio::test]
async fn adding_somebody_who_is_there_changes_them() {
    let api = Api::start().await;
    let body = json!({"id": "ana", "fields": {"city": "Lyon"}});
    let changed = api.post("/customers", body.clone()).await.good(200);
    assert_eq!(
        changed,
        json!({"customer": "ana", "created": false, "changed": true})
    );
    let again = api.post("/customers", body).await.good(200);
    assert_eq!(again["changed"], false);
    let shown = api.get("/customers/ana").await.good(200);
    assert_eq!(
        shown["fields"],
        json!({"city": "Lyon", "first_name": "Ana"})
    );
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let api = Api::start().await;
    let fields = json!({"email": "nobody", "citty": "Lyon", "city": ["a"], "first_name": "a\nb"});
    let answer = api
        .post("/customers", json!({"id": "", "fields": fields}))
        .await;
    let problem = answer.problem(422, "invalid");
    let wrong = [
        "/id",
        "/fields/email",
        "/fields/citty",
        "/fields/city",
        "/fields/first_name",
    ];
    assert_eq!(answer.fields(), wrong);
    let citty = problem["errors"][2]["message"].as_str().unwrap();
    assert_eq!(citty, "unknown field `citty`: did you mean `city`?");
    let answer = api
        .patch("/customers/ana", json!({"fields": {"email": 1}}))
        .await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/fields/email"]);
}

#[tokio::test]
async fn everybody_is_listed_once_whatever_the_page() {
    let api = Api::start().await;
    for n in 0..7 {
        api.customer(&format!("c{n}"), json!({})).await;
    }
    let whole = ids(&api.get("/customers").await.good(200));
    assert_eq!(whole.len(), 8);
    for limit in [1, 3, 8] {
        let (mut path, mut seen) = (format!("/customers?limit={limit}"), Vec::new());
        loop {
            let answer = api.get(&path).await;
            let page = answer.good(200);
            assert!(ids(&page).len() <= limit);
            seen.extend(ids(&page));
            let Some(next) = page["next"].as_str() else {
                assert!(answer.headers.get("link").is_none());
                break;
            };
            let link = format!("</api/v1/customers?limit={limit}&cursor={next}>; rel=\"next\"");
            assert_eq!(answer.header("link"), link);
            path = format!("/customers?limit={limit}&cursor={next}");
        }
        assert_eq!(seen, whole);
    }
}

#[tokio::test]
async fn the_exact_id_is_found_first_and_pages_go_on_after_it() {
    let api = Api::start().await;
    for (id, name) in [("anabel", "Zoe"), ("x1", "Ánabella"), ("x2", "Bo")] {
        api.customer(id, json!({"first_name": name})).await;
    }
    let early = api.get("/customers?text=ana").await.good(200);
    assert_eq!(
        (ids(&early), early["indexing"].as_u64() > Some(0)),
        (vec!["ana".to_owned()], true)
    );
    api.index().await;
    let found = api.get("/customers?text=%20ana%20").await.good(200);
    assert_eq!(ids(&found)[0], "ana");
    assert_eq!(sorted(ids(&found)), ["ana", "anabel", "x1"]);
    let (mut path, mut seen) = ("/customers?text=ana&limit=1".to_owned(), Vec::new());
    while seen.len() < 3 {
        let page = api.get(&path).await.good(200);
        seen.extend(ids(&page));
        let next = page["next"].as_str().unwrap_or_default();
        path = format!("/customers?text=ana&limit=1&cursor={next}");
    }
    assert_eq!(seen, ids(&found));
    let none = api.get("/customers?text=%25").await.good(200);
    assert!(ids(&none).is_empty());
}

#[tokio::test]
async fn a_cursor_is_of_its_list_and_a_limit_within_its_bounds() {
    let api = Api::start().await;
    api.customer("eva", json!({})).await;
    let page = api.get("/customers?limit=1").await.good(200);
    let next = page["next"].as_str().unwrap().to_owned();
    let other = api.get(&format!("/customers?text=e&cursor={next}")).await;
    other.problem(400, "bad-cursor");
    for damaged in ["x", "", &next[1..], &format!("{next}AAAA")] {
        let answer = api.get(&format!("/customers?cursor={damaged}")).await;
        answer.problem(400, "bad-cursor");
    }
    for query in ["limit=0", "limit=1001", "limit=x", "limitt=1", "text=%00"] {
        let answer = api.get(&format!("/customers?{query}")).await;
        answer.problem(400, "bad-request");
    }
}

#[tokio::test]
async fn a_name_that_nothing_can_have_is_not_found() {
    let api = Api::start().await;
    for id in ["%00", "a%0Ab"] {
        let path = format!("/customers/{id}");
        api.get(&path).await.problem(404, "not-found");
    }
    let answer = api.get("/customers/%FF").await;
    answer.problem(400, "bad-request");
}

#[tokio::test]
async fn deleting_leaves_nothing_in_the_lists() {
    let api = Api::start().await;
    api.delete("/customers/ana").await.good(204);
    let left: BTreeSet<String> = ids(&api.get("/customers").await.good(200))
        .into_iter()
        .collect();
    assert!(left.is_empty());
    let gone = api.request(Method::GET, "/customers/ana/interactions");
    api.send(gone).await.problem(404, "not-found");
}
