//! Owns what kind of file a table is in, and how it is to be read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;

use super::delimiter::Delimiter;
use super::table_error::TableError;

/// So much of a file says what it is.
const HEAD_BYTES: u64 = 4 * 1024;
/// An OLE2 file ([MS-CFB] 2.2): an old workbook, or one with a password.
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// What kind of file a table is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// RFC 4180, with any of four delimiters, in any encoding.
    Csv,
    /// Office Open XML (ECMA-376).
    Xlsx,
    /// One JSON object a line.
    JsonLines,
}

/// How a file is to be read; what is not said is detected.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub delimiter: Option<Delimiter>,
    pub encoding: Option<&'static Encoding>,
    /// Lines before the header row.
    pub skip_lines: u64,
    /// The sheet of a workbook; the first one that is not empty unless given.
    pub sheet: Option<String>,
}

impl TableKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::JsonLines => "jsonl",
        }
    }

    /// What the file is by its content, and where that does not say, by its name.
    pub(super) fn of(path: &Path) -> Result<Self, TableError> {
        let head = head(path).map_err(|error| TableError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let is_json = ["jsonl", "ndjson", "json"]
            .iter()
            .any(|name| ending == *name);
        // PKWARE APPNOTE 4.3.7 and 4.3.16: the first part, or the end of a file without parts.
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Ok(Self::Xlsx);
        }
        if head.starts_with(OLE2) {
            return Err(TableError::OldWorkbook(path.to_owned()));
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        match text.trim_ascii_start().first() {
            Some(b'{') => Ok(Self::JsonLines),
            Some(b'[') if is_json => Err(TableError::JsonArray(path.to_owned())),
            _ if is_json => Ok(Self::JsonLines),
            _ if ending == "xlsx" => Err(TableError::NotAWorkbook {
                path: path.to_owned(),
                why: "its content is something else".to_owned(),
            }),
            _ => Ok(Self::Csv),
        }
    }
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}
