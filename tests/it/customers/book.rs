//! Owns workbooks made by hand, part by part, good ones and bad ones.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook.
pub(crate) struct Book {
    parts: Vec<(String, Vec<u8>)>,
}

impl Book {
    /// A workbook with these sheets, by name and the rows of each.
    pub(crate) fn new(sheets: &[(&str, &str)]) -> Self {
        let mut names = String::new();
        let mut related = String::new();
        let mut book = Self { parts: Vec::new() };
        for (n, (name, rows)) in sheets.iter().enumerate() {
            let sheet = format!(r#"<sheet name="{name}" sheetId="{n}" r:id="s{n}"/>"#);
            names.push_str(&sheet);
            related.push_str(&relation(
                &format!("s{n}"),
                "worksheet",
                &format!("sheet{n}.xml"),
            ));
            let rows = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
            book.add(&format!("xl/sheet{n}.xml"), rows);
        }
        related.push_str(&relation("strings", "sharedStrings", "sharedStrings.xml"));
        related.push_str(&relation("styles", "styles", "/xl/styles.xml"));
        let root = relation("w", "officeDocument", "xl/workbook.xml");
        book.add(
            "_rels/.rels",
            format!("<Relationships>{root}</Relationships>"),
        );
        let related = format!("<Relationships>{related}</Relationships>");
        book.add("xl/_rels/workbook.xml.rels", related);
        let names = format!(r#"<workbook xmlns:r="x"><sheets>{names}</sheets></workbook>"#);
        book.add("xl/workbook.xml", names);
        book
    }

    pub(crate) fn add(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.parts.retain(|(known, _)| known != name);
        self.parts.push((name.to_owned(), content.into()));
    }

    pub(crate) fn with(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.add(name, content);
        self
    }

    pub(crate) fn save(&self, folder: &Path) -> PathBuf {
        let path = folder.join("people.xlsx");
        let mut file = ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, content) in &self.parts {
            file.start_file(name, SimpleFileOptions::default()).unwrap();
            file.write_all(content).unwrap();
        }
        file.finish().unwrap();
        path
    }
}

fn relation(id: &str, kind: &str, target: &str) -> String {
    format!(r#"<Relationship Id="{id}" Type="{RELS}/{kind}" Target="{target}"/>"#)
}

/// A row of texts that stand in their cells.
pub(crate) fn texts(cells: &[&str]) -> String {
    let cell = |text: &&str| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#);
    let cells: String = cells.iter().map(cell).collect();
    format!("<row>{cells}</row>")
}

/// Lets a part say another size than it unpacks to, in both places where it is said.
pub(crate) fn claim_size(path: &Path, name: &str, size: u32) {
    let mut file = std::fs::read(path).unwrap();
    let places: Vec<usize> = file
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| *window == name.as_bytes())
        .map(|(place, _)| place)
        .collect();
    let mut said = 0;
    for place in places {
        // PKWARE APPNOTE 4.3.7 and 4.3.12: the name follows 30 or 46 bytes of header.
        for (header, mark, field) in [(30, b"PK\x03\x04", 22), (46, b"PK\x01\x02", 24)] {
            let Some(start) = place.checked_sub(header) else {
                continue;
            };
            if file[start..].starts_with(mark) {
                let field = start + field;
                file[field..field + 4].copy_from_slice(&size.to_le_bytes());
                said += 1;
            }
        }
    }
    assert_eq!(said, 2, "{name}");
    std::fs::write(path, file).unwrap();
}
