//! Reading and importing workbooks.

use std::path::{Path, PathBuf};

use drumbeat::customers::table::{Row, Table, TableError, TableKind, TableOptions};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::value::Value;
use jiff::civil::date;
use tempfile::TempDir;

use super::bank::{Bank, bank};
use super::book::{Book, texts};

const STYLES: &str = r#"<styleSheet>
    <numFmts><numFmt numFmtId="170" formatCode="dd\.mm\.yyyy\ hh:mm"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"><alignment/></xf></cellXfs>
    <dxfs><xf numFmtId="14"/></dxfs></styleSheet>"#;
const STRINGS: &str = r#"<sst uniqueCount="4000000000">
    <si><t>id</t></si>
    <si><r><t>Zü</t></r><r><rPr/><t xml:space="preserve">rich &amp; &#233;</t></r><rPh><t>x</t></rPh></si>
    <si/><si><t>a_x000D_b</t></si></sst>"#;

struct Read {
    columns: Vec<String>,
    rows: Vec<Row>,
}

fn read(path: &Path) -> Result<Read, TableError> {
    let mut table = Table::open(path, &TableOptions::default())?;
    assert_eq!(table.kind(), TableKind::Xlsx);
    let mut rows = Vec::new();
    loop {
        let mut row = Row::default();
        if !table.read(&mut row)? {
            break;
        }
        rows.push(row);
    }
    let columns = table.columns().to_vec();
    Ok(Read { columns, rows })
}

fn save(book: &Book) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = book.save(folder.path());
    (folder, path)
}

fn cells(row: &Row) -> Vec<&str> {
    row.cells().collect()
}

#[test]
fn every_kind_of_cell_is_read_as_people_see_it() {
    let rows = r#"<row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2" t="inlineStr"><is><t>c</t></is></c>
        <c r="E2" t="inlineStr"><is><t> e </t></is></c><c r="F2" s="1"/></row>
        <row r="3"/><row r="4"><c r="B4"><v></v></c></row>
        <row r="5"><c r="A5" t="s"><v>1</v></c><c r="B5" s="1"><v>46053</v></c>
          <c r="C5" s="2"><v>46053.395833333336</v></c><c r="D5"><v>12.0</v></c>
          <c r="E5" t="b"><v>1</v></c></row>
        <row r="7"><c r="A7"><f>1+1</f><v>2</v></c><c r="B7" t="str"><f>A1&amp;""</f><v></v></c>
          <c r="C7" t="s"><v>3</v></c><c r="D7" t="d"><v>2026-01-31</v></c><c r="E7"><v>1E3</v></c></row>"#;
    let book = Book::new(&[("People", rows)])
        .with("xl/styles.xml", STYLES)
        .with("xl/sharedStrings.xml", STRINGS);
    let (_folder, path) = save(&book);
    let read = read(&path).unwrap();
    assert_eq!(read.columns, ["id", "", "c", "", "e"]);
    let lines: Vec<u64> = read.rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [5, 7]);
    let expected = [
        "Zürich & é",
        "2026-01-31",
        "2026-01-31T09:30:00",
        "12",
        "true",
    ];
    assert_eq!(cells(&read.rows[0]), expected);
    assert_eq!(
        cells(&read.rows[1]),
        ["2", "", "a\rb", "2026-01-31", "1000"]
    );
    assert!(read.rows.iter().all(|row| row.flaws.is_empty()));
}

#[test]
fn cells_without_a_value_that_can_be_believed_are_named() {
    let header = texts(&["a", "b", "c", "d", "e", "f"]);
    let rows = format!(
        r#"{header}<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><f>SUM(A1)</f></c>
        <c r="C2" t="s"><v>9</v></c><c r="D2" s="1"><v>60</v></c><c r="E2" t="b"><v>2</v></c>
        <c r="F2" t="e"><v>#SPILL!</v></c></row>{}"#,
        texts(&["1", "2", "3", "4", "5", "6"])
    );
    let book = Book::new(&[("People", &rows)]).with("xl/styles.xml", STYLES);
    let (_folder, path) = save(&book);
    let read = read(&path).unwrap();
    let expected = [
        (0, "holds the error #N/A"),
        (1, "holds a formula without a value"),
        (2, "names a text that there is not"),
        (3, "is not a day of the calendar"),
        (4, "is neither true nor false"),
        (5, "holds the error #SPILL!"),
    ];
    let expected = expected.map(|(place, why)| (place, why.to_owned()));
    assert_eq!(read.rows[0].flaws, expected);
    assert_eq!(cells(&read.rows[1]), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn the_first_sheet_that_is_not_empty_is_read_unless_another_is_named() {
    let people = texts(&["id"]) + &texts(&["ana"]);
    let others = texts(&["id"]) + &texts(&["ben"]);
    let book = Book::new(&[
        ("Empty", "<row/>"),
        ("People", &people),
        ("Others", &others),
    ]);
    let (_folder, path) = save(&book);
    let open = |sheet: Option<&str>| {
        let options = TableOptions {
            sheet: sheet.map(str::to_owned),
            ..TableOptions::default()
        };
        Table::open(&path, &options)
    };
    for (wanted, expected) in [(None, "People"), (Some("Others"), "Others")] {
        let table = open(wanted).unwrap();
        assert_eq!(table.sheet(), Some(expected));
        assert_eq!(table.sheets(), ["Empty", "People", "Others"]);
    }
    let unknown = open(Some("Poeple")).err().unwrap().to_string();
    assert_eq!(unknown, "unknown sheet `Poeple`: did you mean `People`?");
    assert!(matches!(
        open(Some("Empty")).err(),
        Some(TableError::Empty(_))
    ));
}

#[tokio::test]
async fn a_workbook_of_another_program_is_imported() {
    let bank = bank().await;
    let path = bank.folder.path().join("members.xlsx");
    std::fs::write(&path, include_bytes!("files/openpyxl.xlsx")).unwrap();
    let report = bank.try_import(&Bank::request_of(path)).await.unwrap();
    let counts = [report.read, report.created, report.rejected];
    assert_eq!(counts, [5, 4, 1]);
    let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
    let expected = "cid,'=1+1,,,,,,,,4,`first_name`: holds a formula without a value\n";
    assert!(rejects.ends_with(expected), "{rejects}");
    let ana = bank.customer("ana").await;
    assert_eq!(ana.text("first_name"), Some("Áná <&> \"Q\""));
    assert_eq!(ana.text("phone"), Some("41791234567"));
    let field = |name: &str| ana.fields.get(name).cloned();
    let one = |value| Some(FieldValue::One(value));
    assert_eq!(field("joined_on"), one(Value::Date(date(2026, 1, 31))));
    let seen = "2026-01-31T14:30:00Z".parse().unwrap();
    assert_eq!(field("seen_at"), one(Value::Instant(seen)));
    assert_eq!(field("paperless"), one(Value::Boolean(true)));
    let products = ["checking", "savings"].map(|text| Value::Text(text.to_owned()));
    assert_eq!(field("products"), Some(FieldValue::Many(products.to_vec())));
    let ben = bank.customer("7").await;
    assert_eq!(
        ben.fields.get("balance"),
        Some(&FieldValue::One(Value::Number(-3.0)))
    );
    assert_eq!(
        bank.customer("far").await.text("first_name"),
        Some("Far away")
    );
}

#[tokio::test]
async fn a_flaw_in_a_column_that_fills_no_field_rejects_no_row() {
    let bank = bank().await;
    let rows = texts(&["id", "city", "Shoe size"])
        + r#"<row><c t="inlineStr"><is><t>ana</t></is></c><c t="inlineStr"><is><t>Lyon</t></is></c>
          <c t="e"><v>#N/A</v></c></row>"#
        + r#"<row><c t="inlineStr"><is><t>ben</t></is></c><c t="e"><v>#REF!</v></c></row>"#;
    let path = Book::new(&[("People", &rows)]).save(bank.folder.path());
    let report = bank.try_import(&Bank::request_of(path)).await.unwrap();
    assert_eq!([report.created, report.rejected], [1, 1]);
    let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
    assert!(
        rejects.ends_with("ben,#REF!,,3,`city`: holds the error #REF!\n"),
        "{rejects}"
    );
}

#[test]
fn what_is_no_workbook_says_why() {
    let folder = TempDir::new().unwrap();
    let said = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = Table::open(&path, &TableOptions::default()).err().unwrap();
        error
            .to_string()
            .replace(&path.display().to_string(), "FILE")
    };
    assert_eq!(
        said("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"),
        "`FILE` is a workbook of an old version, or has a password: save it as .xlsx without one, \
         or as CSV"
    );
    assert_eq!(
        said("a.xlsx", b"id,name\n"),
        "`FILE` is not a workbook that can be read: its content is something else (expected .xlsx)"
    );
    let cut = said("b.xlsx", b"PK\x03\x04 and so on");
    assert!(
        cut.starts_with("`FILE` is not a workbook that can be read: "),
        "{cut}"
    );
    let path = Book::new(&[])
        .with("_rels/.rels", "<a/>")
        .save(folder.path());
    let content = std::fs::read(path).unwrap();
    assert_eq!(
        said("c.xlsx", &content),
        "`FILE` is not a workbook that can be read: it has no workbook inside (expected .xlsx)"
    );
}
