//! Owns the tests of the unsubscribe link.

use drumbeat::domain::audit::Source;
use drumbeat::domain::link::LinkKind;
use drumbeat::domain::subscription::{Scope, SubscriptionState};

use super::site::{PAGES, Site, read, sent};

const FORM: &str = "application/x-www-form-urlencoded";

fn cards() -> Scope {
    Scope {
        category: Some("credit-cards".to_owned()),
        ..Scope::default()
    }
}

#[tokio::test]
async fn looking_at_any_link_changes_nothing() {
    let site = Site::start().await;
    let before = site.customer().await;
    for kind in PAGES {
        let link = site.link(kind, Some("gold-card")).await;
        for _ in 0..3 {
            assert_eq!(read(site.get(&link)).await.0, 200);
            assert_eq!(sent(site.head(&link)).await.status(), 200);
        }
    }
    assert_eq!(site.subscriptions().await, []);
    assert_eq!(site.dismissals().await, []);
    assert_eq!(site.history().await, [""; 0]);
    assert_eq!(site.customer().await, before);
}

#[tokio::test]
async fn posting_the_page_gives_up_what_the_campaign_says() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let (_, page) = read(site.get(&link)).await;
    assert!(page.contains("We will stop sending you"), "{page}");
    assert!(page.contains("messages about “Credit cards”"), "{page}");
    assert!(page.contains("service keep coming: Statements"), "{page}");

    let (status, page) = read(site.post(&link).header("content-type", FORM)).await;
    assert_eq!(status, 200);
    assert!(page.contains("You are unsubscribed"), "{page}");

    let records = site.subscriptions().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].scope, cards());
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
    assert_eq!(records[0].by.actor.as_str(), "customer");
    assert_eq!(records[0].by.source, Source::Link);
    let note = records[0].by.note.as_deref();
    assert_eq!(note, Some("link in e-mail of campaign gold-card"));

    let (_, page) = read(site.get(&link)).await;
    assert!(page.contains("You are unsubscribed"), "{page}");
}

#[tokio::test]
async fn a_link_in_a_flows_own_message_gives_up_the_flow() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, None).await;
    let (_, page) = read(site.get(&link)).await;
    assert!(page.contains("“New member onboarding”"), "{page}");
    sent(site.post(&link)).await;
    let flow = Scope {
        campaign: Some("new-member-onboarding".to_owned()),
        ..Scope::default()
    };
    assert_eq!(site.subscriptions().await[0].scope, flow);
}

#[tokio::test]
async fn a_hundred_repeats_are_one_record() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    assert_eq!(sent(site.post(&link)).await.status(), 200);
    let (first, customer) = (site.subscriptions().await, site.customer().await);
    assert_eq!(first.len(), 1);
    for _ in 1..100 {
        site.pass(60);
        assert_eq!(sent(site.post(&link)).await.status(), 200);
    }
    assert_eq!(site.subscriptions().await, first);
    assert_eq!(site.customer().await, customer);
    assert_eq!(site.history().await, ["unsubscribed"]);
}

#[tokio::test]
async fn twenty_posts_at_once_are_one_record() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let posts = (0..20).map(|_| sent(site.post(&link)));
    for response in futures_util::future::join_all(posts).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(site.subscriptions().await.len(), 1);
    assert_eq!(site.history().await, ["unsubscribed"]);
}

#[tokio::test]
async fn one_click_works_in_both_encodings_without_a_redirect() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
        One-Click\r\n--b--\r\n";
    for (kind, body) in [
        (FORM, "List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=b", multipart),
    ] {
        let site = Site::start().await;
        let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
        let request = site.post(&link).header("content-type", kind).body(body);
        assert_eq!(sent(request).await.status(), 200, "{kind}");
        let records = site.subscriptions().await;
        assert_eq!(records[0].by.source, Source::OneClick, "{kind}");
        assert_eq!(records[0].scope, cards());
    }
}

#[tokio::test]
async fn an_altered_token_another_kind_and_a_customer_who_is_gone_look_alike() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let preferences = site.link(LinkKind::Preferences, Some("gold-card")).await;
    let gone = site.link_to_a_deleted_customer().await;
    // Every token begins with `A`, for version 1.
    let altered = link.replace("/u/A", "/u/B");
    let pages = [
        gone,
        altered,
        preferences.replace("/p/", "/u/"),
        "/u/x".to_owned(),
        "/nowhere".to_owned(),
    ];
    let (_, calm) = read(site.get("/u/calm")).await;
    assert!(calm.contains("This link does not work"), "{calm}");
    for page in pages {
        assert_eq!(read(site.get(&page)).await, (404, calm.clone()), "{page}");
        assert_eq!(read(site.post(&page)).await, (404, calm.clone()), "{page}");
    }
    assert_eq!(site.subscriptions().await, []);
}

#[tokio::test]
async fn an_unreadable_or_oversized_body_changes_nothing() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    let huge = site.post(&link).body("x".repeat(65 * 1024));
    assert_eq!(read(huge).await.0, 413);
    let broken = site
        .post(&link)
        .header("content-type", "multipart/form-data");
    assert_eq!(read(broken.body("nothing")).await.0, 400);
    assert_eq!(site.subscriptions().await, []);
}
