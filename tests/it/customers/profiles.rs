//! One customer's record, changed by a person.

use drumbeat::customers::error::Error;
use drumbeat::customers::overview::overview;
use drumbeat::customers::profiles;
use drumbeat::domain::rating::Rating;

use super::bank::{Bank, bank, by_mara, noon};

fn written(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = fields
        .iter()
        .map(|(field, text)| ((*field).to_owned(), (*text).to_owned()));
    owned.collect()
}

async fn set(bank: &Bank, fields: &[(&str, &str)]) -> Result<bool, Error> {
    let (fields, by) = (written(fields), by_mara());
    profiles::set_fields(&bank.store, &bank.revision, "ana", &fields, &by, noon()).await
}

#[tokio::test]
async fn fields_are_set_cleared_and_left_alone() {
    let bank = bank().await;
    bank.import("id,city,zip\nana,Lyon,69001\n").await;
    assert!(
        set(&bank, &[("city", "Oslo"), ("zip", ""), ("products", "a;b")])
            .await
            .unwrap()
    );
    let ana = bank.customer("ana").await;
    assert_eq!((ana.text("city"), ana.text("zip")), (Some("Oslo"), None));
    assert!(ana.fields.contains_key("products"));
    assert!(!set(&bank, &[("city", "Oslo")]).await.unwrap());
}

#[tokio::test]
async fn a_validation_refuses_with_exactly_its_message() {
    let bank = bank().await;
    bank.import("id\nana\n").await;
    let error = set(&bank, &[("city", "Oslo"), ("instagram_profile", "ana")])
        .await
        .unwrap_err();
    let Error::BadValue { field, reason } = error else {
        unreachable!("{error}")
    };
    assert_eq!(
        (field.as_str(), reason.as_str()),
        ("instagram_profile", "must begin with @")
    );
    assert_eq!(bank.customer("ana").await.text("city"), None);
}

#[tokio::test]
async fn a_field_that_the_data_model_lacks_offers_the_nearest() {
    let bank = bank().await;
    bank.import("id\nana\n").await;
    let error = set(&bank, &[("ctiy", "Oslo")]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown field `ctiy`: did you mean `city`?"
    );
}

#[tokio::test]
async fn a_customer_is_added_and_deleted() {
    let bank = bank().await;
    let (store, revision, by) = (&bank.store, &bank.revision, by_mara());
    let fields = written(&[("first_name", "José"), ("last_name", "Muñoz")]);
    assert!(
        profiles::add(store, revision, "j-1", &fields, &by, noon())
            .await
            .unwrap()
    );
    let found = profiles::customer(store, revision, "j-1").await.unwrap();
    assert_eq!(found.text("last_name"), Some("Muñoz"));
    profiles::delete(store, "j-1", &by, noon()).await.unwrap();
    let gone = profiles::customer(store, revision, "j-1").await;
    assert!(matches!(gone, Err(Error::UnknownCustomer(_))));
}

#[tokio::test]
async fn an_import_gives_a_rating_at_once_and_is_no_activity() {
    let bank = bank().await;
    bank.import("id\nana\n").await;
    let shown = overview(&bank.store, &bank.revision, "ana", noon(), 10)
        .await
        .unwrap();
    assert_eq!(shown.rating, Rating::Inactive);
    assert_eq!(shown.customer.created_at, noon());
}
