//! What customers do, wherever they do it, as their activities show it.

use serde_json::{Value, json};

use super::rig::Api;

async fn told(api: &Api, interactions: Value) {
    let body = json!({ "interactions": interactions });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(result["recorded"], result["read"], "{result}");
}

async fn lines(api: &Api, query: &str) -> Vec<Value> {
    let path = format!("/customers/ana/interactions?{query}");
    let page = api.get(&path).await.good(200);
    page["interactions"].as_array().unwrap().clone()
}

async fn kinds(api: &Api, query: &str) -> Vec<String> {
    let lines = lines(api, query).await;
    let kinds = lines.iter().map(|line| line["kind"].as_str().unwrap());
    kinds.map(str::to_owned).collect()
}

/// An interaction of Ana's, with what belongs to its kind.
fn act(kind: &str, at: &str, part: &Value) -> Value {
    let mut one = json!({ "id": at, "kind": kind, "customer": "ana", "at": at });
    for (name, value) in part.as_object().unwrap() {
        one[name] = value.clone();
    }
    one
}

#[tokio::test]
async fn activities_online_and_offline_are_shown_together_as_soon_as_they_are_told() {
    let api = Api::start().await;
    let mut seen = Vec::new();
    for (kind, at, part) in [
        (
            "page-visited",
            "2026-01-05T08:00:00Z",
            json!({ "page": { "url": "https://bank.example/loans" } }),
        ),
        (
            "shop-visited",
            "2026-01-05T09:00:00Z",
            json!({ "shop": "Lyon 3" }),
        ),
        ("login", "2026-01-05T10:00:00Z", json!({})),
        (
            "transaction",
            "2026-01-05T11:00:00Z",
            json!({ "transaction": { "amount": "5", "currency": "EUR", "place": "Lyon 3" } }),
        ),
        (
            "beacon-contacted",
            "2026-01-05T12:00:00Z",
            json!({ "beacon": { "id": "door", "medium": "beacon" } }),
        ),
    ] {
        told(&api, json!([act(kind, at, &part)])).await;
        seen.insert(0, kind);
        assert_eq!(kinds(&api, "direction=inbound").await, seen);
        let ana = api.get("/customers/ana").await.good(200);
        assert_eq!(ana["last_activity_at"], at);
    }
}

#[tokio::test]
async fn activities_are_listed_most_recent_first_whenever_they_are_told() {
    let api = Api::start().await;
    let at = |hour: u8| format!("2026-01-05T{hour:02}:00:00Z");
    let login = |hour: u8| act("login", &at(hour), &json!({}));
    told(&api, json!([login(9), login(12), login(7)])).await;
    let hours = async || -> Vec<String> {
        let lines = lines(&api, "limit=100").await;
        let at = lines.iter().map(|line| line["at"].as_str().unwrap());
        at.map(str::to_owned).collect()
    };
    assert_eq!(hours().await, [at(12), at(9), at(7)]);
    told(&api, json!([login(13)])).await;
    assert_eq!(hours().await, [at(13), at(12), at(9), at(7)]);
    told(&api, json!([login(8)])).await;
    assert_eq!(hours().await, [at(13), at(12), at(9), at(8), at(7)]);
}

#[tokio::test]
async fn activities_include_visits_to_pages_and_logins_and_logouts_of_the_app() {
    let api = Api::start().await;
    let app = json!({ "environment": { "os": "Android", "device": "mobile" } });
    let page = json!({ "page": { "url": "https://bank.example/loans", "title": "Loans" } });
    told(
        &api,
        json!([
            act("login", "2026-01-05T08:00:00Z", &app),
            act("page-visited", "2026-01-05T08:01:00Z", &page),
            act("logout", "2026-01-05T08:02:00Z", &json!({})),
        ]),
    )
    .await;
    let all = lines(&api, "").await;
    let seen: Vec<(&Value, &Value)> = all
        .iter()
        .map(|line| (&line["kind"], &line["at"]))
        .collect();
    let expected = [
        (json!("logout"), json!("2026-01-05T08:02:00Z")),
        (json!("page-visited"), json!("2026-01-05T08:01:00Z")),
        (json!("login"), json!("2026-01-05T08:00:00Z")),
    ];
    assert_eq!(seen, expected.each_ref().map(|(kind, at)| (kind, at)));
    assert_eq!(all[1]["detail"]["page"]["title"], "Loans");
    assert_eq!(kinds(&api, "kind=login,logout").await, ["logout", "login"]);
}

/// What each source tells of: the source, the kind, what belongs to it, and where the history shows that.
fn sources() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let money = json!({ "amount": "12.50", "currency": "EUR", "place": "Lyon 3" });
    vec![
        (
            "a website",
            "page-visited",
            json!({ "page": { "url": "https://bank.example/loans" } }),
            "/detail/page/url",
        ),
        (
            "an e-shop",
            "item-touched",
            json!({ "item": { "sku": "loan-5y", "name": "Loan" } }),
            "/detail/item/sku",
        ),
        (
            "cookies that were agreed to",
            "cookies-chosen",
            json!({ "cookies": { "granted": true } }),
            "/detail/cookies/granted",
        ),
        (
            "a mobile app",
            "login",
            json!({ "environment": { "os": "Android", "device": "mobile" } }),
            "/detail/environment/os",
        ),
        (
            "a beacon",
            "beacon-contacted",
            json!({ "beacon": { "id": "door", "medium": "beacon" } }),
            "/detail/beacon/id",
        ),
        (
            "a wireless network",
            "beacon-contacted",
            json!({ "beacon": { "id": "hall", "medium": "wifi" } }),
            "/detail/beacon/medium",
        ),
        (
            "a shop",
            "shop-visited",
            json!({ "shop": "Lyon 3" }),
            "/detail/shop",
        ),
        (
            "a push message",
            "push-opened",
            json!({ "channel": "push" }),
            "/channel",
        ),
        (
            "a transactional system",
            "transaction",
            json!({ "transaction": money }),
            "/detail/transaction/place",
        ),
    ]
}

#[tokio::test]
async fn activity_is_taken_from_web_shop_cookies_app_beacons_networks_push_and_transactions() {
    let api = Api::start().await;
    for (n, (source, kind, part, place)) in sources().into_iter().enumerate() {
        let at = format!("2026-01-05T{n:02}:00:00Z");
        told(&api, json!([act(kind, &at, &part)])).await;
        let latest = lines(&api, "limit=1").await.remove(0);
        assert_eq!((&latest["kind"], &latest["at"]), (&json!(kind), &json!(at)));
        let told = part.pointer(place.trim_start_matches("/detail"));
        assert!(told.is_some(), "{source}");
        assert_eq!(latest.pointer(place), told, "{source}: {latest}");
    }
    let stranger = json!([act("teleported", "2026-01-05T20:00:00Z", &json!({}))]);
    let answer = api.post("/interactions", json!({ "interactions": stranger }));
    assert_eq!(answer.await.good(200)["invalid"], 1);
}
