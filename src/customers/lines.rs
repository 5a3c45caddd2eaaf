//! Owns importing lines about customers: what they did elsewhere, and what they gave up elsewhere.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::error::Error;
use super::import::ImportReport;
use super::line_cells::{Cells, said};
use super::named_rows::{NamedRows, Names};
use super::names;
use super::occurrence_reading::{CLOCKS_DIFFER, Reader};
use super::occurrence_rows;
use super::reading::{Input, Seen};
use super::table::Row;
use super::whom;
use crate::clock::Clock;
use crate::domain::audit::By;
use crate::domain::field::FieldType;
use crate::domain::ids::CustomerId;
use crate::domain::import_plan::NoMatch;
use crate::domain::interaction::Interaction;
use crate::domain::occurrence::Placed;
use crate::domain::revision::Revision;
use crate::domain::subscription::Scope;
use crate::domain::value::Value;
use crate::store::{GivenUp, ImportPage, LinesStep, Store, Telling, ToldLines};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// `customer, kind, at` and optional `id, channel, campaign, flow, step, note`, with an `id` also what
    /// belongs to the kind. A row that was told under its id is unchanged, and without one what the
    /// history tells already.
    Interactions,
    /// `id, customer, at, amount` and optional `currency, place, reason, sku, note`.
    Transactions,
    /// `customer` and optional `campaign, category, group, channel, at, note`; without one of the four
    /// scopes everything is given up. What was given up before, or taken back after `at`, is unchanged.
    Unsubscriptions,
}

impl Lines {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactions => "interactions",
            Self::Transactions => "transactions",
            Self::Unsubscriptions => "unsubscriptions",
        }
    }

    fn names(self) -> Names {
        match self {
            Self::Interactions => Names {
                all: occurrence_rows::INTERACTION,
                required: &["customer", "kind", "at"],
            },
            Self::Transactions => Names {
                all: occurrence_rows::TRANSACTION,
                required: &["id", "customer", "at", "amount"],
            },
            Self::Unsubscriptions => Names {
                all: &[
                    "customer", "campaign", "category", "group", "channel", "at", "note",
                ],
                required: &["customer"],
            },
        }
    }
}

/// A row that could be read.
enum Line {
    Did(Interaction),
    /// Under an id of its own.
    Told(Box<Placed>),
    GaveUp(GivenUp),
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    /// Those that were recorded.
    news: u64,
    /// Those that found nobody and were passed over.
    skipped: u64,
}

/// What some rows tell.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lines: ToldLines,
    /// Those that found nobody and were passed over.
    pub(super) skipped: u64,
}

/// The next rows; none at the end of the file.
pub(super) async fn next(mut rows: NamedRows) -> Result<(NamedRows, Vec<Row>), Error> {
    let read = spawn_blocking(move || {
        let batch = rows.batch();
        (rows, batch)
    });
    let (rows, batch) = read.await?;
    Ok((rows, batch?))
}

/// What is imported, into what, by whom.
pub struct LineImport<'a> {
    pub store: &'a Store,
    pub revision: &'a Revision,
    pub lines: Lines,
    pub input: &'a Input,
    /// What becomes of a row that finds nobody; nobody is made.
    pub no_match: NoMatch,
    pub dry_run: bool,
    pub by: &'a By,
    pub clock: &'a dyn Clock,
}

impl LineImport<'_> {
    /// Imports the file, some rows at a time; a row that cannot be read goes to the rejects file.
    /// In the report `created` counts what was recorded. The audit gets one row.
    pub async fn run(&self, watch: &(dyn Fn(Seen) + Sync)) -> Result<ImportReport, Error> {
        let mut rows = self.open().await?;
        let mut taken = Taken::default();
        loop {
            let batch;
            (rows, batch) = next(rows).await?;
            if batch.is_empty() {
                break;
            }
            let told = self.take(&mut rows, &batch).await?;
            taken.skipped += told.skipped;
            taken.news += self.write(&told.lines, None).await?.news;
            watch(rows.seen());
        }
        let report = report(rows, taken)?;
        self.audit(&report).await?;
        Ok(report)
    }

    /// Opens the file.
    pub(super) async fn open(&self) -> Result<NamedRows, Error> {
        let (input, names) = (self.input.clone(), self.lines.names());
        spawn_blocking(move || NamedRows::open(&input, names)).await?
    }

    async fn audit(&self, report: &ImportReport) -> Result<(), Error> {
        if self.dry_run {
            return Ok(());
        }
        let file = self.input.path.file_name().unwrap_or_default();
        let detail = json!({
            "file": file.to_string_lossy(),
            "kind": self.lines.as_str(),
            "read": report.read,
            "created": report.created,
            "unchanged": report.unchanged,
            "rejected": report.rejected,
        });
        let (detail, now) = (detail.to_string(), self.clock.now());
        Ok(self
            .store
            .audit(self.by, "import", Some(&detail), now)
            .await?)
    }

    /// Reads what one batch tells; rows that tell nothing go to the others that are not taken.
    pub(super) async fn take(&self, rows: &mut NamedRows, batch: &[Row]) -> Result<Told, Error> {
        let names = named(rows, batch);
        let customers = match self.input.key() {
            None => self.customers(&names).await?,
            Some(key) => whom::by_field(self.store, self.revision, key, &names).await?,
        };
        let mut told = Told::default();
        let lines = &mut told.lines;
        for row in batch {
            match self.read(rows, row, &customers) {
                Err(_) if self.is_passed(rows, row, &customers) => told.skipped += 1,
                Err(reason) => rows.reject(row, &reason)?,
                Ok(Line::Did(line)) => lines.did.push(line),
                Ok(Line::Told(placed)) => lines.told.push(*placed),
                Ok(Line::GaveUp(given_up)) => lines.gave_up.push(given_up),
            }
        }
        Ok(told)
    }

    /// Writes what one batch tells in one transaction, with how far the import is.
    pub(super) async fn write(
        &self,
        lines: &ToldLines,
        page: Option<&ImportPage<'_>>,
    ) -> Result<LinesStep, Error> {
        let how = Telling {
            source: self.by.source,
            now: self.clock.now(),
            is_trial: self.dry_run,
        };
        Ok(self.store.import_lines(lines, how, page).await?)
    }

    /// Whether a row finds nobody, and is to be passed over then.
    fn is_passed(
        &self,
        rows: &NamedRows,
        row: &Row,
        customers: &HashMap<String, CustomerId>,
    ) -> bool {
        let name = rows.cell(row, "customer");
        self.no_match == NoMatch::Skip
            && rows.check(row).is_ok()
            && name.is_some_and(|name| !customers.contains_key(name))
    }

    fn unknown(&self, name: &str) -> String {
        match self.input.key() {
            None => Error::UnknownCustomer(name.to_owned()).to_string(),
            Some(key) => format!("`{key}`: not one customer has the value `{name}`"),
        }
    }

    /// The numbers of the customers that the batch names.
    async fn customers(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<HashMap<String, CustomerId>, Error> {
        let behind = self.store.behind(names).await?.into_iter();
        Ok(behind.map(|(name, who)| (name, who.customer())).collect())
    }

    fn read(
        &self,
        rows: &NamedRows,
        row: &Row,
        customers: &HashMap<String, CustomerId>,
    ) -> Result<Line, String> {
        rows.check(row)?;
        let name = rows.cell(row, "customer");
        let name = name.ok_or("`customer` is empty")?;
        let customer = *customers.get(name).ok_or_else(|| self.unknown(name))?;
        let cells = Cells { rows, row };
        match self.lines {
            Lines::Interactions if cells.get("id").is_some() => self.told(&cells, customer),
            Lines::Interactions => self.interaction(&cells, customer),
            Lines::Transactions => self.told(&cells, customer),
            Lines::Unsubscriptions => self.unsubscription(&cells, customer),
        }
    }

    /// A row under an id of its own.
    fn told(&self, cells: &Cells<'_>, customer: CustomerId) -> Result<Line, String> {
        let at = self.at(cells)?.ok_or("`at` is empty")?;
        let text = |name: &str| cells.text(name);
        let written = match self.lines {
            Lines::Transactions => occurrence_rows::transaction(&text, at)?,
            _ => occurrence_rows::interaction(&text, at, cells.channel()?)?,
        };
        let reader = Reader {
            revision: self.revision,
            by: self.by,
            now: self.clock.now(),
        };
        let told = reader.read(written);
        let told = told.map_err(|flaws| occurrence_rows::reason(&flaws))?;
        Ok(Line::Told(Box::new(told.placed(customer))))
    }

    fn interaction(&self, cells: &Cells<'_>, customer: CustomerId) -> Result<Line, String> {
        if occurrence_rows::has_parts(&|name| cells.text(name)) {
            return Err("`id` is empty: what belongs to a kind is told under one".to_owned());
        }
        let at = self.at(cells)?.ok_or("`at` is empty")?;
        let [campaign, flow, step] = ["campaign", "flow", "step"].map(|name| cells.text(name));
        if let Some(campaign) = &campaign {
            names::check_campaign(self.revision, campaign).map_err(said)?;
        }
        match (&flow, &step) {
            (Some(flow), _) => names::check_flow(self.revision, flow).map_err(said)?,
            (None, Some(_)) => return Err("a `step` needs its `flow`".to_owned()),
            (None, None) => {}
        }
        let mut detail = json!({ "source": self.by.source.as_str() });
        if let Some(note) = cells.text("note") {
            detail["note"] = json!(note);
        }
        Ok(Line::Did(Interaction {
            channel: cells.channel()?,
            campaign,
            flow,
            step,
            actor: Some(self.by.actor.as_str().to_owned()),
            detail: Some(detail),
            ..Interaction::new(customer, at, cells.kind()?)
        }))
    }

    fn unsubscription(&self, cells: &Cells<'_>, customer: CustomerId) -> Result<Line, String> {
        let [campaign, category, group] =
            ["campaign", "category", "group"].map(|name| cells.text(name));
        let scope = Scope {
            campaign,
            category,
            group,
            channel: cells.channel()?,
        };
        names::check_scope(self.revision, &scope).map_err(said)?;
        let mut by = self.by.clone();
        if let Some(note) = cells.text("note") {
            by = by.noting(note);
        }
        let at = self.at(cells)?.unwrap_or_else(|| self.clock.now());
        Ok(Line::GaveUp(GivenUp {
            customer,
            scope,
            by,
            at,
        }))
    }

    fn at(&self, cells: &Cells<'_>) -> Result<Option<Timestamp>, String> {
        let Some(text) = cells.get("at") else {
            return Ok(None);
        };
        let zone: TimeZone = self.revision.time_zone();
        let value = Value::parse(FieldType::Datetime, text, &zone);
        match value.map_err(|bad| format!("`at`: {bad}"))? {
            Value::Instant(at) if at <= self.clock.now() + CLOCKS_DIFFER => Ok(Some(at)),
            _ => Err(format!("`at`: {text} is in the future")),
        }
    }
}

/// Whom the rows of a batch name.
fn named(rows: &NamedRows, batch: &[Row]) -> BTreeSet<String> {
    let readable = batch.iter().filter(|row| rows.check(row).is_ok());
    let names = readable.filter_map(|row| rows.cell(row, "customer"));
    names.map(str::to_owned).collect()
}

fn report(rows: NamedRows, taken: Taken) -> Result<ImportReport, Error> {
    let (seen, encoding) = (rows.seen(), rows.encoding());
    let ignored_columns = rows.ignored_columns().to_vec();
    Ok(ImportReport {
        read: seen.rows,
        created: taken.news,
        updated: 0,
        unchanged: seen.rows - seen.rejected - taken.news - taken.skipped,
        rejected: seen.rejected,
        duplicates: 0,
        skipped: taken.skipped,
        import: None,
        rejects_file: rows.finish()?,
        ignored_columns,
        encoding,
    })
}
