//! Owns the explanation: why a customer is in a flow or not, and what became of each step and why.

mod ahead;
mod audience;
mod campaigns;
mod entry;
mod heard;
mod past;
mod question;
mod rules;
mod steps;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use self::question::Question;
use super::catalog::Catalog;
use crate::domain::customer::Customer;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::flow::Flow;
use crate::domain::revision::NameKind;
use crate::store::{Error, Result, Store};

pub use self::ahead::{Ahead, Certainty, ahead};
pub use self::audience::{AudienceGroup, AudienceTold, audience};
pub use self::campaigns::{
    CampaignDetail, CampaignKind, CampaignName, CampaignTold, RunTold, SegmentTold, campaign_names,
    detail, kind_of, told,
};
pub use self::entry::Point;
pub use self::past::{PastStep, PastTold, past};
pub use self::steps::StepTold;

/// One customer and one flow, explained.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explanation {
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub customer: String,
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    /// Whether the customer has ever entered.
    pub enrolled: bool,
    /// Where the last run stands.
    pub status: Option<EnrollmentStatus>,
    /// Which entry it is, counted from 1.
    pub entry: Option<u32>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub exit_reason: Option<ExitReason>,
    /// The customer's zone.
    #[schema(example = "America/New_York")]
    pub zone: Option<String>,
    pub now: Timestamp,
    /// What was asked, and how it was answered.
    pub reasons: Vec<Point>,
    /// The steps of the last run, in the flow's order.
    pub steps: Vec<StepTold>,
    /// Where the customer stands, in a few words.
    #[serde(skip)]
    pub headline: String,
    /// The clocks on which a person reads it.
    #[serde(skip)]
    pub clocks: TimeZone,
}

/// Explains as of `now`.
///
/// # Errors
/// [`Error::NotFound`] for a flow that was never published.
pub async fn explain(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    flow: &Flow,
    now: Timestamp,
) -> Result<Explanation> {
    let number = catalog.published.numbers.number(NameKind::Flow, &flow.id);
    let number = number.ok_or_else(|| Error::NotFound(format!("the number of `{}`", flow.id)))?;
    let question = Question {
        store,
        catalog,
        customer,
        flow,
        number,
        zone: catalog.zone_of(customer),
        now,
    };
    let runs = store.runs(customer.id, number).await?;
    let run = runs.first();
    let headline = run.map(|run| entry::headline(&question, run));
    Ok(Explanation {
        customer: customer.external_id.clone(),
        flow: flow.id.clone(),
        enrolled: run.is_some_and(entry::has_entered),
        status: run.map(|run| run.status),
        entry: run.map(|run| run.entry),
        started_at: run.map(|run| run.started_at),
        finished_at: run.and_then(|run| run.finished_at),
        exit_reason: run.and_then(|run| run.exit_reason),
        zone: question.zone.iana_name().map(str::to_owned),
        now,
        reasons: entry::points(&question, &runs).await?,
        steps: match run {
            Some(run) => steps::told(&question, run).await?,
            None => Vec::new(),
        },
        headline: headline.unwrap_or_else(|| "is not in it, and never was".to_owned()),
        clocks: question.zone.clone(),
    })
}
