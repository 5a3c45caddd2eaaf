//! The script of the company's pages in a real browser: nothing is stored and nothing told before consent.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Query;
use axum::response::Html;
use axum::routing::get;
use drumbeat::domain::daemon_settings::RequestRate;
use drumbeat::domain::site::SiteKey;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::net::TcpListener;

use super::collect::{SECRET, door, kinds};
use super::site::Site;
use crate::rig::browser::Browser;

const STORED: &str = "localStorage.getItem('drumbeat-visitor')";

#[derive(serde::Deserialize)]
struct Asked {
    script: String,
    #[serde(default)]
    gpc: bool,
    #[serde(default)]
    granted: bool,
}

/// Pages of the company, at another origin than the daemon's.
async fn pages() -> SocketAddr {
    let page = async |Query(asked): Query<Asked>| {
        let gpc = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });";
        let gpc = if asked.gpc { gpc } else { "" };
        let granted = if asked.granted {
            " data-consent=\"granted\""
        } else {
            ""
        };
        Html(format!(
            "<!doctype html><title>Loans</title><script>{gpc}</script>\
             <script src=\"{}\"{granted}></script>",
            asked.script
        ))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/loans", get(page));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

struct Visit {
    site: Site,
    browser: Browser,
    page: String,
}

impl Visit {
    async fn start() -> Self {
        let pages = pages().await;
        let origin = format!("http://{pages}");
        let door = door(&[&origin], 100);
        let site = Site::behind(RequestRate::default(), Some(door)).await;
        let page = format!("{origin}/loans?script={}/drumbeat.js", site.address);
        let browser = Browser::start().await;
        Self {
            site,
            browser,
            page,
        }
    }

    async fn open(&self, more: &str) {
        self.browser.open(&format!("{}{more}", self.page)).await;
    }

    async fn run(&self, expression: &str) -> Value {
        self.browser.run(expression).await
    }

    async fn status(&self, expression: &str) -> Value {
        self.run(&format!(
            "{expression}.then(answer => answer && answer.status)"
        ))
        .await
    }

    async fn stored(&self) -> Value {
        self.run(STORED).await
    }

    async fn customers(&self) -> u64 {
        self.site.store.customer_count().await.unwrap()
    }
}

#[tokio::test]
async fn a_real_browser_tells_of_its_visitor_once_they_agree_and_never_before() {
    let visit = Visit::start().await;
    let before = visit.customers().await;
    visit.open("").await;
    assert_eq!(
        visit
            .status("drumbeat.track('banner-clicked', { banner: 'spring' })")
            .await,
        Value::Null
    );
    assert_eq!(visit.status("drumbeat.consent(false)").await, Value::Null);
    assert_eq!(visit.stored().await, Value::Null);
    assert_eq!(visit.run("document.cookie").await, "");
    assert_eq!(visit.customers().await, before);

    assert_eq!(visit.status("drumbeat.consent(true)").await, 200);
    let visitor = visit.stored().await;
    let visitor = visitor.as_str().unwrap();
    let clicked = "drumbeat.track('banner-clicked', { banner: 'spring', campaign: 'gold-card' })";
    assert_eq!(visit.status(clicked).await, 200);
    assert_eq!(
        kinds(&visit.site, visitor).await,
        ["banner-clicked", "page-visited"]
    );

    // The next page knows the visitor, and tells of itself where consent is in the page.
    visit.open("&granted=true").await;
    visit.run("drumbeat.sent().then(() => true)").await;
    assert_eq!(kinds(&visit.site, visitor).await.len(), 3);
    assert_eq!(visit.stored().await, visitor);

    let until = visit.site.clock_now() + SignedDuration::from_mins(10);
    let proof = SiteKey::new(SECRET).prove("ana", until);
    assert_eq!(
        visit.status(&format!("drumbeat.identify('{proof}')")).await,
        200
    );
    let of_ana = kinds(&visit.site, "ana").await;
    assert!(of_ana.contains(&"banner-clicked".to_owned()), "{of_ana:?}");

    // Somebody else at the same device gets an id of their own.
    let proof = SiteKey::new(SECRET).prove("ben", until);
    assert_eq!(
        visit.status(&format!("drumbeat.identify('{proof}')")).await,
        200
    );
    let next = visit.stored().await;
    assert_ne!(next, visitor);
    assert_eq!(kinds(&visit.site, "ana").await.len(), of_ana.len());

    visit.run("drumbeat.consent(false)").await;
    assert_eq!(visit.stored().await, Value::Null);
    let known = visit.customers().await;
    assert_eq!(visit.status("drumbeat.page()").await, Value::Null);
    assert_eq!(visit.customers().await, known);

    // Whoever says by their browser that nothing is to be told of them is believed.
    visit.open("&granted=true&gpc=true").await;
    assert_eq!(visit.status("drumbeat.consent(true)").await, Value::Null);
    assert_eq!(visit.stored().await, Value::Null);
    assert_eq!(visit.customers().await, known);
    visit.browser.quit().await;
}

#[tokio::test]
async fn the_script_is_also_at_an_address_that_changes_with_it() {
    let door = door(&["https://www.bank.example"], 100);
    let site = Site::behind(RequestRate::default(), Some(door)).await;
    let current = site.get("/drumbeat.js").send().await.unwrap();
    assert_eq!(current.headers()["cache-control"], "public, max-age=300");
    assert_eq!(
        current.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    let lasting = current.headers()["link"].to_str().unwrap();
    let lasting = lasting
        .trim_start_matches('<')
        .split('>')
        .next()
        .unwrap()
        .to_owned();
    let text = current.text().await.unwrap();
    let same = site.get(&lasting).send().await.unwrap();
    assert_eq!(
        same.headers()["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(same.text().await.unwrap(), text);
}
