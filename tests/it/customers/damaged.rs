//! Importing damaged files: nothing valid is lost, nothing invalid is stored.

use std::process::{Command, Stdio};

use drumbeat::domain::field::{Validation, ValidationRule};
use drumbeat::store::Store;
use serde_json::json;

use super::bank::{bank, bank_of, revision};
use super::commands::desk;

#[tokio::test]
async fn of_a_damaged_file_the_valid_rows_are_stored_and_the_others_named() {
    let bank = bank().await;
    let mut file = "id,first_name,email,joined_on\n".as_bytes().to_vec();
    let mut bad = 0;
    for n in 0..2_000 {
        let row = match n % 100 {
            7 | 27 | 47 | 67 | 87 => format!("c{n},José,nobody,2026-01-31\n"),
            13 | 33 | 53 => format!("c{n},José,a@example.com,31.02.2026\n"),
            19 => format!("c{n},José\n"),
            29 => format!("c{n},José,a@example.com,,too,many\n"),
            39 => format!("c{n},\"Jo\nsé\",a@example.com,\n"),
            49 => format!("c{n},=HYPERLINK(1),a@example.com,\n"),
            59 => format!("c{n},José,\"a@example.com\r\nBcc: b\",\n"),
            69 => format!("c{n},Jo\0é,a@example.com,\n"),
            79 => String::new(),
            _ => format!("c{n},José,a{n}@example.com,2026-01-31\n"),
        };
        if n % 100 == 79 {
            file.extend_from_slice(format!("c{n},Jos\u{e9}").as_bytes());
            file.extend_from_slice(b"\xff,a@example.com,\n");
        }
        bad += u64::from(!row.contains(&format!("a{n}@example.com,2026")));
        file.extend_from_slice(row.as_bytes());
    }
    let report = bank.import(&file).await;
    assert_eq!(
        [report.read, report.created, report.rejected],
        [2_000, 2_000 - bad, bad]
    );
    assert!(bad * 10 >= 2_000, "{bad}");
    assert_eq!(bank.store.customer_count().await.unwrap(), 2_000 - bad);
    let rejects = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(report.rejects_file.unwrap())
        .unwrap()
        .into_byte_records();
    assert_eq!(rejects.count() as u64, bad);
    for n in [0, 1, 98, 1_999] {
        let customer = bank.customer(&format!("c{n}")).await;
        assert_eq!(
            customer.text("email"),
            Some(format!("a{n}@example.com").as_str())
        );
    }
}

#[tokio::test]
async fn a_validation_that_never_ends_refuses_its_row_and_no_other() {
    let mut revision = revision();
    let model = &mut revision.data_model;
    let city = model
        .fields
        .iter_mut()
        .find(|field| field.identifier == "city");
    let blow = "|replace('', value)".repeat(4);
    city.unwrap().validations.push(Validation {
        rule: ValidationRule::Script(format!("value{blow}|length >= 0")),
        message: "takes too long to look at".to_owned(),
    });
    let bank = bank_of(revision).await;
    let long = "x".repeat(2_000);
    let report = bank.import(format!("id,city\na,x\nb,{long}\nc,y\n")).await;
    assert_eq!([report.created, report.rejected], [2, 1]);
    let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
    assert!(rejects.ends_with(",3,`city`: takes too long to look at\n"));
}

#[tokio::test]
async fn an_import_that_is_killed_halfway_is_done_by_the_next_one() {
    let desk = desk();
    let rows = 150_000;
    let lines: Vec<String> = (0..rows).map(|n| format!("c{n};Lyon")).collect();
    desk.file("people.csv", &format!("id;city\n{}\n", lines.join("\n")));
    desk.json("segment count in-lyon");
    let url = format!(
        "sqlite://{}",
        desk.folder.path().join("var/drumbeat.db").display()
    );
    let store = Store::open(&url, desk.folder.path()).await.unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(["import", "people.csv"])
        .current_dir(desk.folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while store.customer_count().await.unwrap() == 0 {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended before a customer was there"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let stored = store.customer_count().await.unwrap();
    assert!(stored < rows, "{stored}");
    store.close().await;
    let report = desk.json("import people.csv");
    let counts = ["read", "created", "unchanged", "rejected"];
    let counts = counts.map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [rows, rows - stored, stored, 0]);
}

#[tokio::test]
async fn a_saving_that_is_killed_halfway_is_gone_on_with_and_can_be_taken_back() {
    let desk = desk();
    let rows = 40_000;
    let lines: Vec<String> = (0..rows).map(|n| format!("c{n};Lyon")).collect();
    desk.file(
        "people.csv",
        &format!("id;city\n{}\n;Rome\n", lines.join("\n")),
    );
    let staged = desk.json("import people.csv --stage");
    assert_eq!(
        (&staged["state"], &staged["counts"]["created"]),
        (&json!("checked"), &json!(rows))
    );
    let url = format!(
        "sqlite://{}",
        desk.folder.path().join("var/drumbeat.db").display()
    );
    let store = Store::open(&url, desk.folder.path()).await.unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_drumbeat"))
        .args(["import", "save", "1"])
        .current_dir(desk.folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while store.customer_count().await.unwrap() == 0 {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended before a customer was there"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let stored = store.customer_count().await.unwrap();
    assert!(stored < rows, "{stored}");
    store.close().await;
    let saved = desk.json("import save 1");
    let counts = ["created", "unchanged", "rejected"].map(|key| saved["counts"][key].as_u64());
    assert_eq!(counts, [Some(rows), Some(0), Some(1)]);
    let back = desk.json("import revert");
    assert_eq!((&back["changed"], &back["left"]), (&json!(rows), &json!(0)));
    let listed = desk.json("import list");
    assert_eq!(listed["imports"][0]["state"], "reverted");
}
