//! One customer: read, edited.

use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::ids::{Bucket, CustomerId};
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::domain::value::Value;
use drumbeat::store::{Error, HistoryFilter};

use super::rig::{Fresh, frame, importer, model, now, revision, text};

pub(super) async fn customers_come_in_the_order_asked_for(store: Fresh) {
    store.published(&revision()).await;
    let (a, b) = (store.person("a", &[]).await, store.person("b", &[]).await);
    let nobody = CustomerId::new(Bucket(3), 99);
    for order in [vec![a, nobody, b], vec![b, a]] {
        let read = store.customers(&order, &model()).await.unwrap();
        let ids: Vec<CustomerId> = read.iter().map(|customer| customer.id).collect();
        let expected: Vec<CustomerId> = order.into_iter().filter(|id| *id != nobody).collect();
        assert_eq!(ids, expected);
    }
    assert_eq!(store.customer("zzz", &model()).await.unwrap(), None);
}

pub(super) async fn every_page_goes_on_where_the_last_one_ended(store: Fresh) {
    let published = store.published(&revision()).await;
    let mut everybody = Vec::new();
    for n in 0..25 {
        let city = if n % 3 == 0 { "Lyon" } else { "Nice" };
        let id = store
            .person(&format!("c{n}"), &[("city", text(city))])
            .await;
        everybody.push((id, city));
    }
    everybody.sort_unstable();
    let condition = Condition::Field {
        field: "city".to_owned(),
        test: Test::Is(text("Lyon")),
    };
    for limit in [1, 4, 100] {
        let (mut all, mut some) = (Vec::new(), Vec::new());
        loop {
            let page = store.customers_after(all.last().copied(), limit).await;
            let page = page.unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        loop {
            let (frame, last) = (frame(&published), some.last().copied());
            let page = store.customers_meeting_after(&condition, &frame, last, limit);
            let page = page.await.unwrap();
            if page.is_empty() {
                break;
            }
            some.extend(page);
        }
        let expected: Vec<CustomerId> = everybody.iter().map(|(id, _)| *id).collect();
        assert_eq!(all, expected);
        let in_lyon = everybody.iter().filter(|(_, city)| *city == "Lyon");
        let expected: Vec<CustomerId> = in_lyon.map(|(id, _)| *id).collect();
        assert_eq!(some, expected);
    }
}

pub(super) async fn setting_a_field_to_what_it_is_writes_nothing(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[("city", text("Lyon"))]).await;
    let city = |name: &str| [("city".to_owned(), Some(FieldValue::One(text(name))))];
    let by = importer();
    let set = async |name: &str| {
        let fields = city(name);
        store
            .set_fields(id, &fields, &model(), &by, now())
            .await
            .unwrap()
    };
    let marks = store.marks().await;
    assert!(!set("Lyon").await);
    assert_eq!(store.marks().await, marks);
    assert!(set("Nice").await);
    assert_eq!(store.marks().await, marks + 1);
    let customer = store.read("a").await;
    assert_eq!(
        (customer.text("city"), customer.consent_rev),
        (Some("Nice"), 0)
    );
    let lines = store
        .history(id, &HistoryFilter::default(), 9)
        .await
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].kind, "field-changed");
    let detail = lines[0].detail.as_ref().unwrap().to_string();
    assert!(
        detail.contains("city") && !detail.contains("Nice"),
        "{detail}"
    );
}

pub(super) async fn fields_of_an_unknown_customer_cannot_be_set(store: Fresh) {
    store.published(&revision()).await;
    let fields = [("age".to_owned(), Some(FieldValue::One(Value::Integer(1))))];
    let nobody = CustomerId::new(Bucket(3), 99);
    let refused = store
        .set_fields(nobody, &fields, &model(), &importer(), now())
        .await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
}
