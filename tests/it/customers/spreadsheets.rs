//! Spreadsheets of people: as a segment, alone, and with tags for everybody in them.

use serde_json::{Value, json};

use super::book::{Book, texts};
use super::commands::{Desk, desk};
use super::defining::run;

/// Ana and Cid are known; the spreadsheet has Ana, and Dot and Eve, who are new.
fn with_a_spreadsheet() -> Desk {
    let desk = desk();
    desk.json("import people.csv");
    let rows = [
        ["id", "first_name", "city"],
        ["ana", "Ana", "Lyon"],
        ["dot", "Dot", "Oslo"],
        ["eve", "Eve", "Bern"],
    ];
    let rows: String = rows.iter().map(|row| texts(row)).collect();
    Book::new(&[("People", &rows)]).save(desk.folder.path());
    desk
}

fn members(preview: &Value) -> Vec<&str> {
    let customers = preview["customers"].as_array().unwrap().iter();
    let mut ids: Vec<&str> = customers
        .map(|customer| customer["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

fn tags(desk: &Desk, id: &str) -> Value {
    desk.json(&format!("customer show {id}"))["tags"].clone()
}

#[test]
fn a_segment_is_made_of_the_customers_of_a_spreadsheet() {
    let desk = with_a_spreadsheet();
    let report = desk.json("import people.xlsx --new-list fair");
    assert_eq!(
        (&report["created"], &report["rejected"]),
        (&json!(2), &json!(0))
    );
    run(
        &desk,
        &["segment", "add", "fair-guests", "--where", "{ list: fair }"],
    );
    let preview = desk.json("segment preview fair-guests");
    assert_eq!(preview["count"], 3);
    assert_eq!(members(&preview), ["ana", "dot", "eve"]);
    desk.json("list take fair dot");
    assert_eq!(desk.json("segment count fair-guests")["count"], 2);
}

#[test]
fn a_spreadsheet_is_uploaded_without_a_segment() {
    let desk = with_a_spreadsheet();
    let before = desk.json("segment list");
    let report = desk.json("import people.xlsx");
    let counts = ["read", "created", "rejected"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 0]);
    assert_eq!(desk.json("customer show dot")["fields"]["city"], "Oslo");
    assert_eq!(desk.json("segment list"), before);
    assert_eq!(desk.json("list list")["lists"], json!([]));
    assert_eq!(tags(&desk, "dot"), json!([]));
}

#[test]
fn every_customer_of_a_spreadsheet_is_given_tags_with_a_segment_or_without_one() {
    for list in ["", " --new-list fair"] {
        let desk = with_a_spreadsheet();
        run(&desk, &["tag", "add", "fair-2026"]);
        desk.json(&format!(
            "import people.xlsx --tag vip --tag fair-2026{list}"
        ));
        for id in ["ana", "dot", "eve"] {
            assert_eq!(tags(&desk, id), json!(["fair-2026", "vip"]), "{id}{list}");
        }
        assert_eq!(tags(&desk, "cid"), json!([]), "who is not in it");
    }
    let desk = with_a_spreadsheet();
    let (code, said) = desk.refused("import people.xlsx --tag vpi");
    assert_eq!(code, Some(1));
    assert!(said.contains("unknown tag `vpi`"), "{said}");
    assert_eq!(desk.refused("customer show dot").0, Some(1));
}
