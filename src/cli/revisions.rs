//! Owns `drumbeat revisions`: what ran when, and what each changed.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::columns::aligned;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment_in;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::domain::difference::{Difference, What, differences};
use crate::domain::ids::RevisionNo;
use crate::domain::revision::Revision;
use crate::store::Published;

/// What ran when, by commit, the newest first, and what each changed in plain words.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One revision, with everything that it changed.
    revision: Option<i32>,
    /// How many are listed.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

/// A revision with what it changed.
struct Changed {
    published: Published,
    changes: Vec<Difference>,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let changed = match arguments.revision {
            Some(number) => vec![one(session, RevisionNo(number)).await?],
            None => latest(session, arguments.limit).await?,
        };
        match arguments.format.format {
            Format::Json => {
                let all: Vec<Value> = changed.iter().map(facts).collect();
                output::json(&json!({ "revisions": all }))?;
            }
            Format::Text if arguments.revision.is_some() => {
                let all = changed.iter();
                output::facts(&all.map(|one| whole(session, one)).collect::<String>())?;
            }
            Format::Text => output::facts(&list(session, &changed))?,
        }
        Ok(Exit::Done)
    })
}

async fn one(session: &Session, number: RevisionNo) -> anyhow::Result<Changed> {
    let found = session.store.revisions_until(number, 2).await?;
    let mut found = found.into_iter();
    let published = found.next().filter(|found| found.number == number);
    let published = published.with_context(|| {
        format!(
            "there is no revision {}: see `drumbeat revisions`",
            number.0
        )
    })?;
    Ok(after(published, found.next().as_ref()))
}

async fn latest(session: &Session, limit: u32) -> anyhow::Result<Vec<Changed>> {
    let newest = session.published.number;
    // The one before the last of them says what that changed.
    let found = session.store.revisions_until(newest, limit + 1).await?;
    let older = found.iter().skip(1).map(Some).chain([None]);
    let changed = found.iter().zip(older).take(limit as usize);
    Ok(changed
        .map(|(one, older)| after(one.clone(), older))
        .collect())
}

fn after(published: Published, before: Option<&Published>) -> Changed {
    let nothing = Revision::default();
    let was = before.map_or(&nothing, |before| &before.revision);
    Changed {
        changes: differences(was, &published.revision),
        published,
    }
}

fn facts(changed: &Changed) -> Value {
    let published = &changed.published;
    json!({
        "revision": published.number,
        "published_at": published.published_at.to_string(),
        "commit": published.commit,
        "hash": published.hash,
        "approved": published.approved,
        "changes": changed.changes,
    })
}

fn list(session: &Session, changed: &[Changed]) -> String {
    let zone = session.published.revision.time_zone();
    let row = |one: &Changed| {
        let published = &one.published;
        let names = one.changes.iter().map(told);
        [
            published.number.0.to_string(),
            moment_in(published.published_at, &zone),
            commit(published),
            shortened(&names.collect::<Vec<_>>()),
        ]
    };
    aligned(0, &changed.iter().map(row).collect::<Vec<_>>())
}

fn commit(published: &Published) -> String {
    let commit = published.commit.as_deref().unwrap_or_default();
    commit.chars().take(9).collect()
}

/// The first few; how many others there are.
fn shortened(names: &[String]) -> String {
    const FEW: usize = 4;
    let more = names.len().saturating_sub(FEW);
    let mut text = names[..names.len() - more].join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// `flow welcome`, `flow welcome added`.
fn told(difference: &Difference) -> String {
    let named = named(difference);
    match difference.what {
        What::Added => format!("{named} added"),
        What::Removed => format!("{named} removed"),
        What::Changed(_) => named,
    }
}

fn named(difference: &Difference) -> String {
    let named = format!("{} {}", difference.kind, difference.name);
    named.trim_end().to_owned()
}

fn whole(session: &Session, changed: &Changed) -> String {
    let published = &changed.published;
    let zone = session.published.revision.time_zone();
    let at = moment_in(published.published_at, &zone);
    let mut text = format!("revision {}, {at}\n", published.number.0);
    if let Some(commit) = &published.commit {
        let _ = writeln!(text, "commit {commit}");
    }
    if let Some(approved) = &published.approved {
        let at = moment_in(approved.at, &zone);
        let _ = writeln!(text, "approved by {}, {at}", approved.by);
    }
    text += &changes(&changed.changes);
    text
}

/// Everything that differs, each line one of it.
pub(super) fn changes(differences: &[Difference]) -> String {
    let mut text = String::new();
    for difference in differences {
        let _ = writeln!(text, "  {}", told(difference));
        if let What::Changed(parts) = &difference.what {
            for part in parts {
                let _ = writeln!(text, "    {part}");
            }
        }
    }
    text
}
