//! Owns the tests of the "not interested" link.

use drumbeat::domain::audit::Source;
use drumbeat::domain::link::LinkKind;

use super::site::{Site, read};

#[tokio::test]
async fn dismissing_stops_one_campaign_once_and_is_no_opt_out() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Dismiss, Some("gold-card")).await;
    let (_, page) = read(site.get(&link)).await;
    assert!(page.contains("Not interested?"), "{page}");
    for _ in 0..3 {
        let (status, page) = read(site.post(&link)).await;
        assert_eq!(status, 200);
        assert!(page.contains("Thank you"), "{page}");
        site.pass(60);
    }
    let dismissals = site.dismissals().await;
    assert_eq!(dismissals.len(), 1);
    assert_eq!(dismissals[0].campaign, "gold-card");
    assert_eq!(dismissals[0].by.source, Source::Link);
    assert_eq!(
        dismissals[0].at,
        "2026-01-09T10:30:00Z".parse().unwrap(),
        "the first time stays"
    );
    assert_eq!(site.subscriptions().await, []);
    assert_eq!(site.history().await, ["dismissal"]);
    let (_, page) = read(site.get(&link)).await;
    assert!(page.contains("Thank you"), "{page}");
}

#[tokio::test]
async fn a_campaign_that_may_not_be_dismissed_has_no_such_link() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Dismiss, Some("loyalty")).await;
    assert_eq!(read(site.get(&link)).await.0, 404);
    assert_eq!(read(site.post(&link)).await.0, 404);
    assert_eq!(site.dismissals().await, []);
}
