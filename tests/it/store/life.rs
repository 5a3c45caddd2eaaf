//! Status and rating: a reason that is kept, runs that end, and everybody counted.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::bars::DELETED_BEFORE;
use drumbeat::domain::customer::{FieldValue, Status};
use drumbeat::domain::ids::{BUCKETS, CustomerId};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::rating::{Rating, RatingBounds, RatingStarts};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::Scope;
use drumbeat::store::{HistoryFilter, StatusChange};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::rig::{Fresh, model, now, revision, text};

pub(super) fn by() -> By {
    By::new(Actor::named("mara"), Source::Console)
}

pub(super) fn cards() -> Scope {
    Scope {
        category: Some("cards".to_owned()),
        ..Scope::default()
    }
}

pub(super) fn change<'a>(status: Status, reason: Option<&'a str>, by: &'a By) -> StatusChange<'a> {
    StatusChange {
        status,
        reason,
        by,
        at: now(),
    }
}

impl Fresh {
    pub(super) async fn delete(&self, id: &str) {
        let customer = self.customer_id(id).await.unwrap().unwrap();
        self.delete_customer(customer, &by(), now()).await.unwrap();
    }

    pub(super) async fn reactivate(&self, customer: CustomerId) {
        let by = by();
        let active = change(Status::Active, None, &by);
        let changed = self.change_status(&[customer], &active).await.unwrap();
        assert_eq!(changed, [customer]);
    }

    /// Status and reason of a customer.
    pub(super) async fn standing_of(&self, id: &str) -> (Status, Option<String>) {
        let customer = self.read(id).await;
        (customer.status, customer.status_reason)
    }

    pub(super) async fn is_back(&self, id: &str) {
        let suspended = (Status::Suspended, Some(DELETED_BEFORE.to_owned()));
        assert_eq!(self.standing_of(id).await, suspended, "{id}");
    }

    pub(super) async fn is_active(&self, id: &str) {
        assert_eq!(self.standing_of(id).await, (Status::Active, None), "{id}");
    }

    pub(super) async fn set_text(&self, id: &str, field: &str, value: &str) {
        let customer = self.customer_id(id).await.unwrap().unwrap();
        let fields = [(field.to_owned(), Some(FieldValue::One(text(value))))];
        let (model, by) = (model(), by());
        let set = self.set_fields(customer, &fields, &model, &by, now());
        assert!(set.await.unwrap());
    }
}

pub(super) async fn a_status_keeps_its_reason_and_ends_runs(store: Fresh) {
    let published = store.published(&revision()).await;
    let flow = published
        .numbers
        .number(NameKind::Flow, "welcome")
        .unwrap()
        .0;
    let (a, b) = (store.person("a", &[]).await, store.person("b", &[]).await);
    for (customer, sequence) in [(a, 1), (b, 2)] {
        store.enroll(customer, flow, sequence).await;
    }
    let before = store.read("a").await.consent_rev;
    let by = by();
    let suspended = change(Status::Suspended, Some("asked by phone"), &by);
    assert_eq!(store.change_status(&[a], &suspended).await.unwrap(), [a]);
    assert_eq!(store.change_status(&[a], &suspended).await.unwrap(), []);
    let reason = Some("asked by phone".to_owned());
    assert_eq!(store.standing_of("a").await, (Status::Suspended, reason));
    assert_eq!(store.read("a").await.consent_rev, before + 1);
    let ended = |customer: CustomerId, reason: i64| {
        format!(
            "SELECT count(*) FROM enrollments WHERE customer_id = {customer} AND status = 11 \
             AND exit_reason = {reason} AND due IS NULL"
        )
    };
    assert_eq!(store.number(&ended(a, 7)).await, 1);
    assert_eq!(store.number(&ended(b, 7)).await, 0);
    let lines = store
        .history(a, &HistoryFilter::default(), 9)
        .await
        .unwrap();
    let line = lines
        .iter()
        .find(|line| line.kind == "status-changed")
        .unwrap();
    assert_eq!(line.actor.as_deref(), Some("mara"));
    assert_eq!(line.detail.as_ref().unwrap()["reason"], "asked by phone");
    // Another reason is a change, none is not.
    let again = change(Status::Suspended, Some("asked in writing"), &by);
    assert_eq!(store.change_status(&[a, b], &again).await.unwrap().len(), 2);
    let silent = change(Status::Suspended, None, &by);
    assert_eq!(store.change_status(&[a, b], &silent).await.unwrap(), []);
    let discarded = change(Status::Discarded, Some("a competitor"), &by);
    assert_eq!(store.change_status(&[b], &discarded).await.unwrap(), [b]);
    let of = async |status| store.customers_of_status(status, 0..BUCKETS).await.unwrap();
    assert_eq!(of(Status::Suspended).await, [a]);
    assert_eq!(of(Status::Discarded).await, [b]);
    store.reactivate(b).await;
    store.is_active("b").await;
}

pub(super) async fn everybody_is_counted_by_rating_in_one_pass(store: Fresh) {
    store.published(&revision()).await;
    let zone = TimeZone::get("America/New_York").unwrap();
    let today = now().to_zoned(zone.clone()).date();
    for (n, days) in [0, 15, 16, 45, 46, 120, 121, 400].into_iter().enumerate() {
        let id = store.person(&format!("c{n}"), &[]).await;
        let day = today.checked_sub(days.days()).unwrap();
        let at = day.to_zoned(zone.clone()).unwrap().timestamp();
        store
            .record(&[Interaction::new(id, at, Kind::Login)])
            .await
            .unwrap();
    }
    let never = store.person("never", &[]).await;
    let gone = store.person("discarded", &[]).await;
    let back = store.person("suspended", &[]).await;
    for (id, status) in [(gone, Status::Discarded), (back, Status::Suspended)] {
        store.set_status(id, status, &by(), now()).await.unwrap();
    }
    let starts = RatingStarts::of(RatingBounds::default(), now(), &zone);
    let counts = store.rating_counts(starts).await.unwrap();
    for (rating, count) in [
        (Rating::New, 2),
        (Rating::Frequent, 2),
        (Rating::Dormant, 2),
        (Rating::Expired, 2),
        (Rating::Inactive, 1),
        (Rating::Discarded, 1),
    ] {
        assert_eq!(counts.of(rating), count, "{rating:?}");
    }
    assert_eq!((counts.suspended, counts.total()), (1, 11));
    assert!(store.customer_id("never").await.unwrap() == Some(never));
}
