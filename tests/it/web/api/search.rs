//! Finding customers by text and conditions, in an order, and counting them.

use std::fmt::Write as _;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::interaction::{Interaction, Kind};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::rig::Api;

const DAY: i64 = 86_400;

fn ids(page: &Value) -> Vec<&str> {
    let customers = page["customers"].as_array().unwrap();
    let ids = customers
        .iter()
        .map(|customer| customer["id"].as_str().unwrap());
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids
}

/// Who meets the condition, by the address and by a body, and as many are counted.
async fn meeting(api: &Api, condition: &Value) -> Vec<String> {
    let mut written = String::new();
    for byte in condition.to_string().bytes() {
        write!(written, "%{byte:02X}").unwrap();
    }
    let by_address = api
        .get(&format!("/customers?where={written}"))
        .await
        .good(200);
    let body = json!({ "where": condition });
    let by_body = api.post("/customers/search", body).await.good(200);
    let count = api
        .get(&format!("/customers/count?where={written}"))
        .await
        .good(200);
    assert_eq!(ids(&by_address), ids(&by_body), "{condition}");
    assert_eq!(count["count"], ids(&by_body).len(), "{condition}");
    ids(&by_body).into_iter().map(str::to_owned).collect()
}

/// Ana since the 9th, Ben since the 19th, Cid since the 29th of January, when it is.
async fn bank() -> Api {
    let api = Api::start().await;
    let ana = json!({"first_name": "Ana", "last_name": "Silva", "city": "São Paulo", "region": "SP",
        "zip": "04400", "company": "Acme Bank"});
    api.patch("/customers/ana", json!({ "fields": ana }))
        .await
        .good(200);
    api.site.pass(10 * DAY);
    let ben = json!({"first_name": "Benedikt", "last_name": "Anders", "city": "Paulinia", "zip": "13140",
        "email": "ben@example.com", "phone": "+1 555 0100", "products": ["loan"]});
    api.customer("ben", ben).await;
    api.site.pass(10 * DAY);
    api.customer("cid", json!({"company": "Bank of Rome"}))
        .await;
    let store = &api.site.store;
    let now = api.site.clock_now();
    let ago = |days: i64| SignedDuration::from_hours(24 * days);
    let id = |name: &'static str| async move { store.customer_id(name).await.unwrap().unwrap() };
    let (ana, ben) = (id("ana").await, id("ben").await);
    let conversion = Interaction {
        campaign: Some("gold-card".to_owned()),
        ..Interaction::new(ben, now - ago(5), Kind::Conversion)
    };
    let transaction = Interaction::new(ana, now - ago(3), Kind::Transaction);
    store.record(&[conversion, transaction]).await.unwrap();
    api.index().await;
    api
}

#[tokio::test]
async fn every_filter_finds_whom_it_says() {
    let api = bank().await;
    for (condition, expected) in [
        (
            json!({"did": "conversion", "campaign": "gold-card"}),
            vec!["ben"],
        ),
        (json!({"segment": "new-members"}), vec![]),
        (json!({"status": "active"}), vec!["ana", "ben", "cid"]),
        (json!({"rating": "inactive"}), vec!["cid"]),
        (
            json!({"field": "products", "includes": "LOAN"}),
            vec!["ben"],
        ),
        (json!({"field": "id", "in": ["cid", "nobody"]}), vec!["cid"]),
    ] {
        assert_eq!(meeting(&api, &condition).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn agreements_are_a_filter_for_each_channel() {
    let api = bank().await;
    let body = json!({"email": "subscribed", "sms": "opted-in", "push": "subscribed"});
    let answer = api.put("/customers/ben/consents", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for channel in Channel::ALL {
        let condition = json!({"consent": {channel.as_str(): "opted-in"}});
        let expected: &[&str] = if channel == Channel::Sms {
            &["ben"]
        } else {
            &[]
        };
        assert_eq!(meeting(&api, &condition).await, expected, "{channel}");
    }
}

#[tokio::test]
async fn text_and_filters_go_together_and_all_must_be_met() {
    let api = bank().await;
    for (query, expected) in [
        ("text=an", vec!["ana", "ben"]),
        ("text=an&converted=gold-card", vec!["ben"]),
        ("text=bank&rating=inactive", vec!["cid"]),
        ("text=555-0100", vec!["ben"]),
        (
            "text=bank%20acme&status=active&identified=true",
            vec!["ana"],
        ),
        ("text=ana&tag=vip", vec![]),
        ("segment=new-members&text=ana", vec![]),
        ("identified=false", vec![]),
        (
            "text=loan&where=%7B%22field%22:%22zip%22,%22exists%22:true%7D",
            vec!["ben"],
        ),
    ] {
        let page = api.get(&format!("/customers?{query}")).await.good(200);
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["indexing"], 0, "{query}");
        let count = api
            .get(&format!("/customers/count?{query}"))
            .await
            .good(200);
        assert_eq!(count["count"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn a_row_shows_who_it_is_and_the_chosen_fields() {
    let api = bank().await;
    let page = api
        .get("/customers?text=ben&fields=zip,city")
        .await
        .good(200);
    let row = &page["customers"][0];
    assert_eq!(row["fields"], json!({"city": "Paulinia", "zip": "13140"}));
    for (key, value) in [
        ("name", json!("Benedikt Anders")),
        ("email", json!("ben@example.com")),
        ("phone", json!("+15550100")),
        ("status", json!("active")),
        ("rating", json!("new")),
        ("tags", json!([])),
        ("created_at", json!("2026-01-19T10:30:00Z")),
        ("last_activity_at", json!("2026-01-24T10:30:00Z")),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let page = api.get("/customers?text=cid").await.good(200);
    assert_eq!(page["customers"][0]["name"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_is_named_where_it_is() {
    let api = bank().await;
    let long = format!("text={}", "x".repeat(201));
    for (query, told) in [
        (
            "sort=lastname",
            "`sort`: unknown order `lastname`: did you mean `last_name`?",
        ),
        (
            "fields=city,zipp",
            "`fields`: unknown field `zipp`: did you mean `zip`?",
        ),
        ("segment=new-member", "`segment`: unknown segment"),
        ("converted=gold", "`converted`: unknown campaign"),
        ("tag=a%00", "`tag`: holds a control character"),
        ("where=x", "`where` is no JSON"),
        (
            "where=%7B%22field%22:%22citty%22,%22is%22:%22x%22%7D",
            "`where` at `/field`",
        ),
        ("where=%7B%7D", "`where`: this condition asks nothing"),
        ("status=gone", "status"),
        (long.as_str(), "`text`: has 201 characters: at most 200"),
    ] {
        let answer = api.get(&format!("/customers?{query}")).await;
        let problem = answer.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{query}: {detail}");
    }
    for (body, field) in [
        (json!({"sort": "x"}), "/sort"),
        (json!({"fields": ["x"]}), "/fields"),
        (json!({"text": "a\nb"}), "/text"),
        (json!({"limit": 0}), "/limit"),
        (
            json!({"where": {"all": [{"tag": "vip"}, {"segment": "x"}]}}),
            "/where/all/1/segment",
        ),
        (json!({"where": [1]}), "/where"),
        (json!({"rating": "old"}), "/rating"),
        (json!({"wher": 1}), ""),
    ] {
        let answer = api.post("/customers/search", body.clone()).await;
        answer.problem(422, "invalid");
        assert!(
            answer.fields()[0].starts_with(field),
            "{body}: {:?}",
            answer.fields()
        );
    }
    let first = api
        .post("/customers/search", json!({"limit": 1}))
        .await
        .good(200);
    let other = json!({"limit": 1, "tag": "vip", "cursor": first["next"]});
    api.post("/customers/search", other)
        .await
        .problem(400, "bad-cursor");
}

#[tokio::test]
async fn a_condition_is_counted_part_by_part_with_its_words() {
    let api = bank().await;
    let parts =
        json!([{"field": "first_name", "exists": true}, {"field": "zip", "starts-with": "1"}]);
    let counted = api
        .post("/segments/count", json!({"where": {"all": parts}}))
        .await;
    assert_eq!(
        counted.good(200),
        json!({
            "words": "First name is known and Zip code starts with “1”",
            "everybody": 3,
            "count": 1,
            "steps": [
                {"words": "First name is known", "count": 2},
                {"words": "Zip code starts with “1”", "count": 1},
            ],
        })
    );
    let nothing = api.post("/segments/count", json!({})).await.good(200);
    assert_eq!(
        (&nothing["count"], &nothing["steps"]),
        (&json!(3), &json!([]))
    );
    let one = json!({"where": {"identified": true}});
    assert_eq!(
        api.post("/segments/count", one).await.good(200)["steps"][0]["count"],
        3
    );
    let wrong = json!({"where": {"not": {"field": "zipp", "is": "1"}}});
    let answer = api.post("/segments/count", wrong).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/where/not/field"]);
}

#[tokio::test]
async fn a_fixed_list_and_the_last_score_are_known_to_rows_filters_and_jobs() {
    let api = Api::start().await;
    for id in ["ben", "cid"] {
        api.customer(id, json!({"city": "Lyon"})).await;
    }
    let fair = json!({"list": "fair"});
    api.post("/lists", fair).await.good(201);
    let put = json!({"add": ["ben"]});
    api.post("/lists/fair/members", put).await.good(200);
    let answer = json!({"id": "1", "kind": "nps-answered", "customer": "ben", "nps": {"score": 9}});
    let answer = json!({ "interactions": [answer] });
    api.post("/interactions", answer).await.good(200);
    let page = api.get("/customers?list=fair").await.good(200);
    assert_eq!(
        (ids(&page), &page["customers"][0]["nps"]),
        (vec!["ben"], &json!(9))
    );
    let on_it = json!({"list": "fair"});
    assert_eq!(meeting(&api, &on_it).await, ["ben"]);
    let shown = api.get("/customers/ben").await.good(200);
    assert_eq!(shown["lists"], json!(["fair"]));
    let counted = api.post("/segments/count", json!({"where": on_it})).await;
    assert_eq!(counted.good(200)["count"], 1);
    let order = json!({"kind": "suspend", "selection": {"where": {"all": [on_it]}}});
    let trial = api.post("/jobs?dry-run=true", order).await.good(200);
    assert_eq!(trial["customers"], 1, "{trial}");
    let wrong = json!({"kind": "suspend", "selection": {"where": {"field": "citty", "is": "x"}}});
    let answer = api.post("/jobs", wrong).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/selection/where/field"]);
}
