//! Owns how a demo ends: the funnels of its flows, and what to look at next.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Demo, show};
use crate::cli::exit::Exit;
use crate::cli::funnel::funnels;
use crate::cli::moments::width;
use crate::cli::output;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::DispatchId;
use crate::engine::picture::Picture;
use crate::store::{LedgerFilter, LedgerLine};

/// How many withheld messages are looked through for one that a person caused.
const LOOKED_THROUGH: u32 = 500;

/// The end of the month.
pub(super) async fn tell(demo: &Demo<'_>) -> anyhow::Result<Exit> {
    let (store, published) = (&demo.session.store, &demo.session.published);
    let picture = Picture::read(store, published, demo.until).await?;
    let mut text = format!("\n{}", funnels(&picture, width()));
    text.push_str(&commands(demo).await?);
    output::facts(&text)?;
    Ok(Exit::Done)
}

/// A month that was stopped.
pub(super) async fn tell_how_to_go_on(demo: &Demo<'_>) -> anyhow::Result<Exit> {
    let saved = demo.session.store.saved_clock().await?;
    let now = saved.map_or(demo.from, |saved| saved.flow);
    let day = now.to_zoned(demo.session.published.revision.time_zone());
    output::facts(&format!(
        "\nStopped on {}. The same command goes on from there; `--again` begins anew.\n",
        day.strftime("%A, %-d %B %Y, %H:%M")
    ))?;
    Ok(Exit::Done)
}

/// What to try, with the names of customers to whom something happened.
async fn commands(demo: &Demo<'_>) -> anyhow::Result<String> {
    let store = &demo.session.store;
    let withheld = LedgerFilter {
        state: Some(DispatchState::Withheld),
        ..LedgerFilter::default()
    };
    let withheld = store.ledger(&withheld, LOOKED_THROUGH).await?;
    let by_a_person = |line: &&LedgerLine| {
        let reason = line.reason.map_or("", |reason| reason.as_str());
        reason.starts_with("unsubscribed") || reason == "channel_off"
    };
    let told = withheld
        .iter()
        .find(by_a_person)
        .or_else(|| withheld.first());
    let sent = LedgerFilter {
        state: Some(DispatchState::Accepted),
        ..LedgerFilter::default()
    };
    let sent = store.ledger(&sent, LOOKED_THROUGH).await?;
    let mut text = "\nlook closer\n".to_owned();
    let drumbeat = drumbeat(demo);
    let mut line = |rest: &str| {
        let _ = writeln!(text, "  {drumbeat} {rest}");
    };
    line("status");
    if let Some(told) = told {
        line(&format!("explain {} {}", told.customer, told.flow));
        line(&format!("customer show {}", told.customer));
    }
    line("dispatches --state withheld --limit 20");
    if let Some(file) = message_file(demo, &sent).await? {
        let _ = writeln!(text, "  cat {}", file.display());
    }
    Ok(text)
}

fn drumbeat(demo: &Demo<'_>) -> String {
    let mut words = "drumbeat".to_owned();
    if demo.workspace != Path::new(".") {
        let _ = write!(words, " --workspace {}", demo.workspace.display());
    }
    let _ = write!(words, " --database {}", demo.database);
    words
}

/// The file of one of these messages, an e-mail if there is one.
async fn message_file(demo: &Demo<'_>, sent: &[LedgerLine]) -> anyhow::Result<Option<PathBuf>> {
    let Some(folder) = show::messages(demo) else {
        return Ok(None);
    };
    let tag = demo.session.store.instance_tag().await?;
    let ids: Vec<String> = sent
        .iter()
        .map(|line| DispatchId::new(tag, line.enrollment, line.step_number).to_string())
        .collect();
    let mut found = Vec::new();
    for day in files(Path::new(&folder)) {
        found.extend(files(&day).into_iter().filter(|file| {
            let name = file.to_string_lossy();
            ids.iter().any(|id| name.contains(id.as_str()))
        }));
    }
    let mail = |file: &&PathBuf| file.extension().is_some_and(|ending| ending == "eml");
    Ok(found.iter().find(mail).or_else(|| found.first()).cloned())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
