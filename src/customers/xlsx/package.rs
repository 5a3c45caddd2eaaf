//! Owns the parts of a workbook's ZIP file, and how much of each is unpacked.
//!
//! A part says how large it will be. Nothing that says too much is begun, nothing that turns out to
//! be more than it said is read any further, and no part that is a ZIP file itself is ever opened.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::customers::table_error::TableError;

/// A workbook has some dozens, and one more for each sheet, drawing and picture.
const MOST_PARTS: usize = 10_000;
/// What may be read of a file to find its parts.
const DIRECTORY_BYTES: u64 = 8 * 1024 * 1024;
/// Sheets of real workbooks shrink to a tenth or a thirtieth; deflate can reach a thousandth.
const MOST_RATIO: u64 = 200;
/// So much may be unpacked from nothing: it takes no time.
const HARMLESS_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct Package {
    path: PathBuf,
    archive: ZipArchive<Limited>,
    /// The places of the parts by their names, small and with slashes.
    places: HashMap<String, usize>,
}

impl Package {
    pub(super) fn open(path: &Path) -> Result<Self, TableError> {
        let file = File::open(path).map_err(|error| TableError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let archive = ZipArchive::new(Limited {
            file,
            left: DIRECTORY_BYTES,
        });
        let archive = archive.map_err(|error| not_a_workbook(path, &error))?;
        if archive.len() > MOST_PARTS {
            let parts = archive.len();
            return Err(TableError::TooMuch(format!(
                "it has {parts} parts, and at most {MOST_PARTS} are read"
            )));
        }
        let names = archive.file_names_raw().enumerate();
        let places = names.map(|(place, name)| (plain(&String::from_utf8_lossy(name)), place));
        Ok(Self {
            path: path.to_owned(),
            places: places.collect(),
            archive,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&plain(name))
    }

    /// A part, unpacked to at most so many bytes; nothing if there is none of that name.
    pub(super) fn part(&mut self, name: &str, most: u64) -> Result<Option<Unpacked>, TableError> {
        let Some(place) = self.places.get(&plain(name)).copied() else {
            return Ok(None);
        };
        let path = &self.path;
        let entry = self.archive.by_index_raw(place);
        let entry = entry.map_err(|error| not_a_workbook(path, &error))?;
        let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
        let method = entry.compression();
        let (true, Some(start)) = (!entry.encrypted(), entry.data_start()) else {
            return Err(TableError::OldWorkbook(path.clone()));
        };
        drop(entry);
        refuse_swollen(name, packed, size, most)?;
        let unreadable = |error| TableError::Unreadable {
            path: path.clone(),
            error,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let file = file.take(packed);
        let bytes = match method {
            CompressionMethod::Stored => Bytes::Stored(file),
            CompressionMethod::Deflated => {
                Bytes::Deflated(DeflateDecoder::new(BufReader::new(file)))
            }
            _ => return Err(not_a_workbook(path, "it is packed in an unusual way")),
        };
        Ok(Some(Unpacked {
            bytes,
            size,
            left: size,
            crc,
            seen: Crc::new(),
        }))
    }

    /// That the file is no workbook, and why.
    pub(super) fn refused(&self, why: &(impl ToString + ?Sized)) -> TableError {
        not_a_workbook(&self.path, why)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn refuse_swollen(name: &str, packed: u64, size: u64, most: u64) -> Result<(), TableError> {
    let mib = |bytes: u64| bytes / 1024 / 1024;
    if size > most {
        let (size, most) = (mib(size), mib(most));
        return Err(TableError::TooMuch(format!(
            "`{name}` would unpack to {size} MiB, and at most {most} MiB are read"
        )));
    }
    let ratio = size / packed.max(1);
    if size > HARMLESS_BYTES && ratio > MOST_RATIO {
        return Err(TableError::TooMuch(format!(
            "`{name}` would unpack to {ratio} times its size, and at most {MOST_RATIO} times are \
             read"
        )));
    }
    Ok(())
}

fn not_a_workbook(path: &Path, why: &(impl ToString + ?Sized)) -> TableError {
    TableError::NotAWorkbook {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn plain(name: &str) -> String {
    let name = name.replace('\\', "/").to_ascii_lowercase();
    name.trim_start_matches('/').to_owned()
}

/// The content of one part, which is exactly as long as it says, or an error.
pub(super) struct Unpacked {
    bytes: Bytes,
    size: u64,
    left: u64,
    crc: u32,
    seen: Crc,
}

enum Bytes {
    Stored(Take<File>),
    Deflated(DeflateDecoder<BufReader<Take<File>>>),
}

impl Unpacked {
    /// How much was unpacked, and how much there is.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.size - self.left, self.size)
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer)?,
            Bytes::Deflated(bytes) => bytes.read(buffer)?,
        };
        let more = || io::Error::other("it unpacks to more than it says");
        self.left = self.left.checked_sub(length as u64).ok_or_else(more)?;
        self.seen.update(&buffer[..length]);
        if length == 0 && !buffer.is_empty() && (self.left > 0 || self.seen.sum() != self.crc) {
            return Err(io::Error::other("its checksum is another one"));
        }
        Ok(length)
    }
}

/// A file of which only so much is read in all.
struct Limited {
    file: File,
    left: u64,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        if length < buffer.len() && length == 0 {
            return Err(io::Error::other("its table of contents is too large"));
        }
        let length = self.file.read(&mut buffer[..length])?;
        self.left -= length as u64;
        Ok(length)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
