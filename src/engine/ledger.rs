//! Owns the ledger of dispatches as people are shown it, and what they say of those that are uncertain.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::catalog::Catalog;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::dispatch::Reason;
use crate::domain::ids::{DispatchId, InstanceTag};
use crate::store::{LedgerLine, Resolving, Result, Store};

/// One dispatch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DispatchFacts {
    #[schema(example = "019c2f3e-0000-8000-8000-000000000001")]
    pub id: String,
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub customer: String,
    pub flow: String,
    pub step: String,
    /// Null: a channel that is known no more.
    pub channel: Option<Channel>,
    #[schema(example = "uncertain")]
    pub state: &'static str,
    /// Why it was withheld.
    pub reason: Option<&'static str>,
    pub attempts: u32,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The gateway's own words.
    pub detail: Option<String>,
}

impl DispatchFacts {
    pub fn of(line: LedgerLine, tag: InstanceTag) -> Self {
        Self {
            id: DispatchId::new(tag, line.enrollment, line.step_number).to_string(),
            customer: line.customer,
            flow: line.flow,
            step: line.step,
            channel: line.channel,
            state: line.state.as_str(),
            reason: line.reason.map(Reason::as_str),
            attempts: line.attempts,
            at: line.at,
            detail: line.detail,
        }
    }
}

/// How a dispatch stands after somebody said what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResolvedFacts {
    #[schema(example = "019c2f3e-0000-8000-8000-000000000001")]
    pub id: String,
    #[schema(example = "accepted")]
    pub state: &'static str,
    /// False: it was not uncertain, and stays as it was.
    pub changed: bool,
}

/// Settles an uncertain dispatch: whether its gateway took it, and how somebody knows.
///
/// # Errors
/// [`crate::store::Error::NotFound`] for a dispatch that the store does not have.
pub async fn resolve(
    store: &Store,
    catalog: &Catalog,
    id: DispatchId,
    (taken, note): (bool, Option<&str>),
    (by, now): (&By, Timestamp),
) -> Result<ResolvedFacts> {
    let how = Resolving {
        taken,
        note,
        by,
        marks: catalog.marks_sends,
        now,
    };
    let resolved = store.resolve(id, &how).await?;
    Ok(ResolvedFacts {
        id: id.to_string(),
        state: resolved.state.as_str(),
        changed: resolved.changed,
    })
}
