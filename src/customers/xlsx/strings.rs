//! Owns the texts that a workbook's cells share: held together, since any cell may name any of them.

use quick_xml::Error;
use quick_xml::events::Event;

use super::package::Package;
use super::xml::Xml;
use crate::customers::table_error::TableError;

/// What the texts may take in memory.
const MOST_HELD: usize = 128 * 1024 * 1024;
/// What they may take in the file, with the marks around them.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const CHUNK_BYTES: usize = 1024 * 1024;

/// The shared texts, in chunks, so that holding more never means copying all.
#[derive(Debug, Default)]
pub(super) struct Strings {
    chunks: Vec<Chunk>,
    /// What they take in memory.
    held: usize,
}

#[derive(Debug)]
struct Chunk {
    /// The number of its first text.
    first: usize,
    text: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn read(package: &mut Package, name: &str) -> Result<Self, TableError> {
        let mut strings = Self::default();
        // A workbook may name a part that it does not need.
        let Some(part) = package.part(name, MOST_BYTES)? else {
            return Ok(strings);
        };
        let mut xml = Xml::new(part);
        match strings.gather(&mut xml) {
            Ok(true) => Ok(strings),
            Ok(false) => {
                let most = MOST_HELD / 1024 / 1024;
                Err(TableError::TooMuch(format!(
                    "the texts that its cells share take more than {most} MiB"
                )))
            }
            Err(error) => Err(package.refused(&format!("`{name}` is damaged: {error}"))),
        }
    }

    /// Reads all texts; false when they are too much to hold.
    fn gather(&mut self, xml: &mut Xml) -> Result<bool, Error> {
        let mut text = String::new();
        while self.held <= MOST_HELD {
            match xml.next()? {
                Event::Start(e) if e.local_name().as_ref() == "si" => {
                    xml.text(&mut text)?;
                    self.push(&text);
                }
                Event::Empty(e) if e.local_name().as_ref() == "si" => self.push(""),
                Event::Eof => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    fn push(&mut self, text: &str) {
        let number = self.len();
        let is_full = |chunk: &Chunk| {
            chunk.text.len() + text.len() > CHUNK_BYTES || chunk.ends.len() * 4 > CHUNK_BYTES
        };
        if self.chunks.last().is_none_or(is_full) {
            self.chunks.push(Chunk {
                first: number,
                text: String::with_capacity(CHUNK_BYTES),
                ends: Vec::new(),
            });
            self.held += CHUNK_BYTES;
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.text.push_str(text);
            // A text takes no more than a row may, so an end is a small number.
            chunk
                .ends
                .push(u32::try_from(chunk.text.len()).unwrap_or(u32::MAX));
            self.held += size_of::<u32>();
        }
    }

    fn len(&self) -> usize {
        let last = self.chunks.last();
        last.map_or(0, |chunk| chunk.first + chunk.ends.len())
    }

    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let after = self.chunks.partition_point(|chunk| chunk.first <= number);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        let place = number - chunk.first;
        let end = *chunk.ends.get(place)? as usize;
        let start = match place {
            0 => 0,
            _ => chunk.ends[place - 1] as usize,
        };
        chunk.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_by_its_number_in_whichever_chunk() {
        let mut strings = Strings::default();
        let long = "x".repeat(CHUNK_BYTES / 3);
        for n in 0..20 {
            strings.push(&format!("{n}"));
            strings.push("");
            strings.push(&long);
        }
        assert!(strings.chunks.len() > 5);
        for n in 0..20 {
            assert_eq!(strings.get(3 * n), Some(n.to_string().as_str()));
            assert_eq!(strings.get(3 * n + 1), Some(""));
            assert_eq!(strings.get(3 * n + 2), Some(long.as_str()));
        }
        assert_eq!(strings.get(60), None);
        assert_eq!(Strings::default().get(0), None);
    }
}
