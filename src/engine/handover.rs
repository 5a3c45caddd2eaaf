//! Owns the hand-over marks: which messages were about to be committed to a gateway when the process died.
//!
//! A small file without fsync: it outlives the process, and the boot id tells whether the machine went down with it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::channels::{HandOver, Recalled};
use crate::domain::ids::{EnrollmentId, NameNo};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const HEADER: usize = 64;
/// Enrollment, step, attempt, and a trailer that says the record is whole.
const RECORD: usize = 24;
const WHOLE: u64 = 0x6472_756d_6265_6174;

/// One claim as the marks know it.
pub(super) type Marked = (EnrollmentId, NameNo, u32);

/// What an earlier start left in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The machine has been up since: of the unsettled these, and only these, may have been handed over.
    Marked(HashSet<Marked>),
    /// The machine went down, or the file is gone: any claim may have been handed over.
    Unknown,
}

impl Left {
    /// Whether a claim may have been handed over.
    pub fn may_have(&self, marked: Marked) -> bool {
        match self {
            Self::Marked(marks) => marks.contains(&marked),
            Self::Unknown => true,
        }
    }
}

/// The open file, and which of its places are free.
#[derive(Debug)]
pub struct Marks {
    file: File,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    free: Vec<usize>,
    taken: usize,
}

impl Marks {
    /// Reads what the last start left: until [`Marks::begin_anew`] each start finds it again.
    pub fn left_behind(path: &Path) -> Left {
        let read = || -> io::Result<Left> {
            let mut bytes = Vec::new();
            File::open(path)?.read_to_end(&mut bytes)?;
            let same_boot = bytes.get(..HEADER) == Some(header()?.as_slice());
            let records = bytes.get(HEADER..).unwrap_or_default().chunks_exact(RECORD);
            Ok(if same_boot {
                Left::Marked(records.filter_map(decode).collect())
            } else {
                Left::Unknown
            })
        };
        read().unwrap_or(Left::Unknown)
    }

    /// Opens the file, which stays as it is: a start that comes to nothing leaves it to the next one.
    pub fn open(path: &Path) -> io::Result<Arc<Self>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let marks = Self {
            file,
            places: Mutex::default(),
        };
        if marks.file.metadata()?.len() == 0 {
            marks.begin_anew()?;
        }
        Ok(Arc::new(marks))
    }

    /// Wipes the file, once what the last start left is settled and before the first mark.
    pub fn begin_anew(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all_at(&header()?, 0)
    }

    /// A place for one message in flight.
    pub fn place(self: &Arc<Self>, claim: Marked) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let index = places.free.pop().unwrap_or(places.taken);
        places.taken = places.taken.max(index + 1);
        Place {
            marks: Arc::clone(self),
            index,
            claim,
        }
    }

    fn write(&self, index: usize, record: &[u8; RECORD]) -> io::Result<()> {
        self.file
            .write_all_at(record, (HEADER + index * RECORD) as u64)
    }
}

/// A message's place in the file, free again when it is dropped, which is after its outcome is stored.
/// The mark stays until the next one there: of a settled message nobody asks.
#[derive(Debug)]
pub struct Place {
    marks: Arc<Marks>,
    index: usize,
    claim: Marked,
}

impl HandOver for Place {
    fn mark(&self) -> Result<(), Recalled> {
        if let Err(error) = self.marks.write(self.index, &encode(self.claim)) {
            tracing::error!(%error, "cannot write a hand-over mark");
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self
            .marks
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        places.free.push(self.index);
    }
}

fn header() -> io::Result<[u8; HEADER]> {
    let boot = std::fs::read(BOOT_ID)?;
    let mut header = [0; HEADER];
    let length = boot.len().min(HEADER);
    header[..length].copy_from_slice(&boot[..length]);
    Ok(header)
}

fn encode((enrollment, step, attempt): Marked) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&enrollment.0.to_le_bytes());
    record[8..12].copy_from_slice(&step.0.to_le_bytes());
    record[12..16].copy_from_slice(&attempt.to_le_bytes());
    record[16..].copy_from_slice(&WHOLE.to_le_bytes());
    record
}

fn decode(record: &[u8]) -> Option<Marked> {
    let enrollment = i64::from_le_bytes(record.get(..8)?.try_into().ok()?);
    let step = i32::from_le_bytes(record.get(8..12)?.try_into().ok()?);
    let attempt = u32::from_le_bytes(record.get(12..16)?.try_into().ok()?);
    let whole = u64::from_le_bytes(record.get(16..24)?.try_into().ok()?);
    (whole == WHOLE).then_some((EnrollmentId(enrollment), NameNo(step), attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_marked_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks");
        assert_eq!(Marks::left_behind(&path), Left::Unknown);
        let marks = Marks::open(&path).unwrap();
        let claim = |n| (EnrollmentId(n), NameNo(7), 1);
        let (unmarked, marked) = (marks.place(claim(1)), marks.place(claim(2)));
        marked.mark().unwrap();
        let left = Marks::left_behind(&path);
        assert!(left.may_have(claim(2)) && !left.may_have(claim(1)));
        drop(unmarked);
    }

    #[test]
    fn what_was_left_is_found_by_every_start_until_it_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks");
        let claim = (EnrollmentId(1), NameNo(7), 1);
        Marks::open(&path).unwrap().place(claim).mark().unwrap();
        let came_to_nothing = Marks::open(&path).unwrap();
        drop(came_to_nothing);
        assert!(Marks::left_behind(&path).may_have(claim));
        Marks::open(&path).unwrap().begin_anew().unwrap();
        assert_eq!(Marks::left_behind(&path), Left::Marked(HashSet::new()));
    }

    #[test]
    fn after_the_machine_went_down_every_start_knows_nothing_until_all_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks");
        std::fs::write(&path, [0; HEADER]).unwrap();
        let marks = Marks::open(&path).unwrap();
        assert_eq!(Marks::left_behind(&path), Left::Unknown);
        marks.begin_anew().unwrap();
        assert_eq!(Marks::left_behind(&path), Left::Marked(HashSet::new()));
    }

    #[test]
    fn a_place_is_used_again_when_its_message_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks");
        let marks = Marks::open(&path).unwrap();
        let claim = |n| (EnrollmentId(n), NameNo(7), 1);
        for n in 1..=3 {
            marks.place(claim(n)).mark().unwrap();
        }
        assert_eq!(
            Marks::left_behind(&path),
            Left::Marked(HashSet::from([claim(3)]))
        );
    }
}
