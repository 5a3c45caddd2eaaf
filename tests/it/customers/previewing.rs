//! Looking at a file before it is imported.

use drumbeat::customers::preview::preview;
use serde_json::json;

use super::bank::{Bank, bank};
use super::book::{Book, texts};
use super::commands::desk;

#[tokio::test]
async fn a_preview_shows_which_column_fills_which_field_and_what_becomes_of_the_values() {
    let bank = bank().await;
    let file = "id;First name;joined_on;Shoe size\nana;Ana;31.01.2026;43\nben;Ben;soon;43\n\
        cid;Cid\nlate;Late;;\n";
    let input = bank.request(file).input;
    let shown = preview(&input, &bank.revision, 3).unwrap();
    assert_eq!((shown.kind, shown.encoding), ("csv", "UTF-8"));
    assert_eq!(shown.delimiter.as_deref(), Some(";"));
    let columns: Vec<(&str, Option<&str>, usize)> = shown
        .columns
        .iter()
        .map(|column| {
            (
                column.name.as_str(),
                column.field.as_deref(),
                column.refused,
            )
        })
        .collect();
    let expected = [
        ("id", Some("id"), 0),
        ("First name", Some("first_name"), 0),
        ("joined_on", Some("joined_on"), 1),
        ("Shoe size", None, 0),
    ];
    assert_eq!(columns, expected);
    assert_eq!(shown.columns[1].samples, ["Ana", "Ben"]);
    assert_eq!(shown.rows.len(), 3);
    let joined = &shown.rows[0].cells[2];
    assert_eq!(
        (joined.text.as_str(), joined.value.as_deref()),
        ("31.01.2026", Some("2026-01-31"))
    );
    let soon = shown.rows[1].cells[2].problem.as_deref();
    assert_eq!(soon, Some("`soon` is not a date such as 2026-01-31"));
    let ragged = shown.rows[2].problem.as_deref();
    assert_eq!(
        ragged,
        Some("the row has 2 cells, and the header 4 columns")
    );
    assert_eq!(bank.store.customer_count().await.unwrap(), 0);
    assert!(!bank.folder.path().join("people.rejects.csv").exists());
}

#[tokio::test]
async fn a_preview_of_what_cannot_be_imported_still_proposes_a_mapping() {
    let bank = bank().await;
    let shown = preview(
        &bank.request("mail,City\na@example.com,Lyon\n").input,
        &bank.revision,
        9,
    );
    let shown = shown.unwrap();
    assert_eq!(shown.columns[1].field.as_deref(), Some("city"));
    assert!(
        shown
            .problem
            .unwrap()
            .starts_with("no column holds the unique id")
    );
    let mut input = bank.request("mail,City\na@example.com,Lyon\n").input;
    input.map = vec![("mail".to_owned(), "id".to_owned())];
    let shown = preview(&input, &bank.revision, 9).unwrap();
    assert_eq!(
        (shown.problem, shown.columns[0].field.as_deref()),
        (None, Some("id"))
    );
}

#[tokio::test]
async fn a_preview_of_a_workbook_names_its_sheets() {
    let bank = bank().await;
    let people = texts(&["id", "city"]) + &texts(&["ana", "Lyon"]);
    let book = Book::new(&[("Notes", ""), ("People", &people)]);
    let input = Bank::request_of(book.save(bank.folder.path())).input;
    let shown = preview(&input, &bank.revision, 9).unwrap();
    assert_eq!(
        (shown.kind, shown.sheet.as_deref()),
        ("xlsx", Some("People"))
    );
    assert_eq!(shown.sheets, ["Notes", "People"]);
    assert_eq!(shown.rows[0].cells[1].value.as_deref(), Some("Lyon"));
}

#[test]
fn the_command_shows_a_preview_and_stores_nothing() {
    let desk = desk();
    let text = desk.text("import people.csv --preview --rows 2");
    let expected = "people.csv: csv, cells separated by `;`, UTF-8\n  \
        id          -> id          ana | ben\n  \
        first_name  -> first_name  Ana | Ben\n  \
        city        -> city        Lyon | Rome\n  \
        joined_on   -> joined_on   2026-01-31 | 2026-02-01\n  \
        email       -> email       ana@example.com | nobody  1 refused\n\
        1 of the first 2 rows would be taken\n  \
        line 3: `email`: `nobody` is not an e-mail address\n";
    assert_eq!(text, expected);
    let facts = desk.json("import people.csv --preview");
    assert_eq!(facts["rows"].as_array().unwrap().len(), 3);
    assert_eq!(facts["columns"][2]["field"], "city");
    assert_eq!(
        facts["rows"][0]["cells"][0],
        json!({"text": "ana", "value": "ana", "problem": null})
    );
    assert_eq!(desk.refused("customer show ana").0, Some(1));
}
