//! Reading tables from real files.

use std::path::PathBuf;

use drumbeat::customers::delimiter::Delimiter;
use drumbeat::customers::table::{Row, Table, TableError, TableOptions};
use tempfile::TempDir;

struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file(content: &[u8]) -> File {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, content).unwrap();
    File {
        _folder: folder,
        path,
    }
}

fn open(content: &[u8], options: &TableOptions) -> Result<Table, TableError> {
    Table::open(&file(content).path, options)
}

fn rows(table: &mut Table) -> Vec<(u64, Vec<String>)> {
    let mut row = Row::default();
    let mut rows = Vec::new();
    while table.read(&mut row).unwrap() {
        rows.push((row.line, row.cells().map(str::to_owned).collect()));
    }
    rows
}

fn expected(rows: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
    let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
    rows.iter()
        .map(|(line, cells)| (*line, owned(cells)))
        .collect()
}

#[test]
fn a_latin_1_file_with_semicolons_from_windows_is_read_without_being_told() {
    let content = b"id;name;city\r\n1;Jos\xe9;M\xe1laga\r\n\r\n2;\"Mu\xf1oz; Ana\";Le\xf3n\r\n";
    let mut table = open(content, &TableOptions::default()).unwrap();
    assert_eq!(table.encoding(), "windows-1252");
    assert_eq!(table.delimiter(), Some(Delimiter::Semicolon));
    assert_eq!(table.columns(), ["id", "name", "city"]);
    let read = rows(&mut table);
    let wanted: &[(u64, &[&str])] = &[
        (2, &["1", "José", "Málaga"]),
        (4, &["2", "Muñoz; Ana", "León"]),
    ];
    assert_eq!(read, expected(wanted));
}

#[test]
fn quoted_line_breaks_stay_in_their_cell_and_lines_are_counted_right() {
    let content = b"id,note\n1,\"first\nsecond\"\n\n\n2,plain\n,\n3,\"last\nwithout end\"";
    let mut table = open(content, &TableOptions::default()).unwrap();
    let wanted: &[(u64, &[&str])] = &[
        (2, &["1", "first\nsecond"]),
        (6, &["2", "plain"]),
        (8, &["3", "last\nwithout end"]),
    ];
    assert_eq!(rows(&mut table), expected(wanted));
}

#[test]
fn lines_before_the_header_are_skipped_and_still_counted() {
    let content = b"Export of 1 March, made by hand\n;;\nid|name\n1|Ana\n";
    let options = TableOptions {
        skip_lines: 2,
        ..TableOptions::default()
    };
    let mut table = open(content, &options).unwrap();
    assert_eq!(table.columns(), ["id", "name"]);
    assert_eq!(rows(&mut table), expected(&[(4, &["1", "Ana"])]));
}

#[test]
fn a_wanted_delimiter_is_taken_whatever_the_file_looks_like() {
    let options = TableOptions {
        delimiter: Some(Delimiter::Tab),
        ..TableOptions::default()
    };
    let table = open(b"id,name\tcity\n1,2\t3\n", &options).unwrap();
    assert_eq!(table.columns(), ["id,name", "city"]);
}

#[test]
fn a_quotation_mark_that_is_never_closed_stops_and_says_where() {
    let mut content = b"id,note\n1,fine\n2,\"open\n".to_vec();
    content.resize(3 * 1024 * 1024, b'x');
    let mut table = open(&content, &TableOptions::default()).unwrap();
    let mut row = Row::default();
    assert!(table.read(&mut row).unwrap());
    let error = table.read(&mut row).unwrap_err();
    assert!(
        matches!(error, TableError::EndlessRow { line: 3 }),
        "{error}"
    );
}

#[test]
fn what_is_no_table_says_why() {
    let folder = TempDir::new().unwrap();
    let of_folder = Table::open(folder.path(), &TableOptions::default());
    assert!(matches!(of_folder.err(), Some(TableError::NotAFile(_))));
    let missing = Table::open(&folder.path().join("no.csv"), &TableOptions::default());
    assert!(matches!(missing.err(), Some(TableError::Unreadable { .. })));
    let empty = open(b"\n\n", &TableOptions::default());
    assert!(matches!(empty.err(), Some(TableError::Empty(_))));
    let wide = ",c".repeat(2_500);
    let wide = open(wide.as_bytes(), &TableOptions::default());
    assert!(matches!(
        wide.err(),
        Some(TableError::TooManyColumns(2_501))
    ));
}

#[test]
fn bytes_that_are_not_text_are_told_row_by_row() {
    let mut content = "id,name\n1,José Ángel Muñoz Peña\n".as_bytes().to_vec();
    content.extend_from_slice(b"2,A\xffna\n3,Ben\n");
    let mut table = open(&content, &TableOptions::default()).unwrap();
    let mut row = Row::default();
    let mut damaged = Vec::new();
    while table.read(&mut row).unwrap() {
        damaged.push(row.damage.is_some());
    }
    assert_eq!(damaged, [false, true, false]);
}

#[test]
fn a_column_named_like_a_zip_file_makes_no_workbook() {
    let table = open(b"PK,name\n1,Ana\n", &TableOptions::default()).unwrap();
    assert_eq!(table.columns(), ["PK", "name"]);
}
