//! The search: what people type, conditions, orders and counts, and the index behind them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use drumbeat::customers::search::{self, Cursor, Search};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::field::{Cardinality, DataModel};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::Revision;
use drumbeat::domain::search::{Words, searched};
use drumbeat::domain::segment::{Condition, DateTest, Moment, Test};
use drumbeat::domain::value::{Value, fold};
use drumbeat::store::{Asked, Error, NewCustomer, Place, Published, Sort, SortBy, Store};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::rig::{Fresh, frame, importer, model, now, revision, row, text};

/// Makes all texts that are to be made.
pub(super) async fn index(store: &Store, published: &Published) {
    store.search_by(published).await.unwrap();
    while store.index_search(published, 100, true).await.unwrap() > 0 {}
    assert_eq!(store.search_waiting().await.unwrap().customers, 0);
}

async fn found(store: &Fresh, published: &Published, typed: &str) -> Vec<String> {
    let search = Search {
        text: Some(typed.to_owned()),
        ..Search::default()
    };
    ids(store, published, &search).await
}

async fn ids(store: &Fresh, published: &Published, search: &Search) -> Vec<String> {
    let page = search::page(store, published, search, now(), None, 1_000).await;
    let page = page.unwrap();
    let customers = search::records(store, published, &page.customers).await;
    let customers = customers.unwrap().into_iter();
    let ids: Vec<String> = customers.map(|customer| customer.external_id).collect();
    let (count, _) = search::count(store, published, search, now())
        .await
        .unwrap();
    assert_eq!(count, ids.len() as u64, "{search:?}");
    ids
}

pub(super) async fn a_customer_is_found_by_what_people_type(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = [
        ("first_name", text("Ana")),
        ("last_name", text("Núñez")),
        ("city", text("San José")),
    ];
    store.person("A-7", &ana).await;
    let ben = [
        ("email", text("50%off@example.com")),
        ("phone", text("+34600123456")),
        ("age", Value::Integer(7_777)),
    ];
    store.person("B_8", &ben).await;
    let products = FieldValue::Many(vec![text("Überweisung"), text("loan")]);
    let mut cid = row("ÇID", &[("first_name", text("Ana"))]);
    cid.fields.push(("products".to_owned(), Some(products)));
    store.import(&[cid], &model()).await;
    index(&store, &published).await;
    for typed in [
        "a-7",
        "nunez",
        "NÚÑ",
        "ñez",
        "nunez san",
        "san jose ana",
        "nú",
    ] {
        assert_eq!(found(&store, &published, typed).await, ["A-7"], "{typed}");
    }
    for typed in [
        "50%",
        "exam",
        "%off@",
        "346",
        "+34 600-123",
        "(600) 123.45",
        "b_8",
        "b_",
    ] {
        assert_eq!(found(&store, &published, typed).await, ["B_8"], "{typed}");
    }
    for typed in ["uberw", "LOAN", "loan uber", "cid", "çi"] {
        assert_eq!(found(&store, &published, typed).await, ["ÇID"], "{typed}");
    }
    for typed in [
        "%%%",
        "b%8",
        "zzz",
        "na",
        "ez",
        "san lisboa",
        "7777",
        "\"ana\"",
        "a*a",
        "jos AND ana",
    ] {
        let found = found(&store, &published, typed).await;
        assert!(found.is_empty(), "{typed}: {found:?}");
    }
    for typed in ["ana", "a", "AN"] {
        let found: BTreeSet<String> = found(&store, &published, typed).await.into_iter().collect();
        let mut expected = BTreeSet::from(["A-7".to_owned(), "ÇID".to_owned()]);
        expected.retain(|id| typed != "x" || id != "A-7");
        assert_eq!(found, expected, "{typed}");
    }
    assert_eq!(found(&store, &published, "  ").await.len(), 3);
}

/// Letters that fold into others, and signs that mean something to databases.
fn typed() -> impl Strategy<Value = String> {
    let letters = "abcABCñÑÉéßıİ. -%_'\"\\*()0123@+ﬁ";
    let letters: Vec<char> = letters.chars().collect();
    vec(select(letters), 0..9).prop_map(String::from_iter)
}

pub(super) async fn what_is_found_is_what_an_oracle_finds(store: Fresh) {
    let published = store.published(&revision()).await;
    let mut runner = TestRunner::deterministic();
    let mut draw = || typed().new_tree(&mut runner).unwrap().current();
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut rows = Vec::new();
    for n in 0..60 {
        let id = format!("{n}{}", draw().trim());
        let (first, city, several) = (draw(), draw(), draw());
        let mut customer = row(&id, &[("first_name", text(&first)), ("city", text(&city))]);
        let products = FieldValue::Many(vec![text(&several)]);
        customer
            .fields
            .push(("products".to_owned(), Some(products)));
        rows.push(customer);
        let names = [id.as_str(), &first];
        texts.push((id.clone(), searched(names, [city.as_str(), &several])));
    }
    store.import(&rows, &model()).await;
    index(&store, &published).await;
    let mut hits = 0;
    for n in 0..150 {
        let typed = match texts.get(n) {
            // A part of somebody's text.
            Some((_, text)) => text
                .split_whitespace()
                .last()
                .unwrap_or_default()
                .to_owned(),
            None => draw(),
        };
        let Some(words) = Words::of(&typed) else {
            continue;
        };
        let meets = |text: &str| {
            let has = |parts: &Vec<String>| parts.iter().all(|part| text.contains(part.as_str()));
            words.alternatives().iter().any(has)
        };
        let expected = texts
            .iter()
            .filter(|(id, text)| meets(text) || *id == typed.trim());
        let expected: BTreeSet<String> = expected.map(|(id, _)| id.clone()).collect();
        let found = found(&store, &published, &typed).await;
        let found: BTreeSet<String> = found.into_iter().collect();
        assert_eq!(found, expected, "{typed:?}");
        hits += found.len();
    }
    assert!(hits > 60, "{hits}");
}

pub(super) async fn a_change_is_found_once_it_is_indexed_and_a_deletion_at_once(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = store.person("ana", &[("city", text("Lyon"))]).await;
    assert_eq!(found(&store, &published, "ana").await, ["ana"]);
    index(&store, &published).await;
    assert_eq!(found(&store, &published, "lyon").await, ["ana"]);
    // What is no text changes no text.
    let texts = "SELECT count(*) FROM search_texts";
    store.person("ana", &[("age", Value::Integer(5))]).await;
    index(&store, &published).await;
    assert_eq!(store.number(texts).await, 1);
    store.person("ana", &[("city", text("Rome"))]).await;
    assert_eq!(store.search_waiting().await.unwrap().customers, 1);
    assert_eq!(found(&store, &published, "lyon").await, ["ana"]);
    index(&store, &published).await;
    assert!(found(&store, &published, "lyon").await.is_empty());
    assert_eq!(found(&store, &published, "rome").await, ["ana"]);
    store.person("ana", &[("city", text("Nice"))]).await;
    store
        .delete_customer(ana, &importer(), now())
        .await
        .unwrap();
    for typed in ["rome", "nice", "ana"] {
        assert!(found(&store, &published, typed).await.is_empty(), "{typed}");
    }
    index(&store, &published).await;
    assert_eq!(store.number(texts).await, 0);
}

pub(super) async fn many_new_customers_are_indexed_bucket_by_bucket(store: Fresh) {
    let published = store.published(&revision()).await;
    index(&store, &published).await;
    let rows: Vec<NewCustomer> = (0..1_500)
        .map(|n| row(&format!("c{n}"), &[("city", text("Lyon"))]))
        .collect();
    store.import(&rows, &model()).await;
    assert_eq!(store.number("SELECT count(*) FROM search_marks").await, 0);
    assert_eq!(store.number("SELECT count(*) FROM search_ranges").await, 1);
    // A change meanwhile is a mark of its own, and goes first.
    store.person("c7", &[("city", text("Rome"))]).await;
    let waiting = store.search_waiting().await.unwrap();
    assert!(waiting.customers > 1_500, "{waiting:?}");
    assert_eq!(store.index_search(&published, 100, false).await.unwrap(), 1);
    assert_eq!(store.index_search(&published, 100, false).await.unwrap(), 0);
    assert_eq!(found(&store, &published, "rome").await, ["c7"]);
    store.index_search(&published, 100, true).await.unwrap();
    let left = store.search_waiting().await.unwrap();
    assert!(
        left.customers < 1_500 && left.newest == waiting.newest,
        "{left:?}"
    );
    index(&store, &published).await;
    assert_eq!(
        store.number("SELECT count(*) FROM search_texts").await,
        1_500
    );
    let asked = Words::of("lyon");
    let asked = Asked {
        words: asked.as_ref(),
        condition: None,
        without: None,
    };
    let count = store.search_count(&asked, &frame(&published)).await;
    assert_eq!(count.unwrap(), 1_499);
}

pub(super) async fn a_new_data_model_makes_every_text_anew(store: Fresh) {
    let published = store.published(&revision()).await;
    let fields = [("city", text("Lyon")), ("tier", text("gold"))];
    store.person("ana", &fields).await;
    index(&store, &published).await;
    assert_eq!(found(&store, &published, "gold").await, ["ana"]);
    assert!(!store.search_by(&published).await.unwrap());
    let model = DataModel {
        fields: model()
            .fields
            .into_iter()
            .filter(|field| field.identifier != "tier")
            .collect(),
        ..model()
    };
    let without = Revision {
        data_model: model,
        ..revision()
    };
    let published = store.published(&without).await;
    assert!(store.search_by(&published).await.unwrap());
    assert!(store.search_waiting().await.unwrap().customers > 0);
    index(&store, &published).await;
    assert!(found(&store, &published, "gold").await.is_empty());
    assert_eq!(found(&store, &published, "lyon").await, ["ana"]);
}

pub(super) async fn a_check_finds_a_text_of_something_else(store: Fresh) {
    let published = store.published(&revision()).await;
    for n in 0..200 {
        store.person(&format!("c{n}"), &[]).await;
    }
    let codes = async || -> Vec<&str> {
        let found = store.examine().await.unwrap();
        found.iter().map(|finding| finding.code).collect()
    };
    // Who waits for the index is not wrong.
    assert!(codes().await.is_empty());
    index(&store, &published).await;
    assert!(codes().await.is_empty());
    store.execute("UPDATE search_texts SET text = 'x'").await;
    assert_eq!(codes().await, ["search"]);
    store.execute("DELETE FROM search_fields").await;
    assert!(codes().await.is_empty());
    index(&store, &published).await;
    assert!(codes().await.is_empty());
    assert_eq!(found(&store, &published, "c7").await[0], "c7");
}

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

pub(super) async fn whoever_has_the_text_for_an_id_comes_first(store: Fresh) {
    let published = store.published(&revision()).await;
    for id in ["anabel", "ana", "banana"] {
        store.person(id, &[]).await;
    }
    index(&store, &published).await;
    let search = Search {
        text: Some("ana".to_owned()),
        ..Search::default()
    };
    let first = search::page(&*store, &published, &search, now(), None, 1).await;
    let (_, cursor) = first.unwrap().customers.remove(0);
    assert_eq!(cursor, Cursor::Exact);
    let rest = search::page(&*store, &published, &search, now(), Some(&cursor), 9).await;
    assert_eq!(rest.unwrap().customers.len(), 2);
    let found = found(&store, &published, "ana").await;
    assert_eq!((found[0].as_str(), found.len()), ("ana", 3));
    // Unless they do not meet the condition.
    let search = Search {
        condition: Some(Condition::Tag("vip".to_owned())),
        ..search
    };
    assert!(ids(&store, &published, &search).await.is_empty());
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
