//! Owns which store a command works on.

use std::path::Path;

use anyhow::Context as _;

use crate::domain::daemon_settings::DaemonSettings;
use crate::settings::Settings;

/// The scheme of a store in one file.
const FILE: &str = "sqlite://";

/// The store that `drumbeat.yaml` names, or the default one.
pub(crate) fn of_settings(
    settings: &DaemonSettings,
    workspace: &Path,
    environment: &Settings,
) -> anyhow::Result<String> {
    let url = environment
        .text(&settings.database)
        .context("the store that `drumbeat.yaml` names")?;
    Ok(located(&url, workspace))
}

/// The same store with a relative path taken from the workspace.
pub(crate) fn located(url: &str, workspace: &Path) -> String {
    match url.strip_prefix(FILE) {
        Some(path) if !path.is_empty() => format!("{FILE}{}", workspace.join(path).display()),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_store_lies_in_the_workspace() {
        let workspace = Path::new("/srv/flows");
        assert_eq!(
            located("sqlite://var/drumbeat.db", workspace),
            "sqlite:///srv/flows/var/drumbeat.db"
        );
        assert_eq!(
            located("sqlite:///data/a.db", workspace),
            "sqlite:///data/a.db"
        );
        assert_eq!(located("postgres://db/a", workspace), "postgres://db/a");
    }
}
