//! What pages of the company tell of their visitors, with a hand-written browser.

use drumbeat::domain::daemon_settings::{RequestRate, SiteSettings};
use drumbeat::domain::site::SiteKey;
use drumbeat::store::HistoryFilter;
use drumbeat::web::Door;
use jiff::SignedDuration;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::site::Site;

pub(super) const SECRET: &[u8] = b"a secret of the company's server";
const ORIGIN: &str = "https://www.bank.example";
const VISITOR: &str = "v-0123456789abcdef0123456789abcdef";

/// A door for pages of these origins.
pub(super) fn door(origins: &[&str], burst: u32) -> Door {
    let settings = SiteSettings {
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        rate: RequestRate {
            per_second: 1,
            burst,
        },
        keep_address: false,
        behind_proxy: false,
        identify_secret: None,
    };
    Door::new(settings, Some(SiteKey::new(SECRET)))
}

async fn site(door: Option<Door>) -> Site {
    Site::behind(RequestRate::default(), door).await
}

async fn tell(site: &Site, body: Value) -> Response {
    let request = site.post("/collect").header("Origin", ORIGIN);
    let request = request.header("Content-Type", "text/plain");
    request.body(body.to_string()).send().await.unwrap()
}

/// What came of it: the status and the body.
async fn told(site: &Site, body: Value) -> (u16, Value) {
    let response = tell(site, body).await;
    assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN);
    assert_eq!(response.headers()["vary"], "Origin");
    (response.status().as_u16(), response.json().await.unwrap())
}

fn visit(id: &str) -> Value {
    json!({ "id": id, "kind": "page-visited", "page": { "url": "https://www.bank.example/loans" } })
}

pub(super) async fn kinds(site: &Site, customer: &str) -> Vec<String> {
    let Some(id) = site.store.customer_id(customer).await.unwrap() else {
        return Vec::new();
    };
    let lines = site
        .store
        .history(id, &HistoryFilter::default(), 100)
        .await
        .unwrap();
    lines.into_iter().map(|line| line.kind).collect()
}

#[tokio::test]
async fn without_a_site_in_the_settings_no_page_tells_anything() {
    let site = site(None).await;
    assert_eq!(
        tell(&site, json!({ "visitor": VISITOR })).await.status(),
        404
    );
    assert_eq!(site.get("/drumbeat.js").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn only_pages_of_the_origins_may_tell() {
    let site = site(Some(door(&[ORIGIN], 100))).await;
    let body = json!({ "visitor": VISITOR, "events": [visit("1")] }).to_string();
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let mut request = site.post("/collect").body(body.clone());
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{origin:?}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
    assert!(kinds(&site, VISITOR).await.is_empty());
    let asked = |origin| {
        let url = format!("{}/collect", site.address);
        site.browser()
            .request(Method::OPTIONS, url)
            .header("Origin", origin)
    };
    let allowed = asked(ORIGIN).send().await.unwrap();
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "POST");
    assert_eq!(
        asked("https://evil.example").send().await.unwrap().status(),
        403
    );
}

#[tokio::test]
async fn a_visitors_pages_are_recorded_of_an_anonymous_customer_without_an_address() {
    let site = site(Some(door(&[ORIGIN], 100))).await;
    let request = site.post("/collect").header("Origin", ORIGIN);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
    let body = json!({ "visitor": VISITOR, "events": [visit("1"), visit("1"), visit("2")] });
    let answer = request
        .header("User-Agent", agent)
        .json(&body)
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        answer,
        json!({ "recorded": 3, "identified": false, "rejected": [] })
    );
    assert_eq!(
        kinds(&site, VISITOR).await,
        ["page-visited", "page-visited"]
    );
    let id = site.store.customer_id(VISITOR).await.unwrap().unwrap();
    let seen = site
        .store
        .environment_of(id)
        .await
        .unwrap()
        .unwrap()
        .environment;
    assert_eq!((seen.browser.as_deref(), seen.ip), (Some("Firefox"), None));
}

#[tokio::test]
async fn a_browser_tells_of_nothing_but_its_own_visitor() {
    let site = site(Some(door(&[ORIGIN], 100))).await;
    let events = json!([
        { "id": "1", "kind": "transaction", "transaction": { "amount": 5 } },
        { "id": "2", "kind": "login" },
        { "id": "3", "kind": "dismissal", "campaign": "gold-card" },
        { "id": "4", "kind": "conversion", "campaign": "gold-card", "customer": "ana" },
        { "id": "5", "kind": "conversion", "campaign": "gold-card", "at": "2020-01-01T00:00:00Z" },
        { "id": "6", "kind": "page-visited" },
        { "id": "7", "kind": "conversion", "campaign": "gold-card" },
    ]);
    let (status, answer) = told(&site, json!({ "visitor": VISITOR, "events": events })).await;
    assert_eq!(status, 200);
    assert_eq!(answer["recorded"], 1, "{answer}");
    let fields: Vec<&Value> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rejected| &rejected["errors"][0]["field"])
        .collect();
    assert_eq!(
        fields,
        ["/kind", "/kind", "/kind", "/customer", "/at", "/page"]
    );
    assert_eq!(kinds(&site, VISITOR).await, ["conversion"]);
    assert!(kinds(&site, "ana").await.is_empty());
    for visitor in ["ana", "v-1", ""] {
        let (status, _) = told(&site, json!({ "visitor": visitor, "events": [visit("8")] })).await;
        assert_eq!(status, 422, "{visitor}");
    }
    let (status, _) = told(&site, json!({ "visitor": VISITOR, "customer": "ana" })).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_visitor_is_recognised_by_a_proof_of_the_companys_server_alone() {
    let site = site(Some(door(&[ORIGIN], 100))).await;
    told(&site, json!({ "visitor": VISITOR, "events": [visit("1")] })).await;
    let until = site.clock_now() + SignedDuration::from_mins(10);
    let proof = SiteKey::new(SECRET).prove("ana", until);
    let forged = SiteKey::new(b"a guess").prove("ana", until);
    for proof in ["ana", &forged] {
        let (status, _) = told(&site, json!({ "visitor": VISITOR, "identify": proof })).await;
        assert_eq!(status, 403, "{proof}");
    }
    assert!(kinds(&site, "ana").await.is_empty());
    let body = json!({ "visitor": VISITOR, "identify": proof, "events": [visit("2")] });
    let (status, answer) = told(&site, body).await;
    assert_eq!((status, &answer["identified"]), (200, &json!(true)));
    let of_ana = kinds(&site, "ana").await;
    assert_eq!(
        of_ana.iter().filter(|kind| *kind == "page-visited").count(),
        2,
        "{of_ana:?}"
    );
    let other = SiteKey::new(SECRET).prove("ben", until);
    let (status, _) = told(&site, json!({ "visitor": VISITOR, "identify": other })).await;
    assert_eq!(status, 409);
    site.pass(601);
    let (status, answer) = told(&site, json!({ "visitor": VISITOR, "identify": proof })).await;
    assert_eq!(
        (status, &answer["detail"]),
        (403, &json!("the proof is refused: its time is over"))
    );
}

#[tokio::test]
async fn an_address_that_tells_too_much_is_told_to_wait_and_a_body_has_bounds() {
    let site = site(Some(door(&[ORIGIN], 3))).await;
    let mut statuses = Vec::new();
    for n in 0..4 {
        let body = json!({ "visitor": VISITOR, "events": [visit(&n.to_string())] });
        let answer = tell(&site, body).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
        }
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let large = json!({ "visitor": VISITOR, "events": ["x".repeat(70_000)] });
    let answer = tell(&site, large).await;
    assert_eq!(answer.status(), 413);
}
