//! Owns `drumbeat customer find` and `list`: customers by what people type, by conditions, in an order.

use serde_json::json;

use super::columns::{aligned, counted};
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::session::Session;
use super::{customer_text, output, words};
use crate::customers::briefs::{CustomerBrief, briefs};
use crate::customers::search::{self, Search, Shortcuts};
use crate::domain::customer::Status;
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::domain::segment::Condition;
use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Find {
    /// An id, an e-mail address, a number, a name, or any other text of the customer, whole or in part.
    /// Case and accents do not matter; of several words all must be there.
    text: String,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    listing: Listing,
}

/// Who is listed, and how; all conditions that are given must be met.
#[derive(Debug, clap::Args)]
struct Listing {
    /// A condition of the flow language, such as `{ field: city, starts-with: San }`.
    #[arg(long = "where", value_name = "YAML")]
    condition: Option<String>,
    /// Only customers with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// On this fixed list.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// Only customers of this segment.
    #[arg(long)]
    segment: Option<String>,
    #[arg(long, value_parser = words::status)]
    status: Option<Status>,
    #[arg(long, value_parser = words::rating)]
    rating: Option<Rating>,
    /// Only those of whom it is known who they are, or not.
    #[arg(long, value_name = "TRUTH")]
    identified: Option<bool>,
    /// Only customers who converted in this campaign or flow.
    #[arg(long, value_name = "CAMPAIGN")]
    converted: Option<String>,
    /// `id`, `created`, `last-activity`, `last-engagement`, `last-transaction` or a field with one value;
    /// `-` before it for the other direction.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    sort: Option<String>,
    /// The fields that `--format json` shows, with commas between them.
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    fields: Option<Vec<String>>,
    /// How many customers are listed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

pub(crate) async fn find(session: &Session, verb: &Find) -> anyhow::Result<Exit> {
    let text = verb.text.replace(char::is_control, " ");
    show(session, &verb.listing, Some(text)).await
}

pub(crate) async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    show(session, &verb.listing, None).await
}

/// Reads a condition; what is wrong with it is told.
pub(super) fn condition(text: &str, revision: &Revision) -> Option<Condition> {
    let read = workspace::condition(text, revision);
    if let Err(diagnostics) = &read {
        for one in diagnostics {
            let help = one.help.as_ref().map(|help| format!(" ({help})"));
            output::problem(&format!(
                "--where, line {}, column {}: {}{}",
                one.line,
                one.column,
                one.message,
                help.unwrap_or_default()
            ));
        }
    }
    read.ok()
}

async fn show(session: &Session, listing: &Listing, text: Option<String>) -> anyhow::Result<Exit> {
    let (store, published) = (&session.store, &session.published);
    let (revision, now) = (&published.revision, session.clock.now());
    let is_search = text.is_some();
    let Some(search) = read(listing, text, revision)? else {
        return Ok(Exit::Misuse);
    };
    if is_search {
        search::catch_up(store, published).await?;
    }
    let found = search::page(store, published, &search, now, None, listing.limit).await?;
    let ids = found.ids();
    let customers = store.customers(&ids, &revision.data_model).await?;
    match listing.format.format {
        Format::Json => {
            let chosen = |brief: CustomerBrief| match &listing.fields {
                Some(fields) => brief.with_fields(fields),
                None => brief,
            };
            let briefs = briefs(store, revision, &ids, now).await?;
            let customers: Vec<_> = briefs.into_iter().map(chosen).collect();
            output::json(&json!({ "customers": customers, "indexing": found.indexing }))?;
        }
        Format::Text => {
            let rows: Vec<_> = customers.iter().map(customer_text::brief).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    if found.indexing > 0 {
        let waiting = counted(found.indexing);
        output::note(&format!(
            "about {waiting} customers are not in the index yet, and are found by their ids alone: a \
             running daemon adds them"
        ));
    }
    if is_search && customers.is_empty() {
        output::note("nobody was found");
        return Ok(Exit::No);
    }
    Ok(Exit::Done)
}

/// None for a condition that cannot be read, which is told.
fn read(
    listing: &Listing,
    text: Option<String>,
    revision: &Revision,
) -> anyhow::Result<Option<Search>> {
    let shortcuts = Shortcuts {
        tag: listing.tag.clone(),
        list: listing.list.clone(),
        segment: listing.segment.clone(),
        status: listing.status,
        rating: listing.rating,
        identified: listing.identified,
        converted: listing.converted.clone(),
    };
    let mut conditions = shortcuts.conditions(revision)?;
    if let Some(written) = &listing.condition {
        let Some(condition) = condition(written, revision) else {
            return Ok(None);
        };
        conditions.push(condition);
    }
    let model = &revision.data_model;
    let sort = listing.sort.as_deref();
    Ok(Some(Search {
        text,
        condition: search::all(conditions),
        sort: sort.map(|sort| search::sort(sort, model)).transpose()?,
    }))
}
