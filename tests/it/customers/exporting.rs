//! Exporting customers, by function and by command.

use std::ops::ControlFlow;
use std::path::PathBuf;

use drumbeat::customers::error::Error;
use drumbeat::customers::export::{
    ExportError, ExportFormat, ExportRequest, ExportTarget, Selection, export,
};
use serde_json::json;

use super::bank::{Bank, bank, by_mara};
use super::commands::{Desk, desk};

pub(super) fn all(format: ExportFormat) -> ExportRequest {
    ExportRequest {
        selection: Selection::All,
        fields: None,
        format,
    }
}

pub(super) async fn export_to(
    bank: &Bank,
    request: &ExportRequest,
    path: PathBuf,
) -> Result<u64, Error> {
    let target = ExportTarget::File {
        path,
        replaces: false,
    };
    let watch = |_, _| ControlFlow::Continue(());
    let (store, published) = (&bank.store, &bank.published);
    export(
        store,
        published,
        request,
        target,
        &by_mara(),
        &bank.clock,
        &watch,
    )
    .await
}

fn files(bank: &Bank) -> Vec<String> {
    let entries = std::fs::read_dir(bank.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| !name.starts_with("drumbeat.db"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_customer_is_exported_once_however_many_pages_they_fill() {
    let bank = bank().await;
    let lines: Vec<String> = (0..2_345).map(|n| format!("c{n},Lyon")).collect();
    bank.import(format!("id,city\n{}\n", lines.join("\n")))
        .await;
    let path = bank.folder.path().join("all.csv");
    let count = export_to(&bank, &all(ExportFormat::Csv), path.clone())
        .await
        .unwrap();
    assert_eq!(count, 2_345);
    let records = csv::Reader::from_path(path).unwrap().into_records();
    let mut ids: Vec<String> = records
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2_345);
}

#[tokio::test]
async fn the_audit_says_who_took_how_many_customers_out() {
    let bank = bank().await;
    bank.import("id\nana\nben\n").await;
    let path = bank.folder.path().join("all.jsonl");
    export_to(&bank, &all(ExportFormat::JsonLines), path)
        .await
        .unwrap();
    let line = bank.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(
        (line.what.as_str(), line.actor.as_str()),
        ("export", "mara")
    );
    let detail: serde_json::Value = serde_json::from_str(&line.detail.unwrap()).unwrap();
    assert_eq!(detail["count"], 2);
    assert_eq!(detail["file"], "all.jsonl");
    assert_eq!(detail["of"], "all customers");
    assert_eq!(detail["finished"], true);
}

#[tokio::test]
async fn an_export_that_is_broken_off_leaves_no_file_but_a_line_in_the_audit() {
    for format in [
        ExportFormat::Csv,
        ExportFormat::Xlsx,
        ExportFormat::JsonLines,
    ] {
        let bank = bank().await;
        let lines: Vec<String> = (0..1_200).map(|n| format!("c{n}")).collect();
        bank.import(format!("id\n{}\n", lines.join("\n"))).await;
        let before = files(&bank);
        let target = ExportTarget::File {
            path: bank.folder.path().join("all"),
            replaces: false,
        };
        let watch = |_, _| ControlFlow::Break(());
        let (store, published, by) = (&bank.store, &bank.published, by_mara());
        let request = all(format);
        let broken = export(store, published, &request, target, &by, &bank.clock, &watch).await;
        let interrupted = Err(500);
        let written = broken.map_err(|error| match error {
            Error::Export(ExportError::Interrupted { written }) => written,
            other => panic!("{other}"),
        });
        assert_eq!(written, interrupted);
        assert_eq!(files(&bank), before);
        let line = bank.store.audit_lines(1).await.unwrap().remove(0);
        let detail: serde_json::Value = serde_json::from_str(&line.detail.unwrap()).unwrap();
        assert_eq!(
            (&detail["count"], &detail["finished"]),
            (&json!(500), &json!(false))
        );
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_when_that_is_said() {
    let bank = bank().await;
    bank.import("id\nana\n").await;
    let path = bank.file("all.csv", "mine");
    let refused = export_to(&bank, &all(ExportFormat::Csv), path.clone()).await;
    assert!(matches!(
        refused,
        Err(Error::Export(ExportError::Exists(_)))
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let target = ExportTarget::File {
        path: path.clone(),
        replaces: true,
    };
    let watch = |_, _| ControlFlow::Continue(());
    let request = all(ExportFormat::Csv);
    let (store, published, by) = (&bank.store, &bank.published, by_mara());
    let replaced = export(store, published, &request, target, &by, &bank.clock, &watch).await;
    assert_eq!(replaced.unwrap(), 1);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("id,email,")
    );
}

/// A desk with customers who would be formulas if they could.
fn filled() -> Desk {
    let desk = desk();
    desk.file(
        "people.csv",
        "id,first_name,city,phone,products\nana,'=1+1x,Lyon,+41791234567,a;b\n\
         ben,-Ben,Rome,,\ncid,@cid,Lyon,,+x\n",
    );
    desk.text("import people.csv");
    desk
}

#[test]
fn what_a_spreadsheet_would_evaluate_is_text_and_comes_back_as_it_was() {
    let desk = filled();
    // A formula is no value at all.
    assert_eq!(desk.refused("customer show ana").0, Some(1));
    let csv = desk.text("export --fields first_name,phone,products");
    let mut lines: Vec<&str> = csv.lines().collect();
    lines[1..].sort_unstable();
    let expected = [
        "id,first_name,phone,products",
        "ben,'-Ben,,",
        "cid,'@cid,,'+x",
    ];
    assert_eq!(lines, expected);
    desk.file("back.csv", &csv);
    let report = desk.json("import back.csv");
    assert_eq!(report["unchanged"], 2);
}

#[test]
fn an_export_holds_who_is_asked_for_in_the_columns_that_are_asked_for() {
    let desk = desk();
    desk.text("import people.csv --tag vip --consent sms=opted-in");
    let only = desk.text("export --segment in-lyon --fields city,tags,sms_consent,sms_switch");
    let mut lines: Vec<&str> = only.lines().skip(1).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["ana,Lyon,vip,opted-in,true", "cid,Lyon,vip,opted-in,true"]
    );
    desk.file("ids.txt", "cid\n\nana\n");
    let ids = desk.text("export --ids ids.txt --fields city --format jsonl");
    assert_eq!(
        ids,
        "{\"id\":\"cid\",\"city\":\"Lyon\"}\n{\"id\":\"ana\",\"city\":\"Lyon\"}\n"
    );
    let (code, said) = desk.refused("export --ids nobody");
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "error: there is no customer `nobody`\n")
    );
    let (_, said) = desk.refused("export --segment in-lyn");
    assert_eq!(
        said,
        "error: unknown segment `in-lyn`: did you mean `in-lyon`?\n"
    );
    let (_, said) = desk.refused("export --fields ctiy");
    assert_eq!(said, "error: unknown field `ctiy`: did you mean `city`?\n");
}

#[test]
fn an_export_goes_to_the_kind_of_file_that_its_name_says() {
    let desk = desk();
    desk.text("import people.csv");
    let (code, said) = desk.refused("export --format xlsx");
    assert_eq!(code, Some(2));
    assert!(said.contains("`--output FILE`"), "{said}");
    for (name, start) in [("a.csv", "id,"), ("a.jsonl", "{\"id\":"), ("a.xlsx", "PK")] {
        let said = desk.text(&format!("export --output {name}"));
        assert_eq!(said, format!("{name}: 2 customers\n"));
        let content = std::fs::read(desk.folder.path().join(name)).unwrap();
        assert!(content.starts_with(start.as_bytes()), "{name}");
        let (code, said) = desk.refused(&format!("export --output {name}"));
        assert_eq!(code, Some(1));
        assert!(said.contains("exists already"), "{said}");
        desk.text(&format!("export --output {name} --force"));
        let report = desk.json(&format!("import {name}"));
        assert_eq!(report["unchanged"], 2, "{name}: {report}");
    }
}
