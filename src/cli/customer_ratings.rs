//! Owns `drumbeat customer ratings`.

use serde_json::{Map, json};

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::output;
use super::session::Session;
use crate::customers::ratings;
use crate::domain::rating::Rating;

#[derive(Debug, clap::Args)]
pub(crate) struct Ratings {
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn show(session: &Session, verb: &Ratings) -> anyhow::Result<Exit> {
    let (store, revision) = (&session.store, &session.published.revision);
    let counts = ratings::counts(store, revision, session.clock.now()).await?;
    let each = Rating::ALL.map(|rating| (rating.as_str(), counts.of(rating)));
    let rows = each.into_iter().chain([("suspended", counts.suspended)]);
    match verb.format.format {
        Format::Text => {
            let rows = rows.chain([("all", counts.total())]);
            let rows: Vec<_> = rows
                .map(|(name, count)| [name.to_owned(), format!("{:>9}", counted(count))])
                .collect();
            output::facts(&aligned(0, &rows))?;
        }
        Format::Json => {
            let mut facts: Map<_, _> = rows
                .map(|(name, count)| (name.to_owned(), json!(count)))
                .collect();
            facts.insert("total".to_owned(), json!(counts.total()));
            output::json(&facts.into())?;
        }
    }
    Ok(Exit::Done)
}
