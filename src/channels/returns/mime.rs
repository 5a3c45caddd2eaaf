//! Owns the parts of a mail that came back. Nesting costs nothing: what lies too deep is not looked at, and a
//! mail within a mail is taken for bytes.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{MessageParser, MimeHeaders as _};

use super::fields::{Fields, split_at_empty_line};

/// A report is a multipart, perhaps within one that somebody on the way put around it.
const DEEPEST: usize = 3;
const MOST_PARTS: usize = 50;

/// A part without parts of its own.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Type and subtype in lower case: `message/delivery-status`.
    pub(super) kind: String,
    fields: Fields,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    /// Its bytes without their transfer encoding.
    pub(super) fn content(&self) -> Cow<'a, [u8]> {
        let encoding = self.fields.get("content-transfer-encoding");
        let decoded = match encoding.unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => base64_decode(self.body),
            "quoted-printable" => quoted_printable_decode(self.body),
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }
}

/// A mail: its own headers, and the parts without parts in the order in which they stand.
#[derive(Debug)]
pub(super) struct Mail<'a> {
    pub(super) fields: Fields,
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> Mail<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let (head, body) = split_at_empty_line(bytes);
        let fields = Fields::read(head);
        let mut parts = Vec::new();
        walk(&fields, body, DEEPEST, &mut parts);
        Self { fields, parts }
    }

    /// The first part of one of these kinds.
    pub(super) fn part(&self, kinds: &[&str]) -> Option<&Part<'a>> {
        let mut parts = self.parts.iter();
        parts.find(|part| kinds.contains(&part.kind.as_str()))
    }

    /// The headers of the mail that is reported of (RFC 6522 §3), as far as they were sent along.
    pub(super) fn returned(&self) -> Option<Fields> {
        let part = self.part(&[
            "message/rfc822",
            "text/rfc822-headers",
            "message/global",
            "message/global-headers",
        ])?;
        let content = part.content();
        Some(Fields::read(split_at_empty_line(&content).0))
    }

    /// The first text that people are meant to read.
    pub(super) fn text(&self) -> String {
        let part = self.part(&["text/plain"]);
        part.map_or_else(String::new, |part| {
            String::from_utf8_lossy(&part.content()).into_owned()
        })
    }
}

fn walk<'a>(fields: &Fields, body: &'a [u8], depth: usize, parts: &mut Vec<Part<'a>>) {
    if parts.len() == MOST_PARTS {
        return;
    }
    let (kind, boundary) = kind(fields);
    match boundary {
        Some(boundary) if depth > 0 => {
            for piece in pieces(body, boundary.as_bytes()) {
                let (head, body) = split_at_empty_line(piece);
                walk(&Fields::read(head), body, depth - 1, parts);
            }
        }
        _ => parts.push(Part {
            kind,
            fields: fields.clone(),
            body,
        }),
    }
}

/// The type of a part, and what its own parts are set apart by.
fn kind(fields: &Fields) -> (String, Option<String>) {
    let written = fields.get("content-type").unwrap_or("text/plain");
    let header = format!("Content-Type: {written}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(header.as_bytes());
    let parsed = parsed.as_ref().and_then(|message| message.content_type());
    let Some(parsed) = parsed else {
        return ("text/plain".to_owned(), None);
    };
    let (kind, subkind) = (parsed.ctype(), parsed.subtype().unwrap_or_default());
    let boundary = parsed.attribute("boundary");
    let boundary = boundary.filter(|text| kind == "multipart" && !text.is_empty());
    let kind = format!("{kind}/{subkind}").to_ascii_lowercase();
    (kind, boundary.map(str::to_owned))
}

/// What stands between the lines of a boundary (RFC 2046 §5.1.1); a last one that is missing ends with the body.
fn pieces<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut start, mut begun) = (Vec::new(), 0, None);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        let behind = line.strip_prefix(b"--");
        let behind = behind.and_then(|line| line.strip_prefix(boundary));
        let behind = behind.map(<[u8]>::trim_ascii);
        if let Some(behind @ (b"" | b"--")) = behind {
            if let Some(begun) = begun {
                pieces.push(without_end(&body[begun..start]));
            }
            begun = Some(end).filter(|_| behind.is_empty());
            if begun.is_none() || pieces.len() == MOST_PARTS {
                return pieces;
            }
        }
        start = end;
    }
    pieces.extend(begun.map(|begun| &body[begun..]));
    pieces
}

/// The end of the line before a boundary belongs to the boundary.
fn without_end(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &[u8] = b"Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"out er\"\r\n\r\n\
        preamble\r\n--out er\r\nContent-Type: MULTIPART/Report; report-type=delivery-status; boundary=in\r\n\r\n\
        --in\r\n\r\nfor people\r\n--in\r\nContent-Type: message/delivery-status\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nYTogMQ==\r\n--in\r\nContent-Type: message/rfc822\r\n\r\n\
        Return-Path: <b@x.test>\r\n\r\nContent-Type: multipart/mixed\r\n--in--\r\nepilogue\r\n\
        --out er\r\nContent-Type: text/plain\r\n\r\na footer\r\n--out er--\r\n";

    #[test]
    fn the_parts_of_a_report_are_found_within_what_others_put_around_it() {
        let mail = Mail::read(NESTED);
        let kinds: Vec<&str> = mail.parts.iter().map(|part| part.kind.as_str()).collect();
        let expected = [
            "text/plain",
            "message/delivery-status",
            "message/rfc822",
            "text/plain",
        ];
        assert_eq!(kinds, expected);
        assert_eq!(mail.text(), "for people");
        let status = mail.part(&["message/delivery-status"]).unwrap();
        assert_eq!(status.content().as_ref(), b"a: 1");
        let returned = mail.returned().unwrap();
        assert_eq!(returned.get("return-path"), Some("<b@x.test>"));
    }

    #[test]
    fn a_mail_that_was_cut_off_keeps_what_is_there() {
        let end = NESTED.len() - 120;
        let mail = Mail::read(&NESTED[..end]);
        assert!(mail.part(&["message/delivery-status"]).is_some());
    }

    #[test]
    fn what_is_nested_without_end_is_not_followed() {
        let mut mail = Vec::new();
        for n in 0..20_000 {
            let level = format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n");
            mail.extend_from_slice(level.as_bytes());
        }
        assert_eq!(Mail::read(&mail).parts.len(), 1);
        let many = b"--b\n\nx\n".repeat(20_000);
        let mail = [
            b"Content-Type: multipart/mixed; boundary=b\n\n".as_slice(),
            &many,
        ]
        .concat();
        assert_eq!(Mail::read(&mail).parts.len(), MOST_PARTS);
        let mails = b"Content-Type: message/rfc822\n\n".repeat(20_000);
        assert_eq!(Mail::read(&mails).parts.len(), 1);
    }
}
