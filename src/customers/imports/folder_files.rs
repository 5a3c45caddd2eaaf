//! Owns the files of the watched folder: which ones are whole, and moving them away without writing over
//! another.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use tempfile::NamedTempFile;

/// Endings of files that are still being written.
const UNFINISHED: [&str; 3] = ["part", "tmp", "filepart"];

/// Files as they were seen, and since when they have been so.
pub(super) type Sightings = HashMap<String, (Look, Timestamp)>;

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    size: u64,
    modified: Option<SystemTime>,
}

pub(super) fn look(path: &Path) -> io::Result<Look> {
    let file = fs::metadata(path)?;
    Ok(Look {
        size: file.len(),
        modified: file.modified().ok(),
    })
}

/// The names of files that have not changed for so long, in their order; the others are looked at again.
pub(super) fn whole(
    folder: &Path,
    settle: SignedDuration,
    now: Timestamp,
    seen: &mut Sightings,
) -> io::Result<Vec<String>> {
    let mut there = Sightings::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !entry.file_type()?.is_file() || !is_meant(&name) {
            continue;
        }
        // It may be gone by now.
        let Ok(look) = look(&entry.path()) else {
            continue;
        };
        let since = match seen.get(&name) {
            Some((before, since)) if *before == look => *since,
            _ => now,
        };
        there.insert(name, (look, since));
    }
    let is_whole = |since: &Timestamp| now.duration_since(*since) >= settle;
    let whole = there.iter().filter(|(_, (_, since))| is_whole(since));
    let mut names: Vec<String> = whole.map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    *seen = there;
    Ok(names)
}

fn is_meant(name: &str) -> bool {
    let ending = Path::new(name)
        .extension()
        .and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    !name.starts_with('.') && !UNFINISHED.contains(&ending.as_str())
}

/// The name under which a file is put away: no other has it.
pub(super) fn filed_name(name: &str, at: Timestamp, number: i64) -> String {
    let path = Path::new(name);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let time = at.strftime("%Y%m%dT%H%M%S");
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    let ending = ending.map_or_else(String::new, |ending| format!(".{ending}"));
    format!("{stem}.{time}-{number}{ending}")
}

/// Moves a file into another folder under a name that is free; one that is gone already was moved before.
pub(super) fn move_away(from: &Path, folder: &Path, name: &str) -> io::Result<()> {
    let to = folder.join(name);
    match fs::hard_link(from, &to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // It was put there, and not taken away here.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    fs::remove_file(from)
}

/// What belongs to a file that is put away, for its owner alone; there once it is whole.
pub(super) struct Beside {
    file: NamedTempFile,
    path: PathBuf,
}

impl Beside {
    pub(super) fn begin(folder: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            file: NamedTempFile::new_in(folder)?,
            path: folder.join(name),
        })
    }

    pub(super) fn with(mut self, text: &[u8]) -> io::Result<Self> {
        self.file.write_all(text)?;
        Ok(self)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        let kept = self.file.persist(&self.path);
        kept.map(drop).map_err(|refused| refused.error)
    }
}

/// Whether a name fits a pattern: `*` stands for any characters, `?` for one.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(one) if *one == '?' || *one == name[from] => {
                at += 1;
                from += 1;
            }
            _ => match &mut star {
                None => return false,
                Some((starred, tried)) => {
                    *tried += 1;
                    (at, from) = (*starred + 1, *tried);
                }
            },
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_names() {
        for (pattern, name, expected) in [
            ("customers-*.csv", "customers-2026.csv", true),
            ("customers-*.csv", "customers-2026.csv.gz", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*", "abc", true),
            ("*.csv", "a.csv.csv", true),
            ("a*b", "acbc", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_still_written_is_left_alone() {
        for (name, expected) in [
            ("a.csv", true),
            ("A.CSV", true),
            (".a.csv", false),
            ("a.csv.part", false),
            ("a.TMP", false),
        ] {
            assert_eq!(is_meant(name), expected, "{name}");
        }
    }

    #[test]
    fn a_filed_name_keeps_its_ending_and_says_when() {
        let at = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(filed_name("a.b.csv", at, 7), "a.b.20260301T120000-7.csv");
        assert_eq!(filed_name("a", at, 7), "a.20260301T120000-7");
    }
}
