//! Owns reading the XML of a part, one event at a time, none of them endless.

use std::io::{self, BufReader};

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader};

use super::package::Unpacked;
use super::values::unescaped;
use crate::customers::ration::Rationed;
use crate::customers::table_row::MAX_ROW_BYTES;

const BUFFER_BYTES: usize = 64 * 1024;
/// A workbook's elements stand about ten deep; each one that is open is held.
const MOST_DEPTH: usize = 64;

pub(super) struct Xml {
    reader: Reader<BufReader<Rationed<Unpacked>>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl Xml {
    pub(super) fn new(part: Unpacked) -> Self {
        let part = Rationed::new(part, MAX_ROW_BYTES);
        let part = BufReader::with_capacity(BUFFER_BYTES, part);
        let mut reader = Reader::from_reader(part);
        reader.config_mut().check_end_names = false;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        self.reader.get_ref().get_ref().get_ref().progress()
    }

    pub(super) fn next(&mut self) -> Result<Event<'_>, Error> {
        self.buffer.clear();
        self.reader.get_mut().get_mut().renew();
        let event = self.reader.read_event_into(&mut self.buffer)?;
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MOST_DEPTH {
            return Err(fault("its elements stand too deep"));
        }
        Ok(event)
    }

    /// Reads text to the end of the element at hand, as far as it belongs to it: for a string item
    /// (ECMA-376 Part 1, 18.4.8) without the phonetic hints.
    pub(super) fn text(&mut self, into: &mut String) -> Result<(), Error> {
        into.clear();
        let (end, mut hints) = (self.depth - 1, 0_usize);
        loop {
            match self.next()? {
                Event::Eof => return Err(fault("it ends too soon")),
                Event::Start(e) if e.local_name().as_ref() == "rPh" => hints += 1,
                Event::End(e) if e.local_name().as_ref() == "rPh" => {
                    hints = hints.saturating_sub(1);
                }
                Event::Text(text) if hints == 0 => into.push_str(&text.xml10_content()),
                Event::CData(text) if hints == 0 => into.push_str(&text.xml10_content()),
                Event::GeneralRef(name) if hints == 0 => into.push(character(&name)?),
                _ => {}
            }
            if into.len() > MAX_ROW_BYTES {
                return Err(fault("a text takes more than 1 MiB"));
            }
            if self.depth == end {
                break;
            }
        }
        if into.contains("_x") {
            *into = unescaped(into);
        }
        Ok(())
    }
}

/// What an entity stands for: one of XML's five, or a number.
fn character(name: &BytesRef<'_>) -> Result<char, Error> {
    match name.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => {
            let character = name.resolve_char_ref()?;
            character.ok_or_else(|| fault("it uses an entity of its own"))
        }
    }
}

pub(super) fn fault(what: &'static str) -> Error {
    io::Error::other(what).into()
}

/// An attribute's value, whatever the prefix of its name.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut found = attributes.with_checks(false).flatten();
    let attribute = found.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = quick_xml::escape::unescape(&attribute.value).ok()?;
    Some(value.into_owned())
}
