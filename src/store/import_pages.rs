//! Owns one part of an import: its customers, the rows that were not taken, and how far the import is, in
//! one transaction.

use std::ops::Range;

use super::customer_sheet::Sheet;
use super::customer_upsert::{self, Upsert, Upserted};
use super::db::Store;
use super::dialect::rows;
use super::error::Result;
use super::import_before::Brought;
use super::job_holds::{self, JobHold, JobStanding, Step};
use super::listing::json;
use super::returning;
use super::sql::query;
use super::tx::Tx;
use crate::domain::ids::NameNo;
use crate::domain::import::{ImportCounts, ImportNo, ImportPlace, RejectedRow};
use crate::domain::job::{JobFailure, JobPlace};

const MOVE: &str = "UPDATE imports SET place = $2, counts = $3 WHERE import = $1";
const REJECT: &str = concat!(
    "INSERT INTO import_rejects (import, seq, line, who, reason, body) \
     SELECT $2, j.seq, j.line, j.who, j.reason, j.body FROM ",
    rows!(seq BIGINT 0, line BIGINT 1, who TEXT 2, reason TEXT 3, body TEXT 4),
    " AS j WHERE true ON CONFLICT (import, seq) DO NOTHING"
);

pub(super) const STATEMENTS: &[&str] = &[MOVE, REJECT];

/// Rejected rows that are written by one statement.
const REJECTED_TOGETHER: usize = 500;

/// Where an import is after some rows, and what else is to be written with them.
#[derive(Debug, Clone)]
pub struct ImportPage<'a> {
    pub import: ImportNo,
    /// The job that does it, if one does.
    pub hold: Option<&'a JobHold>,
    /// How far it is after these rows.
    pub place: ImportPlace,
    /// All that was counted before, with the rows that are no customers of the page.
    pub counts: ImportCounts,
    /// Rows that were not taken, which are counted already.
    pub rejects: &'a [RejectedRow],
    /// Rows that are done without being anybody's: repeated ones and those passed over.
    pub passed: u64,
    pub list: Option<NameNo>,
    /// Whether nothing is to stay of the customers.
    pub is_trial: bool,
}

/// What a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStep {
    pub upserted: Upserted,
    pub standing: JobStanding,
}

impl ImportPage<'_> {
    /// All that is counted with what became of its customers.
    pub fn counts_with(&self, upserted: Upserted) -> ImportCounts {
        let Upserted {
            created,
            updated,
            unchanged,
        } = upserted;
        ImportCounts {
            read: self.counts.read + created + updated + unchanged,
            created: self.counts.created + created,
            updated: self.counts.updated + updated,
            unchanged: self.counts.unchanged + unchanged,
            ..self.counts
        }
    }
}

impl Store {
    /// Writes some rows of a sheet for an import and moves it on, or neither. Of a hold that was lost
    /// nothing is written.
    pub async fn import_sheet(
        &self,
        sheet: &Sheet,
        rows: Range<usize>,
        how: &Upsert<'_>,
        page: &ImportPage<'_>,
    ) -> Result<ImportStep> {
        let known = returning::ahead(self, sheet, rows.clone()).await?;
        let mut tx = self.write_rows(sheet, rows.clone(), how, &known).await?;
        let brought = Brought {
            list: page.list,
            import: (!page.is_trial).then_some(page.import),
        };
        let mut upserted = Upserted::default();
        if !rows.is_empty() {
            let written = (sheet, rows);
            let applied = customer_upsert::apply_brought(&mut tx, written, how, brought, known);
            (upserted, _) = applied.await?;
        }
        if page.is_trial {
            tx.rollback().await?;
            tx = self.begin().await?;
        }
        let standing = advance(&mut tx, page, upserted).await?;
        if standing == JobStanding::Lost {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(ImportStep { upserted, standing })
    }

    /// What the rows of a sheet would come to with what they bring; nothing stays written.
    pub async fn compare_import(
        &self,
        sheet: &Sheet,
        rows: Range<usize>,
        how: &Upsert<'_>,
        list: Option<NameNo>,
    ) -> Result<Upserted> {
        if rows.is_empty() {
            return Ok(Upserted::default());
        }
        let known = returning::ahead(self, sheet, rows.clone()).await?;
        let mut tx = self.write_rows(sheet, rows.clone(), how, &known).await?;
        let brought = Brought { list, import: None };
        let applied = customer_upsert::apply_brought(&mut tx, (sheet, rows), how, brought, known);
        let (upserted, _) = applied.await?;
        tx.rollback().await?;
        Ok(upserted)
    }

    /// Moves an import on by rows that are no customers'.
    pub async fn move_import(&self, page: &ImportPage<'_>) -> Result<JobStanding> {
        let mut tx = self.begin().await?;
        let standing = advance(&mut tx, page, Upserted::default()).await?;
        if standing == JobStanding::Lost {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(standing)
    }
}

/// Moves an import on by what became of some rows, within a transaction.
pub(super) async fn advance(
    tx: &mut Tx,
    page: &ImportPage<'_>,
    upserted: Upserted,
) -> Result<JobStanding> {
    let counts = page.counts_with(upserted);
    query(MOVE)
        .bind(page.import.0)
        .bind(json(&page.place))
        .bind(json(&counts))
        .execute(&mut *tx)
        .await?;
    reject(tx, page).await?;
    let Some(hold) = page.hold else {
        return Ok(JobStanding::GoOn);
    };
    let failures: Vec<JobFailure> = page.rejects.iter().map(failure).collect();
    let Upserted {
        created,
        updated,
        unchanged,
    } = upserted;
    let step = Step {
        place: JobPlace::Parts(page.place.rows),
        done: created + updated + unchanged + page.passed,
        changed: created + updated,
        failures: &failures,
    };
    job_holds::step(tx, hold, &step).await
}

fn failure(row: &RejectedRow) -> JobFailure {
    JobFailure {
        who: row.who.clone(),
        what: format!("line {}: {}", row.line, row.reason),
    }
}

async fn reject(tx: &mut Tx, page: &ImportPage<'_>) -> Result<()> {
    let mut seq = page
        .counts
        .rejected
        .saturating_sub(page.rejects.len() as u64);
    for some in page.rejects.chunks(REJECTED_TOGETHER) {
        let row = |(row, seq): (&RejectedRow, u64)| {
            let cells = json(&row.cells).replace("\\u0000", "\\ufffd");
            let reason = row.reason.replace('\0', "\u{fffd}");
            let who = row.who.as_ref().map(|who| who.replace('\0', "\u{fffd}"));
            (seq, row.line, who, reason, cells)
        };
        let rows: Vec<_> = some.iter().zip(seq..).map(row).collect();
        seq += some.len() as u64;
        let add = query(REJECT).bind(json(&rows)).bind(page.import.0);
        add.execute(&mut *tx).await?;
    }
    Ok(())
}
