//! Owns reading a workspace's folder: which files belong to it, their bytes, and the hash of all.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::git;
use crate::domain::definition::{DefinitionKind, Definitions};

/// A larger YAML file or template is refused unread.
pub(crate) const LARGEST_FILE: u64 = 256 * 1024;

const SKIPPED_FOLDERS: [&str; 4] = ["var", "target", "examples", "node_modules"];
const TEMPLATES: [&str; 5] = ["html", "htm", "txt", "md", "mjml"];

/// How the paths begin of what is no file, but was made in the store.
const MADE: &str = "store:";

/// The file whose presence makes a folder a workspace.
pub(crate) const SETTINGS_FILE: &str = "drumbeat.yaml";

/// The files of a workspace as they were read at one moment.
#[derive(Debug, Clone)]
pub struct Sources {
    files: Vec<SourceFile>,
    hash: String,
    commit: Option<String>,
    definitions: i64,
}

/// One file, relative to the workspace.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// The path with `/` between its parts.
    pub(crate) name: String,
    /// Empty when the file is over the size cap.
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: u64,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// What it defines, when it is no file: people made it in the store.
    pub(crate) made: Option<(DefinitionKind, String)>,
}

impl SourceFile {
    pub(crate) fn is_yaml(&self) -> bool {
        self.made.is_some() || is_yaml(&self.path)
    }

    /// The line and column of a byte, both counted from 1, the column in characters.
    pub(crate) fn position(&self, offset: u32) -> (u32, u32) {
        let offset = usize::try_from(offset)
            .unwrap_or_default()
            .min(self.bytes.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let before = String::from_utf8_lossy(&self.bytes[start..offset]);
        let column = before.chars().count() + 1;
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        (number(line), number(column))
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.size > LARGEST_FILE
    }

    /// Whether it belongs to marketing, and so holds no secrets.
    pub(crate) fn is_under_flows(&self) -> bool {
        self.made.is_some() || self.path.starts_with("flows")
    }
}

impl Sources {
    /// One text by itself, which is in no folder.
    pub(crate) fn of_text(name: &str, text: &str) -> Self {
        let file = SourceFile {
            path: PathBuf::from(name),
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
            size: u64::try_from(text.len()).unwrap_or(u64::MAX),
            lines: line_starts(text.as_bytes()),
            made: None,
        };
        Self {
            files: vec![file],
            hash: String::new(),
            commit: None,
            definitions: 0,
        }
    }

    /// The files of a revision as they were published.
    pub fn published(
        sources: Vec<(String, Vec<u8>)>,
        hash: String,
        commit: Option<String>,
    ) -> Self {
        let of_files = sources.into_iter();
        let of_files = of_files.filter(|(path, _)| !path.starts_with(MADE));
        Self {
            files: of_files.map(|(path, bytes)| file(path, bytes)).collect(),
            hash,
            commit,
            definitions: 0,
        }
    }

    /// The same files with what people made in the store, in place of what stood there before.
    #[must_use]
    pub fn with(mut self, definitions: &Definitions) -> Self {
        self.files.retain(|file| file.made.is_none());
        for one in &definitions.all {
            let path = format!("{MADE}{}/{}", one.kind.as_str(), one.name);
            let mut made = file(path, one.body.clone().into_bytes());
            made.name = format!("made in the store: {} {}", one.kind, one.name);
            made.made = Some((one.kind, one.name.clone()));
            self.files.push(made);
        }
        self.definitions = definitions.changes;
        self
    }

    /// How many changes of what people make in the store it knows of.
    pub fn definitions(&self) -> i64 {
        self.definitions
    }

    /// The SHA-256 of the paths and contents of the files, in hex; what is in the store is not part of it.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The commit that git's `HEAD` names, where the folder is in a repository.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// Paths relative to the workspace, sorted, with their bytes; then what people made in the store, as
    /// `store:KIND/NAME`.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.files
            .iter()
            .map(|file| (file.path.as_path(), file.bytes.as_slice()))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &SourceFile)> {
        (0..).zip(&self.files)
    }

    pub(crate) fn file(&self, number: u32) -> Option<&SourceFile> {
        self.files.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn named(&self, name: &str) -> Option<(u32, &SourceFile)> {
        self.all().find(|(_, file)| file.name == name)
    }
}

/// Reads the folder `dir`. Fails only when the folder or a file in it cannot be read.
///
/// Read are YAML files anywhere, and templates below `flows/`. Not read are hidden files and
/// folders, `var/`, `target/`, `examples/`, a folder with a `drumbeat.yaml` of its own (it is
/// another workspace), linked folders, and links that lead out of the workspace.
pub fn load(dir: &Path) -> io::Result<Sources> {
    let root = dir.canonicalize()?;
    let mut paths = Vec::new();
    collect(&root, &root, &mut paths)?;
    paths.sort();
    let files: Vec<SourceFile> = paths
        .into_iter()
        .map(|path| read(&root, &path))
        .collect::<io::Result<_>>()?;
    Ok(Sources {
        hash: hash(&files),
        commit: git::commit(&root),
        files,
        definitions: 0,
    })
}

/// The folders directly in `root` whose files belong to the workspace.
pub(super) fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let skipped = name.starts_with('.') || SKIPPED_FOLDERS.contains(&name.as_str());
        if entry.file_type()?.is_dir() && !skipped {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn collect(root: &Path, folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        let another_workspace = || path.join(SETTINGS_FILE).exists();
        if kind.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) && !another_workspace() {
                collect(root, &path, paths)?;
            }
        } else if belongs(root, &path) && is_readable(root, &path, kind.is_symlink()) {
            paths.push(path);
        }
    }
    Ok(())
}

fn is_yaml(path: &Path) -> bool {
    has_extension(path, &["yaml", "yml"])
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .is_some_and(|extension| extensions.iter().any(|known| extension == *known))
}

fn belongs(root: &Path, path: &Path) -> bool {
    is_yaml(path) || (path.starts_with(root.join("flows")) && has_extension(path, &TEMPLATES))
}

fn is_readable(root: &Path, path: &Path, is_link: bool) -> bool {
    !is_link
        || path
            .canonicalize()
            .is_ok_and(|target| target.starts_with(root) && target.is_file())
}

fn read(root: &Path, path: &Path) -> io::Result<SourceFile> {
    let size = fs::metadata(path)?.len();
    let bytes = if size > LARGEST_FILE {
        Vec::new()
    } else {
        fs::read(path)?
    };
    let path = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    Ok(SourceFile {
        name: parts.join("/"),
        path,
        lines: line_starts(&bytes),
        bytes,
        size,
        made: None,
    })
}

/// A file that was read before; one that was too large was never published.
fn file(path: String, bytes: Vec<u8>) -> SourceFile {
    SourceFile {
        path: PathBuf::from(&path),
        name: path,
        lines: line_starts(&bytes),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        bytes,
        made: None,
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    std::iter::once(0)
        .chain(ends.map(|(end, _)| end + 1))
        .collect()
}

fn hash(files: &[SourceFile]) -> String {
    let mut context = Context::new(&SHA256);
    for file in files {
        context.update(
            &u64::try_from(file.name.len())
                .unwrap_or_default()
                .to_be_bytes(),
        );
        context.update(file.name.as_bytes());
        context.update(&file.size.to_be_bytes());
        context.update(&file.bytes);
    }
    context
        .finish()
        .as_ref()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _written = write!(hex, "{byte:02x}");
            hex
        })
}
