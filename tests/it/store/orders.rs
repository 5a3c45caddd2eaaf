//! The orders in which found customers come, and the parts of a condition counted in turn.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use drumbeat::customers::search::{self, Cursor, Search};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::field::Cardinality;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::segment::{Condition, DateTest, Moment, Test};
use drumbeat::domain::value::{Value, fold};
use drumbeat::store::{Asked, Error, Place, Published, Sort, SortBy};
use jiff::SignedDuration;

use super::rig::{Fresh, frame, model, now, revision, row, text};
use super::search::index;

/// Everybody, with values that some lack and many share.
async fn crowd(store: &Fresh) {
    let mut rows = Vec::new();
    for n in 0_i32..40 {
        let mut fields = vec![("company", text("Acme"))];
        if n % 3 != 0 {
            let name = ["Éva", "eva", "Zoe", "adam"][usize::try_from(n).unwrap() % 4];
            fields.push(("last_name", text(name)));
            fields.push(("age", Value::Integer(i64::from(n % 5))));
            fields.push(("balance", Value::Number(f64::from(n % 7) / 10.0 - 0.3)));
        }
        rows.push(row(&format!("c{n:02}"), &fields));
    }
    store.import(&rows, &model()).await;
    let mut lines = Vec::new();
    for n in (0..40).step_by(2) {
        let id = store
            .customer_id(&format!("c{n:02}"))
            .await
            .unwrap()
            .unwrap();
        let at = now() - SignedDuration::from_hours(n % 6);
        let kind = if n % 4 == 0 {
            Kind::Login
        } else {
            Kind::Transaction
        };
        lines.push(Interaction::new(id, at, kind));
    }
    store.record(&lines).await.unwrap();
}

/// What a customer is sorted by, as a text or number that compares alike.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Number(f64),
}

async fn key(store: &Fresh, id: &str, by: &SortBy) -> Option<Key> {
    let customer = store.read(id).await;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let number = |number: i64| Key::Number(number as f64);
    match by {
        SortBy::Number => None,
        SortBy::Id => Some(Key::Text(customer.external_id)),
        SortBy::Moment(Moment::Created) => Some(number(customer.created_at.as_second())),
        SortBy::Moment(Moment::LastActivity) => {
            customer.last_activity_at.map(|at| number(at.as_second()))
        }
        SortBy::Moment(moment) => {
            let column = match moment {
                Moment::LastTransaction => "last_transaction_at",
                _ => "last_engagement_at",
            };
            let sql = format!(
                "SELECT CAST(coalesce(max({column}), 0) AS BIGINT) FROM activity WHERE customer_id = {}",
                customer.id
            );
            Some(store.number(&sql).await)
                .filter(|at| *at > 0)
                .map(number)
        }
        SortBy::Field(field) => match customer.fields.get(field)? {
            FieldValue::One(Value::Text(text)) => Some(Key::Text(fold(text))),
            FieldValue::One(Value::Integer(value)) => Some(number(*value)),
            FieldValue::One(Value::Number(value)) => Some(Key::Number(*value)),
            other => panic!("{other:?}"),
        },
    }
}

pub(super) async fn every_order_lists_everybody_once_and_the_missing_last(store: Fresh) {
    let published = store.published(&revision()).await;
    crowd(&store).await;
    index(&store, &published).await;
    let orders = [
        "id",
        "created",
        "last-activity",
        "last-engagement",
        "last-transaction",
        "last_name",
        "age",
        "balance",
    ];
    let acme = Condition::Field {
        field: "company".to_owned(),
        test: Test::Is(text("ACME")),
    };
    for order in orders {
        for written in [order.to_owned(), format!("-{order}")] {
            for (text, condition) in [(None, None), (Some("acme"), None), (None, Some(&acme))] {
                let search = Search {
                    text: text.map(str::to_owned),
                    condition: condition.cloned(),
                    sort: Some(search::sort(&written, &model()).unwrap()),
                };
                let listed = paged(&store, &published, &search).await;
                let unique: BTreeSet<&String> = listed.iter().collect();
                assert_eq!((listed.len(), unique.len()), (40, 40), "{written} {text:?}");
                in_order(&store, &listed, search.sort.as_ref().unwrap()).await;
            }
        }
    }
}

async fn paged(store: &Fresh, published: &Published, search: &Search) -> Vec<String> {
    let (mut after, mut all): (Option<Cursor>, Vec<CustomerId>) = (None, Vec::new());
    loop {
        let page = search::page(store, published, search, now(), after.as_ref(), 7).await;
        let page = page.unwrap();
        let Some((_, last)) = page.customers.last() else {
            break;
        };
        // As it travels in a cursor.
        let travelled = serde_json::to_string(last).unwrap();
        after = Some(serde_json::from_str(&travelled).unwrap());
        all.extend(page.customers.iter().map(|(id, _)| *id));
    }
    let customers = store.customers(&all, &model()).await.unwrap().into_iter();
    customers.map(|customer| customer.external_id).collect()
}

async fn in_order(store: &Fresh, listed: &[String], sort: &Sort) {
    let mut keys = Vec::new();
    for id in listed {
        keys.push(key(store, id, &sort.by).await);
    }
    for pair in keys.windows(2) {
        let fits = match (&pair[0], &pair[1]) {
            (Some(a), Some(b)) if sort.descending => a.partial_cmp(b) != Some(Ordering::Less),
            (Some(a), Some(b)) => a.partial_cmp(b) != Some(Ordering::Greater),
            (None, Some(_)) => false,
            _ => true,
        };
        assert!(fits, "{sort:?}: {pair:?}");
    }
}

pub(super) async fn parts_of_a_condition_are_counted_in_turn(store: Fresh) {
    let published = store.published(&revision()).await;
    crowd(&store).await;
    let frame = frame(&published);
    let field = |field: &str, test| Condition::Field {
        field: field.to_owned(),
        test,
    };
    let parts = [
        field("last_name", Test::Exists),
        Condition::Not(Box::new(field("age", Test::Is(Value::Integer(1))))),
        // Of those who are left, for some nothing is known: they do not meet it.
        Condition::Moment {
            moment: Moment::LastTransaction,
            test: DateTest::Exists,
        },
    ];
    let counts = store.segment_counts(&parts, &frame).await.unwrap();
    let mut expected = vec![40];
    for end in 1..=parts.len() {
        let so_far = Condition::All(parts[..end].to_vec());
        expected.push(store.segment_count(&so_far, &frame).await.unwrap());
    }
    assert_eq!(counts, expected);
    assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
    assert_eq!(store.segment_counts(&[], &frame).await.unwrap(), [40]);
}

pub(super) async fn what_cannot_be_a_sort_is_refused(store: Fresh) {
    let published = store.published(&revision()).await;
    store.person("ana", &[("age", Value::Integer(3))]).await;
    let asked = Asked {
        words: None,
        condition: None,
        without: None,
    };
    let many = model().fields.into_iter();
    let many = many.filter(|field| field.cardinality == Cardinality::Many);
    for name in many
        .map(|field| field.identifier)
        .chain(["nothing".to_owned()])
    {
        assert!(search::sort(&name, &model()).is_err(), "{name}");
        let sort = Sort {
            by: SortBy::Field(name),
            descending: false,
        };
        let refused = store
            .search(&asked, &sort, &frame(&published), None, 9)
            .await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    }
    // A place in another order begins this one from the start, or from those without a value.
    let sort = search::sort("age", &model()).unwrap();
    let other: Place = serde_json::from_str(r#"{"customer":1,"key":{"text":"x"}}"#).unwrap();
    let found = store
        .search(&asked, &sort, &frame(&published), Some(&other), 9)
        .await;
    assert!(found.unwrap().is_empty());
}
