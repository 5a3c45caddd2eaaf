//! Owns finding the commit of a folder by reading `.git`, without running git.
//!
//! Layout: <https://git-scm.com/docs/gitrepository-layout>.

use std::fs;
use std::path::{Path, PathBuf};

/// The hash that `HEAD` names, or none outside a repository and before the first commit.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    let git = folder
        .ancestors()
        .find_map(|ancestor| git_folder(&ancestor.join(".git")))?;
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else {
        return is_hash(&head).then_some(head);
    };
    let shared = read(&git.join("commondir")).map_or_else(|| git.clone(), |path| git.join(path));
    read(&git.join(reference))
        .or_else(|| read(&shared.join(reference)))
        .or_else(|| packed(&shared, reference))
        .filter(|hash| is_hash(hash))
}

/// `.git` is a folder, or in a linked work tree a file that names one.
fn git_folder(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_path_buf());
    }
    let text = read(dot_git)?;
    Some(dot_git.parent()?.join(text.strip_prefix("gitdir: ")?))
}

fn packed(git: &Path, reference: &str) -> Option<String> {
    let text = read(&git.join("packed-refs"))?;
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, name)| *name == reference)
        .map(|(hash, _)| hash.to_owned())
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim_end().to_owned())
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
