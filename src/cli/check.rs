//! Owns `drumbeat check`: everything that is wrong with the files, in one pass.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::exit::Exit;
use super::names::Server;
use super::place::Place;
use super::workspace_revision::Folder;
use super::{database, output, senders};
use crate::definitions::publishing;
use crate::definitions::survey::Survey;
use crate::domain::deliverability::{Remark, Severity, contents};
use crate::domain::revision::Revision;
use crate::settings::Settings;
use crate::store::Store;
use crate::workspace::render;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// How the diagnostics are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also what keeps e-mails from arriving and from being read: SPF, DKIM and DMARC of their senders as DNS
    /// has them, HTML that is clipped, no text part, pictures without words, no unsubscription with one click.
    #[arg(long)]
    deliverability: bool,
    /// The DNS server to ask, as ADDRESS or ADDRESS:PORT; the system's unless given.
    #[arg(long, value_name = "ADDRESS", requires = "deliverability")]
    dns: Option<Server>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: each source line underlined.
    Text,
    /// For programs.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_ref().unwrap_or(&place.workspace);
    let folder = Folder::read(dir)?;
    let Beside {
        folder,
        unconverted,
    } = beside(place, dir, folder)?;
    let folder = folder.with_values(&Settings::from_process());
    let (sources, checked) = (&folder.sources, &folder.checked);
    let found = &checked.diagnostics;
    for survey in &unconverted {
        output::note(&format!(
            "`{}` changes its type or cardinality: of {} customers with a value {} have one that does \
             not convert, and that nobody will see until it is changed back",
            survey.field, survey.customers, survey.lost
        ));
    }
    let looked_at = checked
        .revision
        .as_ref()
        .filter(|_| arguments.deliverability);
    let remarks = match looked_at {
        Some(revision) => remarks(revision, arguments.dns)?,
        None => Vec::new(),
    };
    match arguments.format {
        Format::Text => {
            let text = render::text(sources, found, output::has_colors());
            output::facts(&format!("{}{text}", told(&remarks)))?;
        }
        Format::Json => {
            let mut json = render::json(found);
            if arguments.deliverability {
                json["deliverability"] = serde_json::to_value(&remarks)?;
            }
            output::json(&json)?;
        }
        Format::Github => output::facts(&render::github(found))?,
    }
    let is_bad = |remark: &Remark| remark.severity == Severity::Error;
    Ok(match checked.revision {
        Some(_) if !remarks.iter().any(is_bad) => Exit::Done,
        _ => Exit::No,
    })
}

fn remarks(revision: &Revision, dns: Option<Server>) -> anyhow::Result<Vec<Remark>> {
    let mut remarks = contents::remarks(revision);
    remarks.extend(senders::remarks(revision, &Settings::from_process(), dns)?);
    Ok(remarks)
}

/// Each with what to do.
fn told(remarks: &[Remark]) -> String {
    let mut text = String::new();
    for remark in remarks {
        let severity = match remark.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Remark {
            about,
            message,
            help,
            ..
        } = remark;
        let _ = write!(text, "{severity}: {about}: {message}\n  help: {help}\n\n");
    }
    text
}

/// The folder with what the store says to it.
struct Beside {
    folder: Folder,
    /// The fields of which some values would not convert.
    unconverted: Vec<Survey>,
}

/// Looks into the workspace's store, if there is a file that is one: what people defined there counts, and
/// a changed type meets the values that customers have. A server is asked when it is named.
fn beside(place: &Place, dir: &Path, folder: Folder) -> anyhow::Result<Beside> {
    let settings = Settings::from_process();
    let alone = |folder| {
        Ok(Beside {
            folder,
            unconverted: Vec::new(),
        })
    };
    let named = place
        .database
        .as_ref()
        .map(|url| database::located(url, dir));
    let of_settings = || database::of_settings(&folder.checked.settings, dir, &settings).ok();
    let Some(url) = named.clone().or_else(of_settings) else {
        return alone(folder);
    };
    let file = url.strip_prefix("sqlite://");
    let is_there = match file {
        Some(file) => Path::new(file).exists(),
        None => named.is_some(),
    };
    if !is_there {
        return alone(folder);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Store::connect(&url, dir, false).await?;
        if !store.schema().await?.is_ours() {
            return alone(folder);
        }
        let folder = folder.with_definitions(&store).await?;
        let unconverted = match &folder.checked.revision {
            Some(revision) => publishing::foresee(&store, revision).await?,
            None => Vec::new(),
        };
        store.close().await;
        Ok(Beside {
            folder,
            unconverted,
        })
    })
}
