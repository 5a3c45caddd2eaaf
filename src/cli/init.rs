//! Owns `drumbeat init`: a small workspace to start from.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Exit;
use super::output;

/// Path in the workspace, and content.
const FILES: [(&str, &str); 8] = [
    ("drumbeat.yaml", include_str!("starter/drumbeat.yaml")),
    (
        "channels/email.yaml",
        include_str!("starter/channels/email.yaml"),
    ),
    (
        "flows/customers.yaml",
        include_str!("starter/flows/customers.yaml"),
    ),
    (
        "flows/policy.yaml",
        include_str!("starter/flows/policy.yaml"),
    ),
    (
        "flows/welcome.yaml",
        include_str!("starter/flows/welcome.yaml"),
    ),
    (
        "flows/welcome.test.yaml",
        include_str!("starter/flows/welcome.test.yaml"),
    ),
    ("customers.csv", include_str!("starter/customers.csv")),
    (".gitignore", "/var/\n"),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder to fill; files that are there already stay.
    dir: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = &arguments.dir;
    if dir.join("drumbeat.yaml").exists() {
        anyhow::bail!("`{}` is a workspace already", dir.display());
    }
    for (path, content) in FILES {
        write(&dir.join(path), content)?;
    }
    let dir = dir.display();
    output::facts(&format!(
        "a workspace in {dir}\n\n\
         next\n  \
         drumbeat check {dir}\n  \
         drumbeat test {dir}\n  \
         drumbeat demo {dir}\n  \
         drumbeat --workspace {dir} import {dir}/customers.csv\n  \
         drumbeat run {dir}\n"
    ))?;
    Ok(Exit::Done)
}

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    if path.exists() {
        output::note(&format!("`{}` stays as it is", path.display()));
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, content).with_context(failed)
}
