//! Owns how a command says whom it is about, when they are many.

use std::path::PathBuf;

use clap::ValueEnum;

use super::session::Session;
use crate::customers::error::Error;
use crate::customers::jobs::picking::{self, Picked};
use crate::customers::table::TableOptions;
use crate::domain::identifier::Identifier;
use crate::domain::job_order::Selection;
use crate::workspace;

/// Exactly one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whom {
    /// Everybody.
    #[arg(long)]
    all: bool,
    /// Those who carry a tag.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Those in a segment.
    #[arg(long, value_name = "NAME")]
    segment: Option<String>,
    /// Those on a list.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// Those who meet a condition, such as `{ field: city, is: Lyon }`.
    #[arg(long = "where", value_name = "YAML")]
    condition: Option<String>,
    /// Those with these unique ids.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    ids: Vec<String>,
    /// Those named in a column of a CSV, XLSX or JSON Lines file, whose first row names the columns.
    #[arg(long, value_name = "FILE")]
    ids_file: Option<PathBuf>,
}

/// Which column of a file, and what is in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Matching {
    /// The column of the file; `id`, or else the first one, unless given.
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,
    /// What stands in the column.
    #[arg(long = "match", value_enum, default_value_t = Match::Id)]
    pub(crate) by: Match,
}

impl Matching {
    /// The customers whom these names stand for.
    pub(crate) async fn picked(
        &self,
        session: &Session,
        names: &[String],
    ) -> Result<Picked, Error> {
        let revision = &session.published.revision;
        picking::by(&session.store, revision, self.by.into(), names).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Match {
    Id,
    Email,
    Phone,
}

impl From<Match> for Identifier {
    fn from(by: Match) -> Self {
        match by {
            Match::Id => Self::Id,
            Match::Email => Self::Email,
            Match::Phone => Self::Phone,
        }
    }
}

impl Whom {
    /// The selection, with the customers who are picked by it.
    pub(crate) async fn read(
        &self,
        session: &Session,
        matching: &Matching,
    ) -> Result<(Selection, Picked), Error> {
        if let Some(file) = &self.ids_file {
            let picked = from_file(session, file.clone(), matching).await?;
            return Ok((Selection::Picked, picked));
        }
        if let Some(text) = &self.condition {
            let read = workspace::condition(text, &session.published.revision);
            let condition = read.map_err(|mistakes| {
                let told: Vec<&str> = mistakes.iter().map(|one| &*one.message).collect();
                Error::BadCondition(told.join("; "))
            })?;
            return Ok((Selection::Where(condition), Picked::default()));
        }
        let named = [
            self.all.then_some(Selection::All),
            self.tag.clone().map(Selection::Tag),
            self.segment.clone().map(Selection::Segment),
            self.list.clone().map(Selection::List),
        ];
        if let Some(selection) = named.into_iter().flatten().next() {
            return Ok((selection, Picked::default()));
        }
        let picked = matching.picked(session, &self.ids).await?;
        Ok((Selection::Picked, picked))
    }
}

/// The customers whom a file names.
pub(crate) async fn from_file(
    session: &Session,
    file: PathBuf,
    matching: &Matching,
) -> Result<Picked, Error> {
    let column = matching.column.clone();
    let options = TableOptions::default();
    let names =
        tokio::task::spawn_blocking(move || picking::column(&file, &options, column.as_deref()));
    matching.picked(session, &names.await??).await
}
