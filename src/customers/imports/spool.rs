//! Owns the files of open imports: brought in under a limit, readable by their owner alone, and at hand on
//! whichever node works on them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::customers::error::Error;
use crate::domain::import::{Import, ImportNo};
use crate::store::Store;

/// The most bytes of a file that is brought over the network.
pub const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of a file in one row, where the nodes share it.
const PART_BYTES: usize = 1024 * 1024;
/// The ending of a file says what it is where its content does not.
const LONGEST_ENDING: usize = 8;

/// A file as it comes in.
pub struct Spool {
    folder: PathBuf,
    file: NamedTempFile,
    hash: Context,
    size: u64,
    most: u64,
}

/// A file that is whole, and not an import yet.
pub struct Spooled {
    folder: PathBuf,
    file: NamedTempFile,
    pub size: u64,
    /// SHA-256, in hexadecimal digits.
    pub hash: String,
}

impl Spool {
    /// Begins a file of at most so many bytes.
    ///
    /// # Errors
    /// [`Error::Unkept`].
    pub fn begin(store: &Store, most: u64) -> Result<Self, Error> {
        let folder = store.imports_folder();
        let file = own_folder(&folder).and_then(|()| NamedTempFile::new_in(&folder));
        let file = file.map_err(|error| unkept(&folder, error))?;
        Ok(Self {
            folder,
            file,
            hash: Context::new(&SHA256),
            size: 0,
            most,
        })
    }

    /// Adds what comes next.
    ///
    /// # Errors
    /// [`Error::FileTooLarge`], [`Error::Unkept`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(Error::FileTooLarge(self.most));
        }
        self.hash.update(bytes);
        let written = self.file.write_all(bytes);
        written.map_err(|error| unkept(&self.folder, error))
    }

    pub fn finish(self) -> Spooled {
        let hash = self.hash.finish();
        Spooled {
            folder: self.folder,
            file: self.file,
            size: self.size,
            hash: hexadecimal(hash.as_ref()),
        }
    }

    /// A copy of a file that is there. Blocks.
    pub fn of_file(store: &Store, path: &Path) -> Result<Spooled, Error> {
        let mut spool = Self::begin(store, u64::MAX)?;
        let folder = spool.folder.clone();
        let copied = std::fs::File::open(path).and_then(|mut file| {
            let mut sink = Sink(&mut spool, Ok(()));
            io::copy(&mut file, &mut sink)
        });
        copied.map_err(|error| unkept(&folder, error))?;
        Ok(spool.finish())
    }
}

/// SHA-256 of a file, in hexadecimal digits. Blocks.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    let mut hashing = Hashing(Context::new(&SHA256));
    io::copy(&mut std::fs::File::open(path)?, &mut hashing)?;
    Ok(hexadecimal(hashing.0.finish().as_ref()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let digits = [byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16));
        text.extend(digits.into_iter().flatten());
    }
    text
}

struct Hashing(Context);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A spool that a copy is written to.
struct Sink<'a>(&'a mut Spool, Result<(), Error>);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1 = self.0.write(bytes);
        match &self.1 {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spooled {
    /// Makes it the file of an import.
    pub(super) async fn keep(
        self,
        store: &Store,
        import: ImportNo,
        name: &str,
    ) -> Result<(), Error> {
        let path = path_of(&self.folder, import, name);
        let folder = self.folder;
        let kept = spawn_blocking(move || {
            let file = self.file.persist(&path).map_err(|refused| refused.error)?;
            file.sync_all()?;
            Ok(path)
        });
        let path = kept.await?.map_err(|error| unkept(&folder, error))?;
        if store.shares_files() {
            share(store, import, path).await?;
        }
        Ok(())
    }
}

async fn share(store: &Store, import: ImportNo, path: PathBuf) -> Result<(), Error> {
    use tokio::io::AsyncReadExt as _;
    let opened = tokio::fs::File::open(&path).await;
    let mut file = opened.map_err(|error| unkept(&path, error))?;
    for number in 0.. {
        let mut part = Vec::with_capacity(PART_BYTES);
        let mut some = (&mut file).take(PART_BYTES as u64);
        let read = some.read_to_end(&mut part).await;
        if read.map_err(|error| unkept(&path, error))? == 0 {
            break;
        }
        store.add_import_part(import, number, &part).await?;
    }
    Ok(())
}

/// Where the file of an import is, fetched from the store if another node took it in.
///
/// # Errors
/// [`Error::FileGone`], [`Error::Unkept`].
pub async fn at_hand(store: &Store, import: &Import) -> Result<PathBuf, Error> {
    let folder = store.imports_folder();
    let path = path_of(&folder, import.number, &import.name);
    let is_whole =
        |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() == import.size);
    if import.hash.is_empty() {
        return Err(Error::FileGone(import.number));
    }
    if is_whole(&path) {
        return Ok(path);
    }
    if !store.shares_files() {
        return Err(Error::FileGone(import.number));
    }
    let mut spool = Spool::begin(store, import.size)?;
    for number in 0.. {
        match store.import_part(import.number, number).await? {
            Some(part) => spool.write(&part)?,
            None => break,
        }
    }
    if spool.size != import.size {
        return Err(Error::FileGone(import.number));
    }
    let kept = spool.file.persist(&path);
    kept.map_err(|refused| unkept(&folder, refused.error))?;
    Ok(path)
}

/// Lets go of an import's file, here and in the store.
pub async fn remove(store: &Store, import: &Import) -> Result<(), Error> {
    if store.shares_files() {
        store.forget_import_parts(import.number).await?;
    }
    let path = path_of(&store.imports_folder(), import.number, &import.name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unkept(&path, error)),
        _ => Ok(()),
    }
}

/// Removes files here that no open import needs; those that come in are left to who brings them.
pub async fn sweep(store: &Store) -> Result<(), Error> {
    let open = store.open_imports().await?;
    let folder = store.imports_folder();
    let Ok(files) = std::fs::read_dir(&folder) else {
        return Ok(());
    };
    for file in files.flatten() {
        let name = file.file_name();
        let stem = Path::new(&name).file_stem().unwrap_or_default();
        let number = stem.to_str().and_then(|stem| stem.parse().ok());
        if number.is_some_and(|number| !open.contains(&ImportNo(number))) {
            let removed = std::fs::remove_file(file.path());
            removed.map_err(|error| unkept(&folder, error))?;
        }
    }
    Ok(())
}

fn path_of(folder: &Path, import: ImportNo, name: &str) -> PathBuf {
    let ending = Path::new(name)
        .extension()
        .and_then(|ending| ending.to_str());
    let ending = ending.filter(|ending| {
        ending.len() <= LONGEST_ENDING && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    folder.join(format!("{import}.{}", ending.unwrap_or("csv")))
}

#[cfg(unix)]
fn own_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn own_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn unkept(path: &Path, error: io::Error) -> Error {
    Error::Unkept {
        path: path.to_owned(),
        error,
    }
}
