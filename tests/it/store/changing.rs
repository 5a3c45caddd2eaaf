//! Changes of single customers, many at once.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::ids::{Bucket, CustomerId};
use drumbeat::store::{Error, Store};
use tokio::task::JoinSet;

use super::rig::{Fresh, model, now, text};

const PEOPLE: usize = 40;

pub(super) async fn what_many_change_at_once_is_all_written(store: Fresh) {
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(store.person(&format!("c{n}"), &[]).await);
    }
    people.push(CustomerId::new(Bucket(7), 1_000_000));
    let mut changing = JoinSet::new();
    for (n, person) in people.into_iter().enumerate() {
        let store = Store::clone(&store);
        changing.spawn(async move {
            let (by, model) = (By::new(Actor::named("ana"), Source::Api), model());
            let city = text(["Lyon", "Rome"][n % 2]);
            let fields = [("city".to_owned(), Some(FieldValue::One(city)))];
            let changed = store.set_fields(person, &fields, &model, &by, now()).await;
            let again = store.set_fields(person, &fields, &model, &by, now()).await;
            (n, changed, again)
        });
    }
    for (n, changed, again) in changing.join_all().await {
        if n == PEOPLE {
            assert!(matches!(changed, Err(Error::NotFound(_))), "{changed:?}");
        } else {
            assert_eq!((changed.unwrap(), again.unwrap()), (true, false), "{n}");
        }
    }
    let lyon = "SELECT count(*) FROM customers WHERE f_city = 'Lyon'";
    let lines = "SELECT count(*) FROM interactions";
    let half = i64::try_from(PEOPLE / 2).unwrap();
    assert_eq!(store.number(lyon).await, half);
    assert_eq!(store.number(lines).await, half * 2);
}
