//! Owns the tests of sending by rating and status: who is meant gets it, and who is kept out gets nothing.

use drumbeat::customers::ratings;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{Status, Switch};
use drumbeat::domain::dispatch::Fault;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::rating::Rating;
use jiff::{SignedDuration, Timestamp};

use super::outbox::refused;
use super::rig::Rig;
use super::written::{LYON, email, flow, flow_over, sms};

const SLEEPERS: &str = "segment: sleepers\nwhere: { rating: dormant }\n";
/// Who was written to because they were missed is new as well, but did not arrive lately.
const ARRIVED: &str = "{ all: [ { rating: new }, { created: { within-last: 15d } } ] }";
const ASLEEP: &str = "{ any: [ { rating: dormant }, { rating: expired } ] }";

impl Rig {
    /// Somebody who logged in so many days ago.
    async fn seen(&self, id: &str, days_ago: i64) {
        self.customer(id, "city=Lyon").await;
        let at = self.now() - SignedDuration::from_hours(24 * days_ago);
        let login = Interaction::new(self.id(id).await, at, Kind::Login);
        self.store.record(&[login]).await.unwrap();
    }

    async fn last_activity(&self, id: &str) -> Option<Timestamp> {
        let catalog = self.engine().catalog();
        let found = self.store.customer(id, &catalog.revision().data_model);
        found.await.unwrap().unwrap().last_activity_at
    }

    async fn rated(&self, rating: Rating) -> u64 {
        let catalog = self.engine().catalog();
        let counts = ratings::counts(&self.store, catalog.revision(), self.now());
        counts.await.unwrap().of(rating)
    }
}

#[tokio::test]
async fn everybody_is_rated_by_activity_and_a_segment_sends_to_one_rating_alone() {
    let flow = flow_over(
        "f",
        "segment: sleepers",
        "category: news",
        &[email("hello", "")],
    );
    let files = [
        ("flows/f.yaml", flow.as_str()),
        ("flows/sleepers.yaml", SLEEPERS),
    ];
    let mut rig = Rig::start(&files).await;
    for (id, days_ago) in [("ann", 1), ("bob", 20), ("cem", 60), ("dan", 130)] {
        rig.seen(id, days_ago).await;
    }
    rig.customer("eva", "city=Lyon").await;
    for rating in [
        Rating::New,
        Rating::Frequent,
        Rating::Dormant,
        Rating::Expired,
        Rating::Inactive,
    ] {
        assert_eq!(rig.rated(rating).await, 1, "{}", rating.as_str());
    }
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-05 10:00 cem email hello"]);
}

#[tokio::test]
async fn the_new_are_welcomed_and_the_dormant_and_expired_are_told_that_they_are_missed() {
    let welcome = flow("welcome", ARRIVED, "", &[email("welcome", "")]);
    let missed = flow("missed", ASLEEP, "", &[email("we-miss-you", "")]);
    let files = [
        ("flows/welcome.yaml", welcome.as_str()),
        ("flows/missed.yaml", missed.as_str()),
    ];
    let mut rig = Rig::start(&files).await;
    for (id, days_ago) in [("bob", 0), ("cem", 26), ("dan", 101)] {
        rig.seen(id, days_ago).await;
    }
    rig.customer("eva", "city=Lyon").await;
    rig.sleep("20d");
    rig.seen("ann", 0).await;
    rig.live("1h", "1h").await;
    let sent = [
        "01-25 10:00 ann email welcome",
        "01-25 10:00 cem email we-miss-you",
        "01-25 10:00 dan email we-miss-you",
    ];
    assert_eq!(rig.sent(), sent);
    rig.sleep("25d");
    rig.live("15h", "1h").await;
    assert_eq!(rig.sent(), ["02-20 00:00 bob email we-miss-you"]);
}

#[tokio::test]
async fn who_is_discarded_is_rated_so_kept_out_of_sends_and_not_counted_for_them() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    rig.seen("ann", 1).await;
    rig.seen("bob", 1).await;
    rig.status("bob", Status::Discarded).await;
    assert_eq!(rig.rated(Rating::Discarded).await, 1);
    assert_eq!(rig.rated(Rating::New).await, 1);
    rig.settle().await;
    rig.advance("2d").await;
    assert_eq!(rig.sent(), ["01-05 10:00 ann email hello"]);
    assert!(rig.ledger("bob").await.is_empty());
    for table in ["enrollments", "dispatches"] {
        let count = rig.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, 1, "{table}");
    }
}

#[tokio::test]
async fn who_is_suspended_gets_nothing_until_they_are_reactivated() {
    let steps = [email("hello", ""), email("more", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ann", "city=Lyon").await;
    rig.customer("bob", "city=Lyon").await;
    rig.status("bob", Status::Suspended).await;
    rig.advance("3d").await;
    let to_ann = ["01-05 10:00 ann email hello", "01-06 10:00 ann email more"];
    assert_eq!(rig.sent(), to_ann);
    rig.status("bob", Status::Active).await;
    rig.advance("2d").await;
    let to_bob = ["01-08 10:00 bob email hello", "01-09 10:00 bob email more"];
    assert_eq!(rig.sent(), to_bob);
}

#[tokio::test]
async fn sends_clicks_and_whatever_else_somebody_does_count_as_activity_and_changes_do_not() {
    let steps = [email("hello", ""), sms("text", "after: 1d")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.outbox.answers(Channel::Sms, [refused(Fault::Message)]);
    rig.customer("ann", "city=Lyon").await;
    assert_eq!(rig.last_activity("ann").await, None);
    rig.settle().await;
    let sent = rig.now();
    assert_eq!(rig.last_activity("ann").await, Some(sent), "a send");
    rig.advance("2d").await;
    assert_eq!(rig.sent().len(), 2);
    assert_eq!(
        rig.last_activity("ann").await,
        Some(sent),
        "nothing was sent"
    );
    for kind in [
        Kind::EmailOpened,
        Kind::EmailClicked,
        Kind::PushDismissed,
        Kind::Login,
        Kind::ShopVisited,
        Kind::Transaction,
    ] {
        rig.advance("1h").await;
        rig.did("ann", kind).await;
        assert_eq!(
            rig.last_activity("ann").await,
            Some(rig.now()),
            "{}",
            kind.as_str()
        );
    }
    let last = rig.now();
    rig.advance("1h").await;
    rig.switch("ann", Switch::Channel(Channel::Push), false)
        .await;
    rig.set("ann", "points=3").await;
    assert_eq!(
        rig.last_activity("ann").await,
        Some(last),
        "a change of the record"
    );
}
