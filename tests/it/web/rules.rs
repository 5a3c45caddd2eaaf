//! Owns the tests of what holds for every request: headers, languages, failures, the end.

use std::sync::atomic::Ordering;

use drumbeat::domain::link::LinkKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::site::{PAGES, Site, read, sent};

#[tokio::test]
async fn every_page_is_private_and_inert() {
    let site = Site::start().await;
    let mut pages = vec!["/nowhere".to_owned(), "/readyz".to_owned()];
    for kind in PAGES {
        pages.push(site.link(kind, Some("gold-card")).await);
    }
    for page in pages {
        let response = sent(site.get(&page)).await;
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(response.headers()[name], value, "{page}");
        }
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"));
        let body = response.text().await.unwrap();
        assert!(
            !body.contains("<script") && !body.contains("style=\""),
            "{body}"
        );
    }
    let style = sent(site.get("/style.css")).await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn pages_speak_the_customers_language_else_the_browsers() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let page = |language: &'static str| {
        let request = site.get(&link).header("accept-language", language);
        async { read(request).await.1 }
    };
    assert!(page("es-MX,en;q=0.5").await.contains("<html lang=\"es\">"));
    assert!(page("es").await.contains("mensajes sobre «Credit cards»"));
    assert!(page("fr").await.contains("<html lang=\"en\">"));

    site.set("language", "es").await;
    assert!(page("en").await.contains("Darse de baja"));
    let (_, lost) = read(site.get("/u/lost").header("accept-language", "es")).await;
    assert!(lost.contains("Este enlace no funciona"), "{lost}");
}

#[tokio::test]
async fn a_store_that_fails_makes_a_calm_page_and_no_false_promise() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    site.store.close().await;
    let (status, page) = read(site.post(&link)).await;
    assert_eq!(status, 503);
    assert!(page.contains("Nothing was changed"), "{page}");
    assert!(!page.contains("unsubscribed"), "{page}");
}

#[tokio::test]
async fn a_panic_ends_its_request_and_nothing_else() {
    let site = Site::start().await;
    site.running.panics.store(true, Ordering::SeqCst);
    assert_eq!(sent(site.get("/readyz")).await.status(), 500);
    assert_eq!(sent(site.get("/healthz")).await.status(), 200);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let site = Site::start().await;
    for page in ["/style.css", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(sent(site.post(page)).await.status(), 405, "{page}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let site = Site::start().await;
    let address = site.address.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nLong: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    // The server may answer and close before it has read everything.
    let _written = connection.write_all(head.as_bytes()).await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn the_server_ends_when_it_is_told_to_with_idle_connections_open() {
    let site = Site::start().await;
    assert_eq!(sent(site.get("/healthz")).await.status(), 200);
    let address = site.address.strip_prefix("http://").unwrap().to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    site.stop().await.unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_cut_off() {
    let site = Site::start().await;
    let address = site.address.strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    // Time now jumps to the next timer whenever nothing else is left to do.
    tokio::time::pause();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_is_told_to_come_back() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let path = link.strip_prefix(&site.address).unwrap();
    let address = site.address.strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nList");
    slow.write_all(head.as_bytes()).await.unwrap();
    tokio::time::pause();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    tokio::time::resume();
    assert_eq!(site.subscriptions().await, []);
}
