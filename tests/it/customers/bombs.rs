//! Files that would take all memory are refused, or cost only the row that they stand in.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use drumbeat::customers::table::{Row, Table, TableOptions};
use tempfile::TempDir;

use super::book::{Book, claim_size, texts};

const MIB: usize = 1024 * 1024;
/// What a reading process may take at most; the shared texts of a workbook may take half of it.
const MOST_KIB: u64 = 256 * 1024;

/// What became of reading a file to its end, and what that took in KiB.
struct Told {
    outcome: String,
    peak: u64,
}

/// Reads a file in a process of its own, so that its memory can be told from that of others.
fn read_apart(path: &Path) -> Told {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "customers::bombs::reading_apart",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(path.display().to_string().as_bytes())
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let after = |mark: &str| {
        let line = output.lines().find_map(|line| line.split_once(mark));
        line.unwrap_or_else(|| panic!("no {mark}: {output}"))
            .1
            .to_owned()
    };
    Told {
        outcome: after("outcome: ").replace(&path.display().to_string(), "FILE"),
        peak: after("peak: ").parse().unwrap(),
    }
}

#[test]
#[ignore = "the other tests run it in a process of its own"]
fn reading_apart() {
    let mut path = String::new();
    std::io::stdin().read_to_string(&mut path).unwrap();
    let outcome = match read(Path::new(&path)) {
        Ok(outcome) => outcome,
        Err(error) => error.to_string(),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    println!("\noutcome: {outcome}\npeak: {peak}");
}

fn read(path: &Path) -> Result<String, drumbeat::customers::table::TableError> {
    let mut table = Table::open(path, &TableOptions::default())?;
    let mut row = Row::default();
    let mut rows = 0;
    let mut damaged = Vec::new();
    while table.read(&mut row)? {
        rows += 1;
        if let Some(damage) = &row.damage {
            damaged.push(format!("line {}: {damage}", row.line));
        }
    }
    Ok(format!("{rows} rows; {}", damaged.join("; ")))
}

/// Reads a workbook that nobody should: quickly refused, in little memory.
fn refused(book: &Book, spoil: impl FnOnce(&Path)) -> String {
    let folder = TempDir::new().unwrap();
    let path = book.save(folder.path());
    spoil(&path);
    let begun = Instant::now();
    let told = read_apart(&path);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(told.peak < MOST_KIB, "{} KiB: {}", told.peak, told.outcome);
    told.outcome
}

fn people() -> String {
    texts(&["id"]) + &texts(&["ana"])
}

#[test]
fn a_sheet_that_unpacks_to_a_thousand_times_its_size_is_not_begun() {
    let rows = people() + &" ".repeat(64 * MIB);
    let said = refused(&Book::new(&[("People", &rows)]), |_| {});
    assert!(
        said.starts_with("the workbook is refused: `xl/sheet0.xml` would unpack to "),
        "{said}"
    );
    assert!(
        said.ends_with("at most 200 times are read; save the sheet as CSV"),
        "{said}"
    );
}

#[test]
fn a_sheet_that_says_it_is_enormous_is_not_begun() {
    let book = Book::new(&[("People", &people())]);
    let said = refused(&book, |path| {
        claim_size(path, "xl/sheet0.xml", u32::MAX - 1);
    });
    let expected = "the workbook is refused: `xl/sheet0.xml` would unpack to ";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn a_part_that_is_larger_than_it_says_is_read_no_further() {
    let rows = texts(&["id"]) + &texts(&["ana"]).repeat(MIB);
    let book = Book::new(&[("People", &rows)]);
    let said = refused(&book, |path| claim_size(path, "xl/sheet0.xml", 100_000));
    assert!(said.ends_with("it unpacks to more than it says"), "{said}");
    assert!(said.starts_with("after row "), "{said}");
}

#[test]
fn a_damaged_part_is_told_by_its_checksum() {
    let rows = texts(&["id"]) + &texts(&["ana"]).repeat(1000) + "</sheetData> ";
    let book = Book::new(&[("People", &rows)]);
    let said = refused(&book, |path| {
        claim_size(path, "xl/_rels/workbook.xml.rels", 100_000);
    });
    assert!(said.contains("its checksum is another one"), "{said}");
}

#[test]
fn a_cell_without_an_end_is_not_held() {
    // Not all the same, so that it packs no better than a real sheet.
    let mut noise = String::new();
    for n in 0..3 * MIB / 4 {
        write!(noise, "{:x}", n * 7919 % 65_521).unwrap();
    }
    for rows in [
        format!(r#"<row><c t="inlineStr"><is><t>{noise}"#),
        format!(r#"<row><c r="{noise}"#),
        format!("<row><!-- {noise}"),
        format!("<row><![CDATA[{noise}"),
        format!("<row><c><is><t>&{noise}"),
    ] {
        let rows = people() + &rows;
        let said = refused(&Book::new(&[("People", &rows)]), |_| {});
        assert!(
            said.ends_with("more than 1024 KiB belong together here"),
            "{said}"
        );
    }
    let pieces = format!("<x>{}</x>", &noise[..1000]).repeat(2000);
    let rows = people() + &format!(r#"<row><c t="inlineStr"><is><t>{pieces}</t></is></c></row>"#);
    let said = refused(&Book::new(&[("People", &rows)]), |_| {});
    assert!(said.ends_with("a text takes more than 1 MiB"), "{said}");
}

#[test]
fn elements_that_stand_in_each_other_without_end_are_not_held() {
    let rows = people() + &"<x>".repeat(MIB);
    let said = refused(&Book::new(&[("People", &rows)]), |_| {});
    assert!(said.ends_with("its elements stand too deep"), "{said}");
}

#[test]
fn a_cell_in_the_millionth_column_is_in_no_sheet() {
    let rows = people() + r#"<row><c r="ZZZZZ3"><v>1</v></c></row>"#;
    let said = refused(&Book::new(&[("People", &rows)]), |_| {});
    assert!(said.ends_with("a cell stands where no column is"), "{said}");
    let wide = format!("<row>{}</row>", "<c><v>1</v></c>".repeat(3_000));
    let said = refused(&Book::new(&[("People", &wide)]), |_| {});
    assert_eq!(said, "the file has 3000 columns: at most 2000 are read");
}

#[test]
fn shared_texts_are_held_only_as_far_as_there_is_room() {
    let mut strings = String::from("<sst>");
    for n in 0_u64..160_000 {
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let long = "abcdefgh".repeat(110);
        write!(strings, "<si><t>{long}{noise:x}</t></si>").unwrap();
    }
    let book = Book::new(&[("People", &people())]).with("xl/sharedStrings.xml", strings + "</sst>");
    assert_eq!(
        refused(&book, |_| {}),
        "the workbook is refused: the texts that its cells share take more than 128 MiB; save the \
         sheet as CSV"
    );
}

#[test]
fn a_long_text_that_many_cells_share_costs_the_row_only() {
    let long = "x".repeat(MIB / 2);
    let strings = format!("<sst><si><t>{long}</t></si></sst>");
    let wide = format!("<row>{}</row>", r#"<c t="s"><v>0</v></c>"#.repeat(2_000));
    let names: Vec<String> = (0..2_000).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = texts(&names) + &wide + &texts(&names);
    let book = Book::new(&[("People", &rows)]).with("xl/sharedStrings.xml", strings);
    assert_eq!(
        refused(&book, |_| {}),
        "2 rows; line 2: the row holds more than 1 MiB"
    );
}

#[test]
fn a_workbook_with_too_many_parts_is_refused() {
    let mut book = Book::new(&[("People", &people())]);
    for n in 0..10_001 {
        book.add(&format!("xl/media/{n}"), "");
    }
    let said = refused(&book, |_| {});
    assert!(said.contains("parts, and at most 10000 are read"), "{said}");
}

/// A file that ends in so many bytes on one line, though the disk holds few of them.
fn with_endless_line(name: &str, begin: &str, size: u64) -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, begin).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(size).unwrap();
    folder
}

const TWO_GIGABYTES: u64 = 2 * 1024 * MIB as u64;

#[test]
fn a_row_of_two_gigabytes_is_not_held() {
    let folder = with_endless_line("a.csv", "id,city\nana,Lyon\nben,\"", TWO_GIGABYTES);
    let told = read_apart(&folder.path().join("a.csv"));
    let endless = "line 3: a row of more than 1 MiB begins here: is a quotation mark not closed?";
    assert_eq!(told.outcome, endless);
    assert!(told.peak < MOST_KIB / 4, "{} KiB", told.peak);
}

#[test]
fn a_line_of_two_gigabytes_is_not_held() {
    let begin = "{\"id\":\"ana\"}\n{\"id\":\"";
    let folder = with_endless_line("a.jsonl", begin, TWO_GIGABYTES);
    let told = read_apart(&folder.path().join("a.jsonl"));
    let expected = "2 rows; line 2: the line is longer than 1 MiB";
    assert_eq!(told.outcome, expected);
    assert!(told.peak < MOST_KIB / 4, "{} KiB", told.peak);
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    for n in 0..300_000 {
        writeln!(
            file,
            "{{\"id\":\"c{n}\",\"city\":\"Lyon {n}\",\"products\":[\"a\",\"b\"]}}"
        )
        .unwrap();
    }
    drop(file);
    let told = read_apart(&path);
    assert_eq!(told.outcome, "300000 rows; ");
    assert!(told.peak < MOST_KIB / 4, "{} KiB", told.peak);
}
