//! Owns the encoding of a text file: found in one pass, then decoded to UTF-8 as a stream.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_2, UTF_8, WINDOWS_1250, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

const CHUNK_BYTES: usize = 64 * 1024;
/// How much text that is not ASCII the detector looks at.
const DETECTOR_BYTES: usize = 1024 * 1024;
/// `ÁÄÇÉÍÑÓÖÚÜß` and their small letters in windows-1252. All but `Ñ` are the same in windows-1250,
/// where it is `Ń`: a short text with no others is Spanish or German sooner than Polish.
const WESTERN_LETTERS: &[u8] =
    b"\xc1\xc4\xc7\xc9\xcd\xd1\xd3\xd6\xda\xdc\xdf\xe1\xe4\xe7\xe9\xed\xf1\xf3\xf6\xfa\xfc";
/// So many characters that read as UTF-8 are no accident: what follows and does not is damage.
const SURELY_UTF_8: usize = 4;

/// Finds the encoding of a text: a byte order mark, else UTF-8 when it reads as such, else the
/// most likely legacy encoding (for Western texts windows-1252, which contains Latin-1).
///
/// Reads to the end, so that a first accent late in a long file still counts.
pub fn detect(text: &mut impl Read) -> io::Result<&'static Encoding> {
    let mut search = Search::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = read_full(text, &mut chunk)?;
        if let Some(found) = search.look_at(&chunk[..length]) {
            return Ok(found);
        }
        if length < CHUNK_BYTES {
            return Ok(search.guess());
        }
    }
}

/// The same text as UTF-8, without a byte order mark. What is already UTF-8 passes through as it
/// is, damage included.
pub fn decoded(
    text: impl Read + Send + 'static,
    encoding: &'static Encoding,
) -> Box<dyn Read + Send> {
    let mut decoder = DecodeReaderBytesBuilder::new();
    decoder.strip_bom(true);
    if encoding == UTF_8 {
        decoder.bom_sniffing(false);
    } else {
        decoder.encoding(Some(encoding));
    }
    let buffer = vec![0; CHUNK_BYTES];
    match decoder.build_with_buffer(text, buffer) {
        Ok(reader) => Box::new(reader),
        Err(error) => Box::new(Broken(Some(error))),
    }
}

struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn read_full(text: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < chunk.len() {
        match text.read(&mut chunk[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

struct Search {
    started: bool,
    is_utf_8: bool,
    /// Characters beyond ASCII that read as UTF-8 so far.
    beyond_ascii: usize,
    /// The first bytes of a character whose rest is in the next chunk.
    cut: Vec<u8>,
    /// Nothing but the letters of `WESTERN_LETTERS` beyond ASCII.
    is_western: bool,
    detector: EncodingDetector,
    fed: usize,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            started: false,
            is_utf_8: true,
            beyond_ascii: 0,
            cut: Vec::new(),
            is_western: true,
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            fed: 0,
        }
    }
}

impl Search {
    /// Says the encoding as soon as more text cannot change it.
    fn look_at(&mut self, chunk: &[u8]) -> Option<&'static Encoding> {
        if !self.started {
            self.started = true;
            if let Some((marked, _)) = Encoding::for_bom(chunk) {
                return Some(marked);
            }
        }
        if chunk.is_ascii() && self.cut.is_empty() {
            return None;
        }
        if self.fed < DETECTOR_BYTES {
            self.detector.feed(chunk, false);
            let is_western = |byte: &u8| byte.is_ascii() || WESTERN_LETTERS.contains(byte);
            self.is_western = self.is_western && chunk.iter().all(is_western);
            self.fed += chunk.len();
        }
        if self.is_utf_8 {
            self.is_utf_8 = self.reads_as_utf_8(chunk);
        }
        match (self.is_utf_8, self.beyond_ascii >= SURELY_UTF_8) {
            (true, _) => None,
            (false, true) => Some(UTF_8),
            (false, false) if self.fed >= DETECTOR_BYTES => Some(self.guess()),
            (false, false) => None,
        }
    }

    fn reads_as_utf_8(&mut self, chunk: &[u8]) -> bool {
        let mut text = std::mem::take(&mut self.cut);
        text.extend_from_slice(chunk);
        let valid = match std::str::from_utf8(&text) {
            Ok(valid) => valid.len(),
            Err(error) => {
                let valid = error.valid_up_to();
                if error.error_len().is_none() {
                    self.cut = text[valid..].to_vec();
                }
                valid
            }
        };
        let lead = |byte: &&u8| **byte >= 0xC0;
        self.beyond_ascii += text[..valid].iter().filter(lead).count();
        valid + self.cut.len() == text.len()
    }

    fn guess(&self) -> &'static Encoding {
        if self.is_utf_8 && self.cut.is_empty() {
            return UTF_8;
        }
        let guess = self.detector.guess(None, Utf8Detection::Deny);
        if self.is_western && [WINDOWS_1250, ISO_8859_2].contains(&guess) {
            return WINDOWS_1252;
        }
        guess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding_of(text: &[u8]) -> &'static str {
        detect(&mut &*text).unwrap().name()
    }

    fn read(text: &'static [u8]) -> String {
        let encoding = detect(&mut &*text).unwrap();
        let mut decoded = decoded(text, encoding);
        let mut all = String::new();
        decoded.read_to_string(&mut all).unwrap();
        all
    }

    #[test]
    fn latin_1_and_utf_8_are_told_apart() {
        assert_eq!(encoding_of("José,Zürich".as_bytes()), "UTF-8");
        assert_eq!(
            encoding_of(b"id;name\n1;Jos\xe9\n2;Z\xfcrich\n"),
            "windows-1252"
        );
        assert_eq!(
            encoding_of(b"1;M\xe1laga\n2;La Coru\xf1a\n"),
            "windows-1252"
        );
        assert_eq!(encoding_of(b"1;Mu\xf1oz\n"), "windows-1252");
        assert_eq!(encoding_of(b"plain"), "UTF-8");
        assert_eq!(read(b"id;name\n1;Jos\xe9\n"), "id;name\n1;José\n");
    }

    #[test]
    fn other_legacy_encodings_are_found_from_their_letters() {
        let polish = "id;imię\n1;Łukasz Wiśniewski z Łodzi\n2;Żaneta Górska, Gdańsk\n";
        let (polish, ..) = WINDOWS_1250.encode(polish);
        assert_eq!(encoding_of(&polish), "windows-1250");
        let russian = "id;имя\n1;Иван Петров\n2;Анна Смирнова\n";
        let (russian, ..) = encoding_rs::WINDOWS_1251.encode(russian);
        assert_eq!(encoding_of(&russian), "windows-1251");
        let japanese = "id;名前\n1;田中さくら\n2;すずき いちろう\n";
        let (japanese, ..) = encoding_rs::SHIFT_JIS.encode(japanese);
        assert_eq!(encoding_of(&japanese), "Shift_JIS");
    }

    #[test]
    fn byte_order_marks_are_believed_and_removed() {
        assert_eq!(read(b"\xef\xbb\xbfid"), "id");
        assert_eq!(read(b"\xff\xfei\0d\0"), "id");
        assert_eq!(read(b"\xfe\xff\0i\0d"), "id");
    }

    #[test]
    fn a_first_accent_late_in_a_long_file_still_counts() {
        let mut text = vec![b'a'; 3 * CHUNK_BYTES - 1];
        let mut utf_8 = text.clone();
        utf_8.extend_from_slice("é".as_bytes());
        assert_eq!(encoding_of(&utf_8), "UTF-8");
        text.push(0xe9);
        text.push(b'\n');
        assert_eq!(encoding_of(&text), "windows-1252");
    }

    #[test]
    fn damage_in_a_utf_8_file_does_not_change_its_encoding() {
        let mut text = "José Ángel Muñoz Peña\n".as_bytes().to_vec();
        text.push(0xff);
        assert_eq!(encoding_of(&text), "UTF-8");
    }
}
