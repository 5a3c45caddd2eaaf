//! Owns `drumbeat simulate`: what the flows would do, on a clock of their own and a copy of the customers.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::signal;
use tokio::signal::unix::{SignalKind, signal as on};

use super::columns::counted;
use super::exit::Exit;
use super::moments;
use super::output;
use super::place::Place;
use super::progress::Progress;
use super::session;
use super::simulate_page;
use super::simulate_words as words;
use super::workspace_revision::Folder;
use crate::clock::{Clock as _, ManualClock, SystemClock};
use crate::customers::import::{self, ImportRequest};
use crate::customers::names;
use crate::customers::reading::Input;
use crate::customers::table::TableOptions;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::calendar;
use crate::domain::duration::Delay;
use crate::domain::import_plan::{NoMatch, SeveralMatch};
use crate::domain::revision::Revision;
use crate::simulation::{self, Request};
use crate::store::{Copying, Dialect, Store};
use crate::workspace::render;

const PRIVATE: &str = "simulation.db";
/// Rows that are copied at a time.
const MOST: usize = 2_000;

/// Shows what flows would send from now on, day by day, and what would be withheld and why.
///
/// It runs the engine itself on a clock that is moved by hand, over a private copy of the store or over
/// customers of a file; gateways are replaced by recorders. Nothing is sent, and the store is only read.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these flows; all unless given. A flow that is named runs though it is a draft.
    flows: Vec<String>,
    /// The first day, or an instant; now unless given.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// How long.
    #[arg(long = "for", value_name = "SPAN", default_value = "60d")]
    span: Delay,
    /// Customers of a CSV, XLSX or JSON Lines file, instead of those of the store.
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    customers: Option<PathBuf>,
    /// The customers of the workspace's store as they are now; so it is unless `--customers` is given.
    #[arg(long)]
    base: bool,
    /// Also everything that would come to this customer, word by word.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// How the facts are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one object with stable keys.
    Json,
    /// A page with a calendar and charts, in one file.
    Html,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let folder = Folder::read(&place.workspace)?;
    let Some(revision) = folder.checked.revision.clone() else {
        let (sources, found) = (&folder.sources, &folder.checked.diagnostics);
        output::facts(&render::text(sources, found, output::has_colors()))?;
        return Ok(Exit::No);
    };
    for flow in &arguments.flows {
        names::flow(&revision, flow)?;
    }
    let from = from(arguments, &revision)?;
    let zone = revision.time_zone();
    let request = Request {
        flows: arguments.flows.clone(),
        from,
        until: calendar::after(from, arguments.span, &zone),
        customer: arguments.customer.clone(),
        public_url: "https://example.invalid".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Whatever ends it, the private folder goes with it.
        let private = TempDir::with_prefix("drumbeat-")?;
        let mut ended = on(SignalKind::terminate())?;
        tokio::select! {
            done = simulate(place, arguments, &folder, (revision, &request), &private) => done,
            _ = signal::ctrl_c() => Ok(broken_off()),
            _ = ended.recv() => Ok(broken_off()),
        }
    })
}

fn broken_off() -> Exit {
    output::problem("broken off: nothing is left behind");
    Exit::No
}

async fn simulate(
    place: &Place,
    arguments: &Arguments,
    folder: &Folder,
    (revision, request): (Revision, &Request),
    private: &TempDir,
) -> anyhow::Result<Exit> {
    let bar = Progress::new();
    let store = match &arguments.customers {
        Some(file) => of_file(file, &revision, request, private).await?,
        None => of_base(place, private, &bar).await?,
    };
    let days = |from: Timestamp, until: Timestamp| {
        u64::try_from(until.duration_since(from).as_hours() / 24).unwrap_or_default()
    };
    let all = days(request.from, request.until);
    let watch = |at: Timestamp| {
        let day = days(request.from, at);
        bar.at(
            day,
            all,
            format!("day {} of {}", counted(day), counted(all)),
        );
    };
    let hash = folder.sources.hash();
    let configs = revision.channels.clone();
    let simulated = simulation::simulate(&store, (revision, hash), request, &watch).await;
    bar.clear();
    store.close().await;
    let simulated = simulated?;
    match arguments.format {
        Format::Text => output::facts(&words::text(&simulated, request, &configs))?,
        Format::Json => output::json(&words::json(&simulated, request))?,
        Format::Html => output::facts(&simulate_page::html(&simulated, request, &configs)?)?,
    }
    Ok(Exit::Done)
}

/// Now, if no other moment is given.
fn from(arguments: &Arguments, revision: &Revision) -> anyhow::Result<Timestamp> {
    match &arguments.from {
        Some(text) => moments::given(text, &revision.time_zone()),
        None => Ok(SystemClock.now()),
    }
}

/// A store of its own with the customers of a file.
async fn of_file(
    file: &std::path::Path,
    revision: &Revision,
    request: &Request,
    private: &TempDir,
) -> anyhow::Result<Store> {
    let store = Store::open(&private_url(), private.path()).await?;
    store
        .publish(crate::store::NewRevision {
            revision,
            hash: "customers",
            commit: None,
            sources: Vec::new(),
            at: request.from,
        })
        .await?;
    let import = ImportRequest {
        input: Input {
            path: file.to_owned(),
            table: TableOptions {
                delimiter: None,
                encoding: None,
                skip_lines: 0,
                sheet: None,
            },
            map: Vec::new(),
            rejects: Some(private.path().join("rejects.csv")),
            key: Some("id".to_owned()),
        },
        list: None,
        no_match: NoMatch::Create,
        several_match: SeveralMatch::Reject,
        tags: Vec::new(),
        consents: Vec::new(),
        dry_run: false,
    };
    let by = By::new(Actor::named("simulation"), Source::Import);
    let clock = ManualClock::new(request.from);
    let report = import::import(&store, revision, &import, &by, &clock, &|_| {}).await?;
    if report.rejected > 0 {
        output::note(&format!(
            "{} rows of {} are no customers and take no part: `drumbeat import --dry-run` says why",
            counted(report.rejected),
            file.display()
        ));
    }
    Ok(store)
}

/// A copy of the workspace's store as it is now.
async fn of_base(place: &Place, private: &TempDir, bar: &Progress) -> anyhow::Result<Store> {
    let url = session::url_of(place)?;
    let base = Store::connect(&url, &place.workspace, false).await;
    let base = base.context("give the customers with `--customers FILE`, or import them first")?;
    let copied = match base.dialect() {
        Dialect::Sqlite => base.backup(&private.path().join(PRIVATE)).await,
        Dialect::Postgres | Dialect::Citus => {
            let to = Store::open(&private_url(), private.path()).await?;
            let watch = |copying: Copying| {
                let (rows, of) = (copying.rows, copying.of);
                bar.at(rows, of, format!("copying {}", copying.table));
            };
            let copied = base.copy_moment(&to, MOST, &watch).await;
            to.close().await;
            copied
        }
    };
    base.close().await;
    copied?;
    Ok(Store::open(&private_url(), private.path()).await?)
}

fn private_url() -> String {
    format!("sqlite://{PRIVATE}")
}
