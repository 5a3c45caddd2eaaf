//! Many customers at once: what is created, changed, left alone, and how it reads back.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::value::Value;
use drumbeat::store::{HistoryFilter, NewCustomer, Upsert, Upserted};
use jiff::civil::date;

use super::rig::{Fresh, importer, model, now, revision, row, text};

fn rows(count: usize, city: &str) -> Vec<NewCustomer> {
    let id = |n| format!("C-{n:06}");
    (0..count)
        .map(|n| row(&id(n), &[("city", text(city)), ("age", Value::Integer(30))]))
        .collect()
}

fn counts(created: u64, updated: u64, unchanged: u64) -> Upserted {
    Upserted {
        created,
        updated,
        unchanged,
    }
}

pub(super) async fn a_second_import_of_the_same_rows_changes_nothing(store: Fresh) {
    store.published(&revision()).await;
    assert_eq!(
        store.import(&rows(700, "Lyon"), &model()).await,
        counts(700, 0, 0)
    );
    let marks = store.marks().await;
    assert_eq!(
        store.import(&rows(700, "Lyon"), &model()).await,
        counts(0, 0, 700)
    );
    assert_eq!(store.marks().await, marks);
    assert_eq!(store.customer_count().await.unwrap(), 700);
    assert_eq!(store.number("SELECT count(*) FROM interactions").await, 0);
}

pub(super) async fn only_rows_that_differ_are_written_and_marked(store: Fresh) {
    store.published(&revision()).await;
    store.import(&rows(600, "Lyon"), &model()).await;
    store.execute("DELETE FROM dirty").await;
    let mut edited = rows(601, "Lyon");
    edited[7].fields[0].1 = Some(FieldValue::One(text("Nice")));
    assert_eq!(store.import(&edited, &model()).await, counts(1, 1, 599));
    assert_eq!(store.number("SELECT count(*) FROM dirty").await, 2);
    assert_eq!(store.read("C-000007").await.text("city"), Some("Nice"));
    assert_eq!(store.read("C-000008").await.text("city"), Some("Lyon"));
}

pub(super) async fn a_field_that_is_not_named_stays_and_none_clears(store: Fresh) {
    store.published(&revision()).await;
    store
        .person("a", &[("city", text("Lyon")), ("tier", text("gold"))])
        .await;
    let clear = NewCustomer {
        external_id: "a".to_owned(),
        fields: vec![("city".to_owned(), None)],
    };
    assert_eq!(store.import(&[clear], &model()).await, counts(0, 1, 0));
    let customer = store.read("a").await;
    assert_eq!(
        (customer.text("city"), customer.text("tier")),
        (None, Some("gold"))
    );
    // Rows of one batch need not name the same fields.
    let mixed = [
        row("a", &[("age", Value::Integer(5))]),
        row("b", &[("city", text("Nice"))]),
    ];
    assert_eq!(store.import(&mixed, &model()).await, counts(1, 1, 0));
    assert_eq!(store.read("a").await.text("tier"), Some("gold"));
}

pub(super) async fn later_rows_of_the_same_customer_win(store: Fresh) {
    store.published(&revision()).await;
    let twice = [
        row("a", &[("city", text("Lyon")), ("age", Value::Integer(1))]),
        row("a", &[("city", text("Nice"))]),
    ];
    assert_eq!(store.import(&twice, &model()).await, counts(1, 0, 0));
    let customer = store.read("a").await;
    assert_eq!(customer.text("city"), Some("Nice"));
    assert_eq!(customer.fields["age"], FieldValue::One(Value::Integer(1)));
}

pub(super) async fn every_type_reads_back_as_it_was_written(store: Fresh) {
    store.published(&revision()).await;
    let values = [
        ("first_name", text("Zoë \u{1f3b5} \"O'Neil\\")),
        ("age", Value::Integer(i64::MAX)),
        ("balance", Value::Number(0.1 + 0.2)),
        ("member", Value::Boolean(false)),
        ("joined_on", Value::Date(date(1899, 12, 31))),
        ("seen_at", Value::Instant(now())),
    ];
    let mut customer = row("Ä 1", &values);
    let scores = [9_007_199_254_740_993, -1].map(Value::Integer).to_vec();
    let scores = ("scores".to_owned(), Some(FieldValue::Many(scores)));
    customer.fields.push(scores.clone());
    store.import(&[customer], &model()).await;
    let read = store.read("Ä 1").await;
    for (name, value) in values {
        assert_eq!(read.fields[name], FieldValue::One(value), "{name}");
    }
    assert_eq!(Some(&read.fields["scores"]), scores.1.as_ref());
    assert_eq!(read.external_id, "Ä 1");
    assert_eq!(read.created_at, now());
}

pub(super) async fn tags_and_lists_count_as_changes_where_they_are_new(store: Fresh) {
    store.published(&revision()).await;
    let (by, tags) = (importer(), ["vip".to_owned()]);
    let (model, consents) = (model(), []);
    let how = Upsert {
        model: &model,
        tags: &tags,
        consents: &consents,
        by: &by,
        at: now(),
    };
    let products = |values: &[&str]| {
        let values = values.iter().map(|value| text(value)).collect();
        let mut customer = row("a", &[]);
        let field = ("products".to_owned(), Some(FieldValue::Many(values)));
        customer.fields.push(field);
        [customer]
    };
    store.import(&[row("a", &[])], &model).await;
    let upsert = async |rows: &[NewCustomer]| store.upsert_customers(rows, &how).await.unwrap();
    assert_eq!(upsert(&[row("a", &[])]).await, counts(0, 1, 0));
    assert_eq!(upsert(&[row("a", &[])]).await, counts(0, 0, 1));
    assert_eq!(upsert(&products(&["loan", "card"])).await, counts(0, 1, 0));
    assert_eq!(upsert(&products(&["loan", "card"])).await, counts(0, 0, 1));
    assert_eq!(upsert(&products(&["card"])).await, counts(0, 1, 0));
    let customer = store.read("a").await;
    assert_eq!(customer.tags, ["vip"]);
    assert_eq!(
        customer.fields["products"],
        FieldValue::Many(vec![text("card")])
    );
    assert_eq!(upsert(&products(&[])).await, counts(0, 1, 0));
    assert_eq!(store.read("a").await.fields.get("products"), None);
}

pub(super) async fn a_given_consent_is_recorded_once_with_who_gave_it(store: Fresh) {
    store.published(&revision()).await;
    let (by, model) = (importer().noting("spring fair"), model());
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[(Channel::Sms, Consent::OptedIn)],
        by: &by,
        at: now(),
    };
    store.import(&[row("a", &[])], &model).await;
    let both = [row("a", &[]), row("b", &[])];
    assert_eq!(
        store.upsert_customers(&both, &how).await.unwrap(),
        counts(1, 1, 0)
    );
    assert_eq!(
        store.upsert_customers(&both, &how).await.unwrap(),
        counts(0, 0, 2)
    );
    for id in ["a", "b"] {
        let customer = store.read(id).await;
        assert_eq!(customer.consents.sms, Consent::OptedIn);
        assert_eq!(customer.consent_rev, 1, "{id}");
        let lines = store
            .history(customer.id, &HistoryFilter::default(), 9)
            .await
            .unwrap();
        assert_eq!(lines.len(), 1, "{id}");
        assert_eq!(lines[0].actor.as_deref(), Some("ana"));
        let detail = lines[0].detail.as_ref().unwrap();
        assert_eq!(detail["source"], "import");
        assert_eq!(detail["note"], "spring fair");
        assert_eq!(
            (&detail["was"], &detail["is"]),
            (&"subscribed".into(), &"opted-in".into())
        );
    }
}

pub(super) async fn a_value_of_another_type_is_refused_and_nothing_is_written(store: Fresh) {
    store.published(&revision()).await;
    let by = By::new(Actor::named("ana"), Source::Api);
    let model = model();
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[],
        by: &by,
        at: now(),
    };
    for bad in [
        row("b", &[("age", text("old"))]),
        row("b", &[("nope", text("x"))]),
    ] {
        let rows = [row("a", &[]), bad];
        let error = store
            .upsert_customers(&rows, &how)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains('`'), "{error}");
    }
    assert_eq!(store.customer_count().await.unwrap(), 0);
}

pub(super) async fn ten_thousand_rows_go_in_at_once(store: Fresh) {
    store.published(&revision()).await;
    let rows = rows(10_000, "Lyon");
    assert_eq!(store.import(&rows, &model()).await, counts(10_000, 0, 0));
    assert_eq!(store.import(&rows, &model()).await, counts(0, 0, 10_000));
    let others = self::rows(10_000, "Nice");
    assert_eq!(store.import(&others, &model()).await, counts(0, 10_000, 0));
    let bad =
        "SELECT count(*) FROM customers WHERE bucket <> customer_id >> 48 OR n_city <> 'nice'";
    assert_eq!(store.number(bad).await, 0);
    assert_eq!(
        store
            .number("SELECT count(DISTINCT customer_id) FROM dirty")
            .await,
        10_000
    );
}

pub(super) async fn the_few_who_are_known_among_many_new_ones_are_changed(store: Fresh) {
    store.published(&revision()).await;
    let all = rows(4_000, "Łódź");
    let known: Vec<NewCustomer> = all.iter().step_by(900).cloned().collect();
    assert_eq!(store.import(&known[..4], &model()).await, counts(4, 0, 0));
    let elsewhere = [row("C-003600", &[("city", text("Lyon"))])];
    assert_eq!(store.import(&elsewhere, &model()).await, counts(1, 0, 0));
    let before = store.read("C-000900").await.id;
    assert_eq!(store.import(&all, &model()).await, counts(3_995, 1, 4));
    assert_eq!(store.read("C-000900").await.id, before);
    let folded = "SELECT count(*) FROM customers WHERE n_city = 'łodz'";
    assert_eq!(store.number(folded).await, 4_000);
    let numbers = "SELECT count(DISTINCT customer_id & 281474976710655) FROM customers";
    assert_eq!(store.number(numbers).await, 4_000);
    assert_eq!(store.number("SELECT count(*) FROM dirty").await, 4_000);
}
