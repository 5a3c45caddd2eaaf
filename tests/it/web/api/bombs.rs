//! Files that would take all memory, brought to a running daemon: refused, or they cost only the row they stand in.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Body, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::daemon::Place;
use crate::customers::book::{Book, claim_size, texts};

const MIB: usize = 1024 * 1024;
/// What the daemon may take at most, in KiB: the shared texts of a workbook take 128 MiB, once for the job
/// that reads all rows, once for whoever looks at the first ones, and once more that the allocator has not
/// given back yet.
const MOST_KIB: u64 = 448 * 1024;
/// How long a bad file may keep the daemon busy, and a long one.
const QUICK: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_mins(2);

/// A daemon, and somebody who brings it files.
struct Bank {
    place: Place,
    client: reqwest::Client,
    token: String,
}

impl Bank {
    async fn start() -> Self {
        let place = Place::silent("imports: { folder: imports, settle: 1s }\n").await;
        let created = place
            .facts(&["token", "create", "all", "--scope", "admin"])
            .await;
        Self {
            place,
            client: reqwest::Client::new(),
            token: created["secret"].as_str().unwrap().to_owned(),
        }
    }

    async fn good(&self, request: RequestBuilder) -> Value {
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.place.url)
    }

    /// The import once the daemon has looked at all of the file.
    async fn look(&self, name: &str, file: impl Into<Body>, patience: Duration) -> Value {
        let bring = self.client.post(self.at(&format!("/imports?name={name}")));
        let bring = bring.body(file);
        let path = self.at(&format!("/imports/{}", self.good(bring).await["import"]));
        let begun = Instant::now();
        loop {
            let import = self.good(self.client.get(&path)).await;
            if import["state"] != "checking" {
                return import;
            }
            assert!(begun.elapsed() < patience, "{import}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// KiB that the daemon took at most so far.
    fn peak(&self) -> u64 {
        let status = format!("/proc/{}/status", self.place.node.pid());
        let status = std::fs::read_to_string(status).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().trim().trim_end_matches(" kB");
        peak.parse().unwrap()
    }

    /// It works on, and took no more than it may.
    async fn ends_well(mut self) {
        assert!(self.peak() < MOST_KIB, "{} KiB", self.peak());
        assert_eq!(self.place.node.stop().await, Some(0));
    }
}

/// What the daemon says of workbooks that nobody should read: quickly, and in little memory.
async fn refused(workbooks: &[Vec<u8>]) -> Vec<String> {
    let bank = Bank::start().await;
    let mut said = Vec::new();
    for workbook in workbooks {
        let import = bank.look("people.xlsx", workbook.clone(), QUICK).await;
        said.push(import["problem"].as_str().unwrap().to_owned());
    }
    bank.ends_well().await;
    said
}

fn workbook(book: &Book, spoil: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = book.save(folder.path());
    spoil(&path);
    std::fs::read(path).unwrap()
}

fn sheet(rows: &str) -> Vec<u8> {
    workbook(&Book::new(&[("People", rows)]), |_| {})
}

fn people() -> String {
    texts(&["id"]) + &texts(&["ana"])
}

#[tokio::test]
async fn a_workbook_that_unpacks_without_end_is_refused() {
    let spaces = people() + &" ".repeat(64 * MIB);
    let larger = Book::new(&[("People", &(texts(&["id"]) + &texts(&["ana"]).repeat(MIB)))]);
    let mut crowded = Book::new(&[("People", &people())]);
    for n in 0..10_001 {
        crowded.add(&format!("xl/media/{n}"), "");
    }
    let enormous = Book::new(&[("People", &people())]);
    let said = refused(&[
        sheet(&spaces),
        workbook(&enormous, |path| {
            claim_size(path, "xl/sheet0.xml", u32::MAX - 1);
        }),
        workbook(&larger, |path| claim_size(path, "xl/sheet0.xml", 100_000)),
        workbook(&larger, |path| {
            claim_size(path, "xl/_rels/workbook.xml.rels", 100_000);
        }),
        workbook(&crowded, |_| {}),
    ])
    .await;
    let unpacks = "the workbook is refused: `xl/sheet0.xml` would unpack to ";
    assert!(said[0].starts_with(unpacks), "{said:?}");
    let advice = "at most 200 times are read; save the sheet as CSV";
    assert!(said[0].ends_with(advice), "{said:?}");
    assert!(said[1].starts_with(unpacks), "{said:?}");
    let more = "it unpacks to more than it says";
    assert!(said[2].ends_with(more), "{said:?}");
    assert!(said[3].contains("its checksum is another one"), "{said:?}");
    assert!(
        said[4].contains("parts, and at most 10000 are read"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_cell_without_an_end_is_not_held() {
    // Not all the same, so that it packs no better than a real sheet.
    let mut noise = String::new();
    for n in 0..3 * MIB / 4 {
        write!(noise, "{:x}", n * 7919 % 65_521).unwrap();
    }
    let pieces = format!("<x>{}</x>", &noise[..1000]).repeat(2000);
    let said = refused(
        &[
            format!(r#"<row><c t="inlineStr"><is><t>{noise}"#),
            format!(r#"<row><c r="{noise}"#),
            format!("<row><!-- {noise}"),
            format!("<row><![CDATA[{noise}"),
            format!("<row><c><is><t>&{noise}"),
            format!(r#"<row><c t="inlineStr"><is><t>{pieces}</t></is></c></row>"#),
            "<x>".repeat(MIB),
        ]
        .map(|rows| sheet(&(people() + &rows))),
    )
    .await;
    for said in &said[..5] {
        let held = "more than 1024 KiB belong together here";
        assert!(said.ends_with(held), "{said}");
    }
    assert!(
        said[5].ends_with("a text takes more than 1 MiB"),
        "{said:?}"
    );
    assert!(said[6].ends_with("its elements stand too deep"), "{said:?}");
}

#[tokio::test]
async fn a_cell_in_the_millionth_column_is_in_no_sheet() {
    let far = people() + r#"<row><c r="ZZZZZ3"><v>1</v></c></row>"#;
    let wide = format!("<row>{}</row>", "<c><v>1</v></c>".repeat(3_000));
    let said = refused(&[sheet(&far), sheet(&wide)]).await;
    assert!(
        said[0].ends_with("a cell stands where no column is"),
        "{said:?}"
    );
    assert_eq!(said[1], "the file has 3000 columns: at most 2000 are read");
}

#[tokio::test]
async fn shared_texts_are_held_only_as_far_as_there_is_room() {
    let mut strings = String::from("<sst>");
    for n in 0_u64..160_000 {
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let long = "abcdefgh".repeat(110);
        write!(strings, "<si><t>{long}{noise:x}</t></si>").unwrap();
    }
    let book = Book::new(&[("People", &people())]).with("xl/sharedStrings.xml", strings + "</sst>");
    assert_eq!(
        refused(&[workbook(&book, |_| {})]).await,
        [
            "the workbook is refused: the texts that its cells share take more than 128 MiB; save \
             the sheet as CSV"
        ]
    );
}

#[tokio::test]
async fn a_long_text_that_many_cells_share_costs_the_row_only() {
    let long = "x".repeat(MIB / 2);
    let strings = format!("<sst><si><t>{long}</t></si></sst>");
    let wide = format!("<row>{}</row>", r#"<c t="s"><v>0</v></c>"#.repeat(2_000));
    let names: Vec<String> = (1..2_000).map(|n| format!("c{n}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.insert(0, "id");
    let rows = texts(&names) + &wide + &texts(&["ana"]);
    let book = Book::new(&[("People", &rows)]).with("xl/sharedStrings.xml", strings);
    let bank = Bank::start().await;
    let import = bank.look("a.xlsx", workbook(&book, |_| {}), QUICK).await;
    let counts = [&import["counts"]["created"], &import["counts"]["rejected"]];
    assert_eq!(counts, [&json!(1), &json!(1)], "{import}");
    let reject = json!({ "line": 2, "reason": "the row holds more than 1 MiB" });
    assert_eq!(import["first_rejects"], json!([reject]));
    bank.ends_well().await;
}

#[tokio::test]
async fn formulas_line_breaks_and_a_script_without_end_cost_their_rows_only() {
    let bank = Bank::start().await;
    let script = "value|replace('', value)|replace('', value)|replace('', value)|length >= 0";
    let field = json!({ "identifier": "nick", "type": "text",
        "validate": [{ "script": script, "message": "not in time" }] });
    bank.good(bank.client.post(bank.at("/fields")).json(&field))
        .await;
    let long = "x".repeat(2_000);
    let begun = Instant::now();
    let file = format!(
        "id,email,nick\nana,\"ana@example.com\r\nBcc: ben@example.com\",\nben,=1+1,\n\
         cleo,,{long}\ndora,dora@example.com,\n"
    );
    let import = bank.look("a.csv", file, QUICK).await;
    assert!(begun.elapsed() < QUICK);
    assert_eq!(import["counts"]["created"], 1, "{import}");
    let rejects = import["first_rejects"].as_array().unwrap();
    let told: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["reason"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("`email`: "), "{told:?}");
    assert!(told[1].starts_with("`email`: "), "{told:?}");
    assert!(told[2].contains("not in time"), "{told:?}");
    let cells =
        r#"<row><c t="inlineStr"><is><t>ana</t></is></c><c><f>HYPERLINK("x")</f></c></row>"#;
    let rows = texts(&["id", "email"]) + cells + &texts(&["ben", "ben@example.com"]);
    let import = bank.look("a.xlsx", sheet(&rows), QUICK).await;
    let reason = &import["first_rejects"][0]["reason"];
    assert_eq!(import["counts"]["created"], 1, "{import}");
    assert!(
        reason
            .as_str()
            .unwrap()
            .contains("holds a formula without a value"),
        "{import}"
    );
    bank.ends_well().await;
}

/// Sends so many bytes more than that, and reads what is answered.
async fn send_without_end(bank: &Bank, begin: &[u8], size: u64) -> String {
    let address = bank.place.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/imports?name=a.csv HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        bank.token,
        begin.len() as u64 + size
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(begin).await.unwrap();
    let zeros = vec![0; MIB];
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    let sending = async {
        for _ in 0..size / MIB as u64 {
            // Whoever is refused is not listened to any longer.
            if writing.write_all(&zeros).await.is_err() {
                break;
            }
        }
    };
    let both = async { tokio::join!(sending, reading.read_to_end(&mut answer)).1 };
    timeout(LONG, both).await.unwrap().ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_line_of_two_gigabytes_is_not_taken_in() {
    let bank = Bank::start().await;
    let size = 2 * 1024 * MIB as u64;
    let answer = send_without_end(&bank, b"id,city\nana,\"", size).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("the file is larger than 1024 MiB: split it"),
        "{answer}"
    );
    bank.ends_well().await;
}

/// The report beside a file that was put away.
fn put_away(folder: &Path) -> Option<Value> {
    let folders = ["done", "failed"].map(|name| folder.join(name));
    let files = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok());
    let mut reports = files.flatten().filter_map(|file| {
        let path = file.unwrap().path();
        let is_report = path.to_str()?.ends_with(".report.json");
        is_report.then(|| std::fs::read(path).unwrap())
    });
    serde_json::from_slice(&reports.next()?).ok()
}

/// The report on a file in the daemon's folder that ends in two gigabytes on one line, though the disk holds
/// few of them.
async fn dropped(name: &str, begin: &str) -> Value {
    let bank = Bank::start().await;
    let folder = bank.place.node.path().join("imports");
    let path = folder.join(format!(".{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(&path, begin).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(2 * 1024 * MIB as u64).unwrap();
    std::fs::rename(path, folder.join(name)).unwrap();
    let begun = Instant::now();
    let report = loop {
        if let Some(report) = put_away(&folder) {
            break report;
        }
        assert!(begun.elapsed() < LONG);
        sleep(Duration::from_millis(100)).await;
    };
    bank.ends_well().await;
    report
}

#[tokio::test]
async fn a_row_of_two_gigabytes_in_the_folder_is_not_held() {
    let report = dropped("a.csv", "id,city\nana,Lyon\nben,\"").await;
    let endless = "line 3: a row of more than 1 MiB begins here: is a quotation mark not closed?";
    assert_eq!(report["problem"], endless, "{report}");
}

#[tokio::test]
async fn a_line_of_two_gigabytes_in_the_folder_costs_itself_only() {
    let report = dropped("a.jsonl", "{\"id\":\"ana\"}\n{\"id\":\"").await;
    let counts = [&report["counts"]["created"], &report["counts"]["rejected"]];
    assert_eq!(counts, [&json!(1), &json!(1)], "{report}");
}

#[tokio::test]
async fn memory_does_not_grow_with_the_rows() {
    let bank = Bank::start().await;
    let mut rows = String::new();
    for n in 0..300_000 {
        writeln!(rows, r#"{{"id":"c{n}","city":"Lyon {n}"}}"#).unwrap();
    }
    let begin: String = rows.lines().take(1_000).collect::<Vec<_>>().join("\n");
    bank.look("a.jsonl", begin, LONG).await;
    let before = bank.peak();
    let import = bank.look("a.jsonl", rows, LONG).await;
    assert_eq!(import["counts"]["created"], 300_000, "{import}");
    let grown = bank.peak() - before;
    assert!(grown < 64 * 1024, "{grown} KiB");
    bank.ends_well().await;
}
