//! Owns finished files of exports as programs see them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::report::Report;

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportFacts {
    /// The number of the job that made it.
    #[schema(example = 7)]
    pub report: i64,
    #[schema(example = "customers-2026-11-22-7.csv")]
    pub name: String,
    /// `csv`, `xlsx` or `jsonl`.
    #[schema(example = "csv")]
    pub format: String,
    /// Who asked for it.
    pub actor: String,
    pub created_at: Timestamp,
    /// How many customers are in it.
    pub customers: u64,
    pub bytes: u64,
}

impl ReportFacts {
    pub fn of(report: &Report) -> Self {
        Self {
            report: report.number,
            name: report.name.clone(),
            format: report.format.clone(),
            actor: report.actor.clone(),
            created_at: report.created_at,
            customers: report.customers,
            bytes: report.bytes,
        }
    }
}
