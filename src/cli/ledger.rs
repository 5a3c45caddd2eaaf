//! Owns `drumbeat dispatches` and `drumbeat uncertain`: the ledger of what was sent, and what was not.

use clap::Subcommand;
use serde_json::json;

use super::actor::ActorArgument;
use super::columns::aligned;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::names::UnknownName;
use crate::customers::profiles;
use crate::customers::remarks::remark;
use crate::domain::audit::Source;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::DispatchId;
use crate::domain::revision::NameKind;
use crate::engine::Catalog;
use crate::engine::ledger::{self, DispatchFacts, ResolvedFacts};
use crate::store::{LedgerFilter, LedgerLine, Published};

const DEFAULT_LIMIT: u32 = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only those in this state, such as `accepted`, `withheld`, `deferred`, `uncertain`.
    #[arg(long, value_parser = state)]
    state: Option<DispatchState>,
    /// Only those of this flow.
    #[arg(long)]
    flow: Option<String>,
    /// Only those to this customer.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// The latest so many.
    #[arg(long, default_value_t = DEFAULT_LIMIT)]
    limit: u32,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Uncertain {
    #[command(subcommand)]
    verb: UncertainVerb,
}

#[derive(Debug, Subcommand)]
enum UncertainVerb {
    /// The messages of which nobody knows whether the gateway took them.
    List {
        #[arg(long, default_value_t = DEFAULT_LIMIT)]
        limit: u32,
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Says whether the gateways took some, as you learned it from them; for the record, and for the history.
    /// What was not taken is not sent again by itself: see `drumbeat customer send`.
    Resolve(Resolve),
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["taken", "not_taken"]))]
struct Resolve {
    /// The dispatches.
    #[arg(required = true)]
    ids: Vec<DispatchId>,
    /// The gateway took them.
    #[arg(long)]
    taken: bool,
    /// It did not.
    #[arg(long)]
    not_taken: bool,
    /// How you know, for the record.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

fn state(text: &str) -> Result<DispatchState, String> {
    let known = DispatchState::ALL.map(DispatchState::as_str);
    DispatchState::parse(text).ok_or_else(|| UnknownName::new("state", text, known).to_string())
}

pub(crate) fn dispatches(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| {
        let customer = match &arguments.customer {
            Some(customer) => Some(profiles::id_of(&session.store, customer).await?),
            None => None,
        };
        let filter = LedgerFilter {
            state: arguments.state,
            flow: flow(session, arguments.flow.as_deref())?,
            customer,
        };
        list(session, &filter, arguments.limit, arguments.format.format).await
    })
}

pub(crate) fn uncertain(place: &Place, arguments: &Uncertain) -> anyhow::Result<Exit> {
    match &arguments.verb {
        UncertainVerb::List { limit, format } => session::run(place, async |session| {
            let lines = session.store.uncertain(None, None, *limit).await?;
            say(session, lines, format.format).await
        }),
        UncertainVerb::Resolve(resolve) => {
            session::run(place, async |session| settle(session, resolve).await)
        }
    }
}

async fn settle(session: &Session, resolve: &Resolve) -> anyhow::Result<Exit> {
    let by = resolve.actor.by(&session.settings, Source::CommandLine);
    let said = (resolve.taken, remark("note", resolve.note.as_deref())?);
    let catalog = Catalog::new(Published::clone(&session.published), Vec::new());
    let mut resolved = Vec::new();
    for id in &resolve.ids {
        let by = (&by, session.clock.now());
        resolved.push(ledger::resolve(&session.store, &catalog, *id, said, by).await?);
    }
    match resolve.format.format {
        Format::Json => output::json(&json!({ "resolved": resolved }))?,
        Format::Text => {
            for ResolvedFacts { id, state, changed } in &resolved {
                let why = if *changed {
                    ""
                } else {
                    ", as before: it was not uncertain"
                };
                output::facts(&format!("{id}: {state}{why}\n"))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn flow(
    session: &Session,
    flow: Option<&str>,
) -> Result<Option<crate::domain::ids::NameNo>, UnknownName> {
    let Some(flow) = flow else { return Ok(None) };
    let published = &session.published;
    let number = published.numbers.number(NameKind::Flow, flow);
    let known = published.revision.flows.keys().map(String::as_str);
    let number = number.ok_or_else(|| UnknownName::new("flow", flow, known))?;
    Ok(Some(number))
}

async fn list(
    session: &Session,
    filter: &LedgerFilter,
    limit: u32,
    format: Format,
) -> anyhow::Result<Exit> {
    let lines = session.store.ledger(filter, limit).await?;
    say(session, lines, format).await
}

async fn say(session: &Session, lines: Vec<LedgerLine>, format: Format) -> anyhow::Result<Exit> {
    let tag = session.store.instance_tag().await?;
    match format {
        Format::Json => {
            let lines = lines.into_iter();
            let lines: Vec<_> = lines.map(|line| DispatchFacts::of(line, tag)).collect();
            output::json(&json!({ "dispatches": lines }))?;
        }
        Format::Text if lines.is_empty() => output::facts("none\n")?,
        Format::Text => {
            let zone = session.published.revision.time_zone();
            let rows: Vec<[String; 6]> = lines
                .iter()
                .map(|line| {
                    [
                        moment(line.at, &zone),
                        line.customer.clone(),
                        format!("{}/{}", line.flow, line.step),
                        line.channel
                            .map_or("", |channel| channel.as_str())
                            .to_owned(),
                        said(line),
                        DispatchId::new(tag, line.enrollment, line.step_number).to_string(),
                    ]
                })
                .collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

fn said(line: &LedgerLine) -> String {
    let state = line.state.as_str();
    match (line.reason, &line.detail) {
        (Some(reason), _) => format!("{state}: {reason}"),
        (None, Some(detail)) if line.attempts > 1 => {
            format!("{state}: {detail} (try {})", line.attempts)
        }
        (None, Some(detail)) => format!("{state}: {detail}"),
        (None, None) => state.to_owned(),
    }
}
