//! The search: what people type, conditions, orders and counts, and the index behind them.

use std::collections::BTreeSet;

use drumbeat::customers::search::{self, Cursor, Search};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::field::DataModel;
use drumbeat::domain::revision::Revision;
use drumbeat::domain::search::{Part, Words, searched};
use drumbeat::domain::segment::Condition;
use drumbeat::domain::value::Value;
use drumbeat::store::{Asked, NewCustomer, Published, Store};
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
    let model = &published.revision.data_model;
    let customers = store.customers(&page.ids(), model).await;
    let customers = customers.unwrap().into_iter();
    let ids: Vec<String> = customers.map(|customer| customer.external_id).collect();
    let (count, _) = search::count(store, published, search, now())
        .await
        .unwrap();
    assert_eq!(count, ids.len() as u64, "{search:?}");
    ids
}

/// Ana, somebody without a name, and another Ana with several products.
async fn people(store: &Fresh) -> Published {
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
    index(store, &published).await;
    published
}

pub(super) async fn a_customer_is_found_by_what_people_type(store: Fresh) {
    let published = people(&store).await;
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
        "7777",
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
        "7778",
        "\"ana\"",
        "a*a",
        "jos AND ana",
    ] {
        let found = found(&store, &published, typed).await;
        assert!(found.is_empty(), "{typed}: {found:?}");
    }
    for typed in ["ana", "a", "AN"] {
        let found: BTreeSet<String> = found(&store, &published, typed).await.into_iter().collect();
        let expected = BTreeSet::from(["A-7".to_owned(), "ÇID".to_owned()]);
        assert_eq!(found, expected, "{typed}");
    }
    assert_eq!(found(&store, &published, "  ").await.len(), 3);
    let long = ["abcdefghij".repeat(12).as_str(); 20].join(" ");
    assert!(found(&store, &published, &long).await.is_empty());
}

pub(super) async fn numbers_and_dates_are_found_as_they_are_written(store: Fresh) {
    let published = store.published(&revision()).await;
    let day = |text: &str| Value::Date(text.parse().unwrap());
    let ana = [
        ("first_name", text("Ana")),
        ("language", text("es")),
        ("born_on", day("1980-05-17")),
        ("score", Value::Integer(42)),
        ("age", Value::Integer(1_234)),
        ("balance", Value::Number(-1_234.5)),
        ("member", Value::Boolean(true)),
        (
            "seen_at",
            Value::Instant("2026-01-31T09:30:00Z".parse().unwrap()),
        ),
    ];
    store.person("A-7", &ana).await;
    let scores = FieldValue::Many(vec![Value::Integer(870), Value::Integer(9)]);
    let mut ben = row("B_8", &[("balance", Value::Number(70_000.0))]);
    ben.fields.push(("scores".to_owned(), Some(scores)));
    store.import(&[ben], &model()).await;
    index(&store, &published).await;
    for typed in [
        "1980-05-17",
        "17.05.1980",
        "17.5.1980 ana",
        "1980-05",
        "42",
        "42.0",
        "234",
        "-1234.5",
        "-1234.50",
        "31.01.2026",
        "2026-01-31T09:30:00Z",
        "2026-01-31 09:30",
        "ES",
    ] {
        assert_eq!(found(&store, &published, typed).await, ["A-7"], "{typed}");
    }
    for typed in ["870", "9", "70000", "70000.00", "000"] {
        assert_eq!(found(&store, &published, typed).await, ["B_8"], "{typed}");
    }
    for typed in ["18.05.1980", "87", "8.0", "e", "true", "null", "yes"] {
        let found = found(&store, &published, typed).await;
        assert!(found.is_empty(), "{typed}: {found:?}");
    }
    // A day that is taken away is not found any more, and the new one is.
    store.person("A-7", &[("born_on", day("1980-05-18"))]).await;
    index(&store, &published).await;
    assert!(found(&store, &published, "17.05.1980").await.is_empty());
    assert_eq!(found(&store, &published, "18.05.1980").await, ["A-7"]);
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
            let is_there = |spelling: &String| text.contains(spelling.as_str());
            let has = |parts: &Vec<Part>| parts.iter().all(|part| part.iter().any(is_there));
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
    // Of yes and no there is no text.
    let texts = "SELECT count(*) FROM search_texts";
    let member = [("member", Value::Boolean(true))];
    store.person("ana", &member).await;
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
    let first = search::page(&store, &published, &search, now(), None, 1).await;
    let (_, cursor) = first.unwrap().customers.remove(0);
    assert_eq!(cursor, Cursor::Exact);
    let rest = search::page(&store, &published, &search, now(), Some(&cursor), 9).await;
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
