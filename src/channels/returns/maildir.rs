//! Owns a maildir that mail comes back to: what is in `new` is read, stored, and moved to `cur`. A crash at any
//! instant leaves a file where it is, and the same told again changes nothing.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncReadExt as _;
use tokio::time::sleep;

use super::desk::Desk;
use super::fields::{Fields, split_at_empty_line};
use super::reading::{LONGEST, bare};
use super::telling::tell;
use crate::domain::news::{News, Passed};
use crate::domain::return_path::{ReturnPath, Returned};

/// How many files are stored at once.
const AT_ONCE: usize = 100;
/// Where servers write whom a mail came to, the surest first.
const RECIPIENTS: [&str; 3] = ["delivered-to", "x-original-to", "envelope-to"];

/// A maildir, and what was said of it already.
pub(super) struct Maildir {
    path: PathBuf,
    /// Files that cannot be read, so that each is spoken of once.
    unreadable: BTreeSet<OsString>,
    is_missed: bool,
}

/// A file that was read.
struct Found {
    name: OsString,
    news: News,
}

impl Maildir {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            unreadable: BTreeSet::new(),
            is_missed: false,
        }
    }

    /// Looks again and again, until it is dropped.
    pub(super) async fn watch(&mut self, desk: &Desk<'_>) {
        loop {
            let moved = match self.look(desk).await {
                Ok(moved) => {
                    self.is_missed = false;
                    moved
                }
                Err(error) => {
                    if !self.is_missed {
                        let maildir = self.path.display();
                        tracing::error!(%maildir, %error, "the maildir that mail comes back to cannot be read: it needs the folders `new` and `cur`, and the daemon's user must be able to write there");
                    }
                    self.is_missed = true;
                    0
                }
            };
            if moved < AT_ONCE {
                sleep(desk.limits.round).await;
            }
        }
    }

    /// Reads and stores what is new. How many files were moved.
    async fn look(&mut self, desk: &Desk<'_>) -> io::Result<usize> {
        let names = self.names().await?;
        let mut found = Vec::new();
        for name in names {
            match self.read(&name, desk.path).await {
                Ok(news) => found.push(Found { name, news }),
                // Another mail program was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.speak_of(name, &error),
            }
        }
        let news = found.iter().map(|found| found.news.clone());
        if found.is_empty() || !desk.hear(news.collect()).await {
            return Ok(0);
        }
        for Found { name, news } in &found {
            let to = self.path.join("cur").join(shown(name, news));
            match fs::rename(self.path.join("new").join(name), to).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(found.len())
    }

    /// Some of what is new, without what cannot be read.
    async fn names(&mut self) -> io::Result<Vec<OsString>> {
        let mut files = fs::read_dir(self.path.join("new")).await?;
        let (mut names, mut still) = (Vec::new(), BTreeSet::new());
        while let Some(file) = files.next_entry().await? {
            let name = file.file_name();
            if self.unreadable.contains(&name) {
                still.insert(name);
            } else if file.file_type().await?.is_file() {
                names.push(name);
            }
            if names.len() == AT_ONCE {
                return Ok(names);
            }
        }
        self.unreadable = still;
        Ok(names)
    }

    async fn read(&self, name: &OsStr, path: &ReturnPath) -> io::Result<News> {
        let file = fs::File::open(self.path.join("new").join(name)).await?;
        let mut mail = Vec::new();
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut mail).await?;
        Ok(tell(path, recipient(&mail, path), &mail, None))
    }

    fn speak_of(&mut self, name: OsString, error: &dyn fmt::Display) {
        let file = Path::new(&name).display();
        tracing::error!(%file, %error, "a mail that came back cannot be read: it stays in `new` until the daemon starts again");
        self.unreadable.insert(name);
    }
}

/// Which address of ours a mail came to, by what the server wrote in front of it.
fn recipient(mail: &[u8], path: &ReturnPath) -> Returned {
    let fields = Fields::read(split_at_empty_line(mail).0);
    let named = RECIPIENTS.iter().flat_map(|name| fields.all(name));
    let read: Vec<Returned> = named.map(|address| path.read(&bare(address))).collect();
    let first = |is: fn(&Returned) -> bool| read.iter().copied().find(is);
    first(|to| matches!(to, Returned::Of(_)))
        .or_else(|| first(|to| *to == Returned::Bare))
        .unwrap_or(Returned::Elsewhere)
}

/// The name in `cur`: seen, unless a person is to look at it (a letter), and flagged if a report cannot be read.
fn shown(name: &OsStr, news: &News) -> OsString {
    let flags = match news {
        News::Passed(Passed::Letter) => ":2,",
        News::Passed(Passed::Unreadable) => ":2,FS",
        News::Passed(_) | News::Receipt(_) | News::Reply(_) => ":2,S",
    };
    let mut shown = name.to_owned();
    shown.push(flags);
    shown
}
