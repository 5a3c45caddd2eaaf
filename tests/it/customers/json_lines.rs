//! Importing JSON Lines.

use drumbeat::customers::import::ImportRequest;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::value::Value;

use super::bank::{Bank, bank};
use super::book::{Book, texts as row};
use super::commands::desk;

fn request(bank: &Bank, content: impl AsRef<[u8]>) -> ImportRequest {
    Bank::request_of(bank.file("people.jsonl", content))
}

fn texts(texts: &[&str]) -> FieldValue {
    FieldValue::Many(
        texts
            .iter()
            .map(|text| Value::Text((*text).to_owned()))
            .collect(),
    )
}

#[tokio::test]
async fn each_line_is_a_customer_and_a_list_is_several_values() {
    let bank = bank().await;
    let file = r#"{"id": 7, "first_name": "Ana", "balance": 12.5, "paperless": true,
"#
    .replace(",\n", r#", "products": ["check; ing", "savings"]}"#)
        + "\n\n"
        + r#"{"id": "ben", "joined_on": "2026-01-31", "products": "one; only"}"#;
    let report = bank.try_import(&request(&bank, file)).await.unwrap();
    assert_eq!([report.read, report.created], [2, 2]);
    let ana = bank.customer("7").await;
    assert_eq!(ana.text("first_name"), Some("Ana"));
    assert_eq!(
        ana.fields.get("balance"),
        Some(&FieldValue::One(Value::Number(12.5)))
    );
    assert_eq!(
        ana.fields.get("paperless"),
        Some(&FieldValue::One(Value::Boolean(true)))
    );
    assert_eq!(
        ana.fields.get("products"),
        Some(&texts(&["check; ing", "savings"]))
    );
    let ben = bank.customer("ben").await;
    assert_eq!(ben.fields.get("products"), Some(&texts(&["one; only"])));
}

#[tokio::test]
async fn a_key_may_come_late_and_a_line_without_it_leaves_its_field_as_it_is() {
    let bank = bank().await;
    bank.import("id,city,zip\na,Lyon,69001\nb,Lyon,69002\nc,Lyon,69003\n")
        .await;
    let file = "{\"id\":\"a\",\"city\":\"Rome\"}\n{\"id\":\"b\",\"city\":null}\n{\"id\":\"c\",\"zip\":\"1\"}\n";
    let report = bank.try_import(&request(&bank, file)).await.unwrap();
    assert_eq!([report.updated, report.rejected], [3, 0]);
    for (id, city, zip) in [
        ("a", Some("Rome"), Some("69001")),
        ("b", None, Some("69002")),
        ("c", Some("Lyon"), Some("1")),
    ] {
        let customer = bank.customer(id).await;
        assert_eq!(
            (customer.text("city"), customer.text("zip")),
            (city, zip),
            "{id}"
        );
    }
}

#[tokio::test]
async fn lines_that_cannot_be_taken_are_written_as_such_and_can_be_corrected() {
    let bank = bank().await;
    let mut file = br#"{"id":"ok","city":"Lyon"}
{"id":"bad","email":"nobody","products":["a","b"]}
{"id":"cut","city":"Ly
[1,2]
{"id":"deep","city":{"name":"Lyon"}}
{"city":"Rome"}
{"id":"two","city":["Lyon","Rome"]}
{"id":"damaged","city":"L"#
        .to_vec();
    file.extend_from_slice(b"\xff\"}\n");
    let report = bank.try_import(&request(&bank, &file)).await.unwrap();
    assert_eq!([report.read, report.created, report.rejected], [8, 1, 7]);
    let rejects = report.rejects_file.unwrap();
    assert_eq!(rejects, bank.folder.path().join("people.rejects.jsonl"));
    let written = std::fs::read_to_string(&rejects).unwrap();
    let lines: Vec<serde_json::Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let reasons: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (2, "`email`: `nobody` is not an e-mail address"),
        (3, "the line is not a JSON object (see its character 22)"),
        (4, "the line is not a JSON object (see its character 0)"),
        (
            5,
            "`city`: holds an object: expected a value, or a list of values",
        ),
        (6, "`id`: is empty: every customer needs a unique id"),
        (7, "`city`: holds a list: expected one value"),
        (8, "the line holds bytes that are not UTF-8 text"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(lines[0]["products"], serde_json::json!(["a", "b"]));
    assert_eq!(lines[1]["text"], "{\"id\":\"cut\",\"city\":\"Ly");
    let corrected = written
        .lines()
        .next()
        .unwrap()
        .replace("nobody", "b@example.com");
    let report = bank.try_import(&request(&bank, corrected)).await.unwrap();
    assert_eq!([report.read, report.created], [1, 1]);
    assert_eq!(report.ignored_columns, ["line", "reason"]);
    let bad = bank.customer("bad").await;
    assert_eq!(bad.fields.get("products"), Some(&texts(&["a", "b"])));
}

#[tokio::test]
async fn a_line_that_is_too_long_is_rejected_alone() {
    let bank = bank().await;
    let long = "x".repeat(3 * 1024 * 1024);
    let file = format!("{{\"id\":\"a\"}}\n{{\"id\":\"{long}\"}}\n{{\"id\":\"b\"}}\n");
    let report = bank.try_import(&request(&bank, file)).await.unwrap();
    assert_eq!([report.created, report.rejected], [2, 1]);
    let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
    let expected = "{\"text\":\"\",\"line\":2,\"reason\":\"the line is longer than 1 MiB\"}\n";
    assert_eq!(rejects, expected);
}

#[tokio::test]
async fn the_kind_of_a_file_is_told_by_its_content_before_its_name() {
    let bank = bank().await;
    let file = bank.file("people.csv", "{\"id\":\"ana\",\"city\":\"Lyon\"}\n");
    let report = bank.try_import(&Bank::request_of(file)).await.unwrap();
    assert_eq!(report.created, 1);
    let array = bank.file("people.json", "[{\"id\":\"ana\"}]");
    let error = bank.try_import(&Bank::request_of(array)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected an object on each line (JSON Lines)"),
        "{error}"
    );
}

#[test]
fn lines_about_customers_come_from_any_kind_of_file() {
    let desk = desk();
    desk.text("import people.csv");
    let line = r#"{"customer":"ana","kind":"conversion","at":"2026-01-31T09:30:00Z"}"#;
    let list = r#"{"customer":["ana"],"kind":"conversion","at":["2026-01-31","x"]}"#;
    desk.file("lines.jsonl", &format!("{line}\n{list}\n"));
    let report = desk.json("import lines.jsonl --kind interactions");
    assert_eq!(
        (&report["created"], &report["rejected"]),
        (&1.into(), &1.into())
    );
    let rejects = std::fs::read_to_string(desk.folder.path().join("lines.rejects.jsonl")).unwrap();
    assert!(
        rejects.contains("a cell holds a list: expected one value"),
        "{rejects}"
    );
    let rows = row(&["customer", "kind", "at"])
        + &row(&["ana", "conversion", "2026-01-31T09:30:00Z"])
        + &row(&["cid", "conversion", "2026-01-31T09:30:00Z"])
        + r#"<row><c t="inlineStr"><is><t>cid</t></is></c><c t="e"><v>#N/A</v></c></row>"#;
    Book::new(&[("Lines", &rows)]).save(desk.folder.path());
    let report = desk.json("import people.xlsx --kind interactions");
    let counts = ["created", "unchanged", "rejected"];
    assert_eq!(counts.map(|key| report[key].as_u64().unwrap()), [1, 1, 1]);
}
