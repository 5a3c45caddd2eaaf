//! Owns the tests of the preferences link.

use drumbeat::domain::link::LinkKind;
use drumbeat::domain::subscription::{Scope, SubscriptionState};

use super::site::{Site, read};

#[tokio::test]
async fn the_page_shows_what_stands_in_plain_words_and_nothing_of_the_person() {
    let site = Site::start().await;
    site.set("email", "ana@example.com").await;
    let unsubscribe = site.link(LinkKind::Unsubscribe, Some("gold-card")).await;
    read(site.post(&unsubscribe)).await;
    let link = site.link(LinkKind::Preferences, Some("gold-card")).await;
    let (status, page) = read(site.get(&link)).await;
    assert_eq!(status, 200);
    for text in [
        "Messages about “Rewards Gold &#60;Card&#62;”",
        "Messages about “Credit cards”",
        "Messages about “Retail banking”",
        "All e-mails",
        "All text messages",
        "All messages",
        "You stopped them",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for text in ["All app notifications", "ana@example.com", "Ana"] {
        assert!(!page.contains(text), "{text}: {page}");
    }
}

#[tokio::test]
async fn a_choice_is_given_up_and_taken_back() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Preferences, Some("gold-card")).await;
    let give_up = [("act", "give-up"), ("category", "credit-cards")];
    for _ in 0..2 {
        let (status, page) = read(site.post(&link).form(&give_up)).await;
        assert_eq!(status, 200);
        assert!(page.contains("Your choice is saved"), "{page}");
        assert!(page.contains("You stopped them"), "{page}");
    }
    let records = site.subscriptions().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].state, SubscriptionState::Unsubscribed);
    let note = records[0].by.note.as_deref();
    assert_eq!(note, Some("link in e-mail of campaign gold-card"));

    let take_back = [("act", "take-back"), ("category", "credit-cards")];
    let (_, page) = read(site.post(&link).form(&take_back)).await;
    assert!(!page.contains("You stopped them"), "{page}");
    let records = site.subscriptions().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].state, SubscriptionState::Resubscribed);
    assert_eq!(site.history().await, ["resubscribed", "unsubscribed"]);
}

#[tokio::test]
async fn everything_given_up_covers_the_other_choices() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Preferences, None).await;
    let (_, page) = read(site.post(&link).form(&[("act", "give-up")])).await;
    assert_eq!(site.subscriptions().await[0].scope, Scope::EVERYTHING);
    assert!(
        page.contains("Stopped together with all messages"),
        "{page}"
    );
    assert_eq!(page.matches("value=\"give-up\"").count(), 0, "{page}");
    assert_eq!(page.matches("value=\"take-back\"").count(), 1, "{page}");
}

#[tokio::test]
async fn what_the_page_does_not_offer_is_refused() {
    let site = Site::start().await;
    let link = site.link(LinkKind::Preferences, Some("gold-card")).await;
    for form in [
        vec![("act", "give-up"), ("category", "no-such-category")],
        vec![("act", "give-up"), ("campaign", "new-member-onboarding")],
    ] {
        assert_eq!(read(site.post(&link).form(&form)).await.0, 400, "{form:?}");
    }
    let (status, _) = read(site.post(&link).form(&[("act", "explode")])).await;
    assert_eq!(status, 422);
    assert_eq!(site.subscriptions().await, []);
}
