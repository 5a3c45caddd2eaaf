//! Owns which store a command works on.

use std::path::Path;

use anyhow::Context as _;

use crate::domain::daemon_settings::DaemonSettings;
use crate::settings::Settings;

/// The scheme of a store in one file.
const FILE: &str = "sqlite://";

/// The store that was asked for, else the one of `drumbeat.yaml`; a relative path is relative to the
/// workspace.
pub(crate) fn url(
    wanted: Option<&str>,
    workspace: &Path,
    settings: &DaemonSettings,
    environment: &Settings,
) -> anyhow::Result<String> {
    let url = match wanted {
        Some(url) => url.to_owned(),
        None => environment
            .text(&settings.database)
            .context("the store that `drumbeat.yaml` names")?,
    };
    Ok(located(&url, workspace))
}

fn located(url: &str, workspace: &Path) -> String {
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
