//! What is exported and imported into another store is the same.

use std::collections::BTreeMap;

use drumbeat::customers::export::ExportFormat;
use drumbeat::domain::customer::Fields;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value as Json, json};

use super::bank::{Bank, bank};
use super::exporting::{all, export_to};

/// A text that is a value: without control characters, blanks around it, or the sign of a formula.
fn text() -> impl Strategy<Value = String> {
    let texts = prop_oneof![
        "[ -~]{1,12}",
        "\\PC{1,8}",
        "['+@-]{1,3}[=0-9a-z.]{0,4}",
        "_x00[0-9A-F]{2}_",
        "[0-9]{1,20}",
        "(true|1e5|31\\.01\\.2026|null|&amp;|<x>)",
    ];
    texts.prop_filter_map("no value", |text| {
        let text = text.trim();
        let is_value = !text.is_empty()
            && !text.starts_with('=')
            && !text.chars().any(char::is_control)
            && !text.starts_with('\u{feff}');
        is_value.then(|| text.to_owned())
    })
}

fn product() -> impl Strategy<Value = String> {
    // The files of spreadsheets separate values by semicolons.
    text()
        .prop_map(|text| text.replace(';', "").trim().to_owned())
        .prop_filter("no value", |text| {
            !text.is_empty() && !text.starts_with('=')
        })
}

fn customer() -> impl Strategy<Value = Map<String, Json>> {
    let one = |value: Option<Json>| value.unwrap_or(Json::Null);
    let texts = [text().boxed(), text().boxed()].map(prop::option::of);
    let day = (1850_i16..2200, 1_i8..13, 1_i8..29);
    let day = day.prop_map(|(y, m, d)| json!(jiff::civil::date(y, m, d)));
    let instant = (0_i64..4_000_000_000_000_000)
        .prop_map(|at| json!(jiff::Timestamp::from_microsecond(at).unwrap()));
    // Amounts: of numbers with a hundred digits a file of the store keeps all but the last bit.
    let number = (-10_000_000_000_000_i64..10_000_000_000_000).prop_map(|cents| {
        let amount = format!("{}.{:02}", cents / 100, cents.abs() % 100);
        amount.parse::<f64>().unwrap()
    });
    let values = (
        prop::option::of(day),
        prop::option::of(instant),
        prop::option::of(number.prop_map(|number| json!(number))),
        prop::option::of(any::<bool>().prop_map(Json::from)),
        prop::collection::vec(product(), 0..4),
    );
    (texts, values).prop_map(
        move |([first, city], (day, instant, number, truth, products))| {
            let fields = [
                ("first_name", one(first.map(Json::from))),
                ("city", one(city.map(Json::from))),
                ("joined_on", one(day)),
                ("seen_at", one(instant)),
                ("balance", one(number)),
                ("paperless", one(truth)),
                ("products", json!(products)),
            ];
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        },
    )
}

/// What is known of everybody, by unique id.
async fn people(bank: &Bank) -> BTreeMap<String, Fields> {
    let ids = bank.store.customers_after(None, 1_000).await.unwrap();
    let customers = bank
        .store
        .customers(&ids, &bank.revision.data_model)
        .await
        .unwrap();
    customers
        .into_iter()
        .map(|customer| (customer.external_id, customer.fields))
        .collect()
}

async fn goes_round(people_there: Vec<Map<String, Json>>) {
    let here = bank().await;
    let mut lines = String::new();
    for (n, mut customer) in people_there.into_iter().enumerate() {
        customer.insert("id".to_owned(), json!(format!("c{n}")));
        lines.push_str(&Json::Object(customer).to_string());
        lines.push('\n');
    }
    let path = here.file("people.jsonl", lines);
    let report = here.try_import(&Bank::request_of(path)).await.unwrap();
    assert_eq!(report.rejected, 0);
    let expected = people(&here).await;
    for (name, format) in [
        ("all.jsonl", ExportFormat::JsonLines),
        ("all.xlsx", ExportFormat::Xlsx),
        ("all.csv", ExportFormat::Csv),
    ] {
        let there = bank().await;
        let path = there.folder.path().join(name);
        export_to(&here, &all(format), path.clone()).await.unwrap();
        let report = there.try_import(&Bank::request_of(path)).await.unwrap();
        let rejects = report
            .rejects_file
            .map(|file| std::fs::read_to_string(file).unwrap());
        assert_eq!(rejects, None, "{name}");
        assert_eq!(people(&there).await, expected, "{name}");
    }
}

#[test]
fn what_is_exported_in_any_format_is_the_same_in_another_store() {
    let config = Config {
        cases: 24,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let people = prop::collection::vec(customer(), 20..60);
    let outcome = TestRunner::new(config).run(&people, |people| {
        runtime.block_on(goes_round(people));
        Ok(())
    });
    outcome.unwrap();
}
