//! Owns the files of a workspace as they were in a commit.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use zip::ZipArchive;

use crate::workspace::{self, Sources};

/// What git has of the folder at a commit, a branch or a tag.
pub(crate) fn at(workspace: &Path, commit: &str) -> anyhow::Result<Sources> {
    let private = TempDir::with_prefix("drumbeat-")?;
    let archive = private.path().join("files.zip");
    let asked = Command::new("git")
        .arg("-C")
        .arg(workspace)
        .args(["archive", "--format=zip", "--output"])
        .arg(&archive)
        .args(["--end-of-options", commit])
        .output();
    let asked = asked.context("git cannot be run")?;
    if !asked.status.success() {
        let said = String::from_utf8_lossy(&asked.stderr);
        bail!("git has no files of `{commit}`: {}", said.trim());
    }
    let files = private.path().join("files");
    ZipArchive::new(File::open(&archive)?)?.extract(&files)?;
    Ok(workspace::load(&files)?)
}
