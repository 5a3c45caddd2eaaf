//! Owns the demo's customers: the workspace's examples, with their dates moved to today.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::calendar;
use super::{IMPORTED, JOB};
use crate::cli::session::Session;
use crate::clock::{Clock as _, SystemClock};
use crate::customers::import::{ImportRequest, import};
use crate::customers::reading::Input;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::channel::Channel;
use crate::domain::subscription::Consent;

/// Since when the store has been a demo's; a new one gets its customers first.
pub(super) async fn begin(session: &Session, workspace: &Path) -> anyhow::Result<Timestamp> {
    let store = &session.store;
    let earlier = store.last_run(JOB).await?;
    if let Some(earlier) = &earlier
        && earlier.result.as_deref() == Some(IMPORTED)
    {
        return Ok(earlier.at);
    }
    if earlier.is_none() && store.customer_count().await? > 0 {
        bail!("the store holds customers and is not a demo's: choose another with `--database`");
    }
    let folder = folder(workspace)?;
    let from = earlier.map_or_else(now, |earlier| Ok(earlier.at))?;
    store.ran(JOB, from, Some("importing")).await?;
    import_all(session, &folder, from).await?;
    store.ran(JOB, from, Some(IMPORTED)).await?;
    Ok(from)
}

/// To the microsecond, as the store keeps it: the clock must be able to reach the month's end.
fn now() -> Result<Timestamp, jiff::Error> {
    Timestamp::from_microsecond(SystemClock.now().as_microsecond())
}

fn folder(workspace: &Path) -> anyhow::Result<PathBuf> {
    let examples = workspace.join("examples");
    for folder in [examples.as_path(), workspace] {
        if folder.join("customers.csv").exists() {
            return Ok(folder.to_owned());
        }
    }
    bail!(
        "there are no customers for a demo: neither `{}` nor `{}`",
        examples.join("customers.csv").display(),
        workspace.join("customers.csv").display()
    )
}

async fn import_all(session: &Session, folder: &Path, from: Timestamp) -> anyhow::Result<()> {
    let revision = &session.published.revision;
    let today = from.to_zoned(revision.time_zone()).date();
    let made = session.store.beside("import");
    std::fs::create_dir_all(&made)
        .with_context(|| format!("cannot make the folder `{}`", made.display()))?;
    for list in lists() {
        let path = folder.join(list.file);
        let known = |tag: &String| revision.data_model.tags.contains_key(tag);
        if !path.exists() || !list.tags.iter().all(known) {
            continue;
        }
        let shifted = made.join(list.file);
        calendar::shift(&path, &shifted, &revision.data_model, today)?;
        let request = ImportRequest {
            input: Input {
                path: shifted,
                ..Input::default()
            },
            tags: list.tags,
            consents: list.consents,
            ..ImportRequest::default()
        };
        let by = By::new(Actor::named("demo"), Source::Import);
        let clock = crate::clock::ManualClock::new(from);
        import(&session.store, revision, &request, &by, &clock, &|_| {}).await?;
    }
    Ok(())
}

struct List {
    file: &'static str,
    tags: Vec<String>,
    consents: Vec<(Channel, Consent)>,
}

/// The customers, and the short lists of who may be written to how.
fn lists() -> [List; 4] {
    let list = |file, consents: &[(Channel, Consent)], tags: &[&str]| List {
        file,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        consents: consents.to_vec(),
    };
    [
        list("customers.csv", &[], &[]),
        list(
            "sms-permission.csv",
            &[(Channel::Sms, Consent::OptedIn)],
            &[],
        ),
        list(
            "no-email.csv",
            &[(Channel::Email, Consent::Unsubscribed)],
            &[],
        ),
        list("staff.csv", &[], &["staff"]),
    ]
}
