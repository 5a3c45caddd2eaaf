//! What customers did, told by other systems: each once, each with its result.

use reqwest::Method;
use serde_json::{Value, json};

use super::rig::Api;

async fn told(api: &Api, interactions: Value) -> Value {
    let body = json!({ "interactions": interactions });
    api.post("/interactions", body).await.good(200)
}

fn outcomes(result: &Value) -> Vec<&str> {
    let results = result["results"].as_array().unwrap().iter();
    results
        .map(|one| one["outcome"].as_str().unwrap())
        .collect()
}

async fn lines(api: &Api, customer: &str) -> Vec<Value> {
    let page = api
        .get(&format!("/customers/{customer}/interactions"))
        .await;
    page.good(200)["interactions"].as_array().unwrap().clone()
}

/// One of each kind, with what belongs to it.
fn every_kind() -> Vec<Value> {
    let of = |kind: &str, part: Value| {
        let mut entry = json!({ "id": format!("1-{kind}"), "kind": kind, "customer": "ana" });
        for (name, value) in part.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    };
    vec![
        of(
            "login",
            json!({ "environment": { "ip": "192.0.2.1", "browser": "Firefox" } }),
        ),
        of("logout", json!({})),
        of(
            "page-visited",
            json!({ "page": { "url": "https://bank.example/loans", "title": "Loans", "referrer": "https://bank.example/" } }),
        ),
        of(
            "banner-clicked",
            json!({ "banner": "spring", "campaign": "gold-card" }),
        ),
        of("popup-viewed", json!({ "popup": "newsletter" })),
        of(
            "conversion",
            json!({ "campaign": "gold-card", "value": { "amount": "120.00", "currency": "EUR" } }),
        ),
        of(
            "conversion",
            json!({ "id": "2-conversion", "campaign": "gold-card" }),
        ),
        of(
            "transaction",
            json!({ "transaction": { "amount": 12.5, "currency": "EUR", "place": "Lyon", "reason": "card", "items": [{ "sku": "a" }] } }),
        ),
        of(
            "nps-answered",
            json!({ "nps": { "score": 9, "comment": "quick", "question": "Would you recommend us?" } }),
        ),
        of(
            "item-touched",
            json!({ "item": { "sku": "loan-5y", "name": "Loan", "category": "loans" } }),
        ),
        of("shop-visited", json!({ "shop": "Lyon 3" })),
        of(
            "beacon-contacted",
            json!({ "beacon": { "id": "door", "medium": "wifi" } }),
        ),
        of("cookies-chosen", json!({ "cookies": { "granted": true } })),
        of(
            "email-opened",
            json!({ "flow": "new-member-onboarding", "step": "welcome", "channel": "email" }),
        ),
        of("email-clicked", json!({ "channel": "email" })),
        of("sms-clicked", json!({ "channel": "sms" })),
        of("push-opened", json!({ "channel": "push" })),
        of("push-dismissed", json!({ "channel": "push" })),
        of("dismissal", json!({ "campaign": "gold-card" })),
    ]
}

#[tokio::test]
async fn every_kind_is_recorded_with_what_belongs_to_it() {
    let api = Api::start().await;
    let all = every_kind();
    let result = told(&api, json!(all)).await;
    assert_eq!(result["recorded"], all.len(), "{result}");
    let lines = lines(&api, "ana").await;
    let line = |kind: &str| {
        let line = lines.iter().find(|line| line["kind"] == kind);
        line.unwrap_or_else(|| panic!("no {kind}: {lines:?}"))
            .clone()
    };
    assert_eq!(line("page-visited")["detail"]["page"]["title"], "Loans");
    assert_eq!(line("banner-clicked")["detail"]["banner"], "spring");
    assert_eq!(line("popup-viewed")["detail"]["popup"], "newsletter");
    let transaction = line("transaction");
    let amount = json!({ "minor": 125, "scale": 1, "currency": "EUR" });
    assert_eq!(transaction["detail"]["transaction"]["amount"], amount);
    assert_eq!(transaction["detail"]["transaction"]["place"], "Lyon");
    assert_eq!(transaction["actor"], "root");
    assert_eq!(transaction["detail"]["source"], "api");
    assert_eq!(line("nps-answered")["detail"]["nps"]["score"], 9);
    assert_eq!(
        line("beacon-contacted")["detail"]["beacon"]["medium"],
        "wifi"
    );
    assert_eq!(line("push-dismissed")["direction"], "inbound");
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["dismissals"][0]["campaign"], "gold-card");
    assert_eq!(ana["totals"]["conversions"], 2);
    assert!(ana["last_activity_at"].is_string());
}

#[tokio::test]
async fn what_is_sent_again_is_a_duplicate() {
    let api = Api::start().await;
    let all = json!(every_kind());
    told(&api, all.clone()).await;
    let before = lines(&api, "ana").await;
    let again = told(&api, all).await;
    assert_eq!(again["duplicate"], again["read"], "{again}");
    assert_eq!(lines(&api, "ana").await, before);
    let twice = json!([
        { "id": "x", "kind": "login", "customer": "ana" },
        { "id": "x", "kind": "logout", "customer": "ana" },
    ]);
    let result = told(&api, twice).await;
    assert_eq!(outcomes(&result), ["recorded", "duplicate"]);
}

#[tokio::test]
async fn each_interaction_has_its_result_and_what_is_wrong_stops_nobody_else() {
    let api = Api::start().await;
    let mixed = json!([
        { "id": "1", "kind": "login", "customer": "ana" },
        { "id": "2", "kind": "login", "customer": "nobody" },
        { "id": "3", "kind": "logn", "customer": "ana" },
        { "id": "4", "kind": "login", "customer": "ana", "at": "2036-01-01T00:00:00Z" },
        { "id": "5", "kind": "login", "customer": "ana", "page": { "url": "x" } },
        { "id": "6", "kind": "page-visited", "customer": "ana" },
        { "id": "7", "kind": "nps-answered", "customer": "ana", "nps": { "score": 11 } },
        { "id": "8", "kind": "transaction", "customer": "ana", "transaction": { "amount": "1,5" } },
        { "id": "9", "kind": "login", "customer": "ana", "visitor": "v" },
        { "id": "10", "kind": "dismissal", "customer": "ana" },
        { "id": "11", "kind": "login", "customer": "ana", "campaign": "gold-crad" },
        { "id": "12", "kind": "login", "customer": "ana", "visit": 1 },
        7,
        { "id": "", "kind": "login", "customer": "ana" },
        { "id": "15", "kind": "page-visited", "customer": "ana", "page": { "url": "a\u{0}b" } },
        { "id": "16", "kind": "email-sent", "customer": "ana" },
        { "id": "17", "kind": "logout", "customer": "ana", "at": "1999-01-01T00:00:00Z" },
        { "id": "18", "kind": "logout", "customer": "ana", "at": "-009999-01-02T00:00:00Z" },
        { "id": "19", "kind": "email-opened", "customer": "ana", "flow": "new-member-onboarding", "step": "a\u{0}" },
    ]);
    let result = told(&api, mixed).await;
    let results = result["results"].as_array().unwrap();
    let expected = [
        (1, "unknown-customer", ""),
        (2, "invalid", "/kind"),
        (3, "invalid", "/at"),
        (4, "invalid", "/page"),
        (5, "invalid", "/page"),
        (6, "invalid", "/nps/score"),
        (7, "invalid", "/transaction/amount"),
        (8, "invalid", ""),
        (9, "invalid", "/campaign"),
        (10, "invalid", "/campaign"),
        (11, "invalid", "/visit"),
        (12, "invalid", ""),
        (13, "invalid", "/id"),
        (14, "invalid", "/page/url"),
        (15, "invalid", "/kind"),
        (17, "invalid", "/at"),
        (18, "invalid", "/step"),
    ];
    for (place, outcome, field) in expected {
        assert_eq!(results[place]["outcome"], outcome, "{place}: {result}");
        let errors = results[place]["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{place}: {errors:?}");
        assert_eq!(errors[0]["field"], field, "{place}: {errors:?}");
    }
    assert_eq!(result["recorded"], 2);
    assert_eq!(result["invalid"], 16);
    assert_eq!(lines(&api, "ana").await.len(), 2);
}

#[tokio::test]
async fn a_thousand_interactions_go_in_at_once_and_not_one_more() {
    let api = Api::start().await;
    let some = |count: usize| -> Vec<Value> {
        let one = |n| json!({ "id": format!("{n}"), "kind": "login", "customer": format!("c{}", n % 50), "create": true });
        (0..count).map(one).collect()
    };
    let result = told(&api, json!(some(1000))).await;
    assert_eq!(result["recorded"], 1000);
    assert_eq!(api.site.store.customer_count().await.unwrap(), 51);
    let answer = api
        .post("/interactions", json!({ "interactions": some(1001) }))
        .await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields(), ["/interactions"]);
}

#[tokio::test]
async fn a_customer_is_named_by_what_only_they_have() {
    let api = Api::start().await;
    api.customer(
        "ben",
        json!({ "email": "Ben@Example.com", "phone": "+34600000001" }),
    )
    .await;
    for twin in ["cid", "dan"] {
        api.customer(twin, json!({ "email": "both@example.com" }))
            .await;
    }
    let by = |n: u32, what: &str, value: &str| json!({ "id": n.to_string(), "kind": "login", what: value });
    let result = told(
        &api,
        json!([
            by(1, "email", "ben@example.com"),
            by(2, "phone", "+34600000001"),
            by(3, "email", "both@example.com"),
            by(4, "email", "nobody@example.com"),
            by(5, "phone", "+34 (600) 000-001"),
            by(6, "phone", "no number"),
        ]),
    )
    .await;
    let expected = [
        "recorded",
        "recorded",
        "unknown-customer",
        "unknown-customer",
        "recorded",
        "unknown-customer",
    ];
    assert_eq!(outcomes(&result), expected);
    let why = &result["results"][2]["errors"][0]["message"];
    assert_eq!(
        why,
        "2 customers have the e-mail address `both@example.com`"
    );
    assert_eq!(lines(&api, "ben").await.len(), 3);
}

#[tokio::test]
async fn a_visitor_is_anonymous_until_somebody_says_who_they_are() {
    let api = Api::start().await;
    let visit = |id: &str| json!([{ "id": id, "kind": "page-visited", "visitor": "v-1", "page": { "url": "/loans" } }]);
    assert_eq!(told(&api, visit("1")).await["recorded"], 1);
    let visitor = api.get("/customers/v-1").await.good(200);
    assert_eq!(visitor["identified"], false);
    let body = json!({ "visitor": "v-1", "customer": "eva" });
    let identified = api.post("/identify", body.clone()).await.good(200);
    assert_eq!(identified, json!({ "created": true, "merged": true }));
    let again = api.post("/identify", body).await.good(200);
    assert_eq!(again, json!({ "created": false, "merged": false }));
    // What is sent again is known of the two as one, and what is new goes to the customer.
    assert_eq!(told(&api, visit("1")).await["duplicate"], 1);
    assert_eq!(told(&api, visit("2")).await["recorded"], 1);
    let kinds: Vec<Value> = lines(&api, "eva")
        .await
        .iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "page-visited").count(),
        2
    );
    assert_eq!(
        api.get("/customers/eva").await.good(200)["identified"],
        true
    );
    let taken = json!({ "visitor": "v-1", "customer": "ana" });
    api.post("/identify", taken).await.problem(409, "conflict");
    let swapped = json!({ "visitor": "ana", "customer": "eva" });
    api.post("/identify", swapped)
        .await
        .problem(409, "conflict");
    // Of whom nothing was seen yet: from now on it leads to the customer.
    let unseen = json!({ "visitor": "v-2", "customer": "eva" });
    assert_eq!(
        api.post("/identify", unseen).await.good(200)["merged"],
        true
    );
    let named = json!([{ "id": "3", "kind": "login", "visitor": "ana" }]);
    let result = told(&api, named).await;
    assert_eq!(result["results"][0]["errors"][0]["field"], "/visitor");
}

#[tokio::test]
async fn what_a_customer_was_seen_with_and_answered_last_is_in_the_profile_until_they_are_deleted()
{
    let api = Api::start().await;
    let answer = |id: &str, at: &str, score: u8| {
        json!({ "id": id, "kind": "nps-answered", "customer": "ana", "at": at,
            "nps": { "score": score, "comment": "so", "question": "?" },
            "environment": { "ip": format!("192.0.2.{score}"), "os": "Linux" } })
    };
    let (late, early) = ("2025-12-02T10:00:00Z", "2025-12-01T10:00:00Z");
    told(&api, json!([answer("1", late, 9), answer("2", early, 3)])).await;
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["nps"]["score"], 9);
    assert_eq!(ana["nps"]["group"], "promoter");
    assert_eq!(ana["environment"]["ip"], "192.0.2.9");
    assert_eq!(ana["environment"]["at"], late);
    api.delete("/customers/ana").await.good(204);
    for table in [
        "interaction_keys",
        "nps_answers",
        "environments",
        "interactions",
    ] {
        let left = api
            .site
            .number(&format!("SELECT count(*) FROM {table}"))
            .await;
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_token_that_tells_sees_nobody() {
    let api = Api::start().await;
    let scope = drumbeat::domain::token::TokenScope::InteractionsWrite;
    let token = api.token("shop", &[scope]).await;
    let body = json!({ "interactions": [{ "id": "1", "kind": "login", "customer": "ana" }] });
    let telling = api.bare(Method::POST, "/interactions").bearer_auth(&token);
    assert_eq!(api.send(telling.json(&body)).await.good(200)["recorded"], 1);
    let looking = api.bare(Method::GET, "/customers/ana").bearer_auth(&token);
    api.send(looking).await.problem(403, "forbidden");
}
