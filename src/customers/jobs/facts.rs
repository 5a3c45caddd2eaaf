//! Owns jobs as programs see them: stable keys for the API and the command line.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::audit::Source;
use crate::domain::job::{Job, JobFailure, JobKind, JobNo, JobState};
use crate::domain::job_order::Order;

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobFacts {
    #[schema(example = 7)]
    pub job: JobNo,
    pub kind: JobKind,
    pub state: JobState,
    /// Whom it is about, in words; null where that is no selection of customers.
    #[schema(example = "the segment `new-members`")]
    pub selection: Option<String>,
    pub actor: String,
    pub source: Source,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// How many there are; null until they are counted.
    pub total: Option<u64>,
    /// How many are as they were to be.
    pub done: u64,
    /// How many of those were not so before.
    pub changed: u64,
    pub failed: u64,
    /// Whether somebody wants it stopped.
    pub cancel_requested: bool,
    /// What it was asked to do.
    #[schema(value_type = Object)]
    pub order: Value,
    /// What it left behind, such as the number of a report.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why it could not go on.
    pub problem: Option<String>,
}

/// Something that a job could not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobErrorFacts {
    /// Counted from 1.
    pub number: u32,
    /// The unique id, or whatever else named somebody; null when they are not there any more.
    #[schema(example = "ana")]
    pub customer: Option<String>,
    #[schema(example = "there is no customer with this id")]
    pub error: String,
}

impl JobFacts {
    pub fn of(job: &Job) -> Self {
        let order: Option<Order> = serde_json::from_value(job.body.clone()).ok();
        Self {
            job: job.number,
            kind: job.kind,
            state: job.state,
            selection: order.map(|order| order.selection.words()),
            actor: job.actor.clone(),
            source: job.source,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            total: job.total,
            done: job.done,
            changed: job.changed,
            failed: job.failed,
            cancel_requested: job.is_to_stop,
            order: job.body.clone(),
            result: job.result.clone(),
            problem: job.problem.clone(),
        }
    }
}

impl JobErrorFacts {
    pub fn of((seq, failure): &(u32, JobFailure)) -> Self {
        Self {
            number: seq + 1,
            customer: failure.who.clone(),
            error: failure.what.clone(),
        }
    }
}
