//! Owns which campaigns and flows a customer qualifies for, by which segments, and what came of it before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entry::{self, Point};
use super::question::Question;
use super::steps::{self, StepTold};
use crate::domain::channel::Channel;
use crate::domain::communication::Communication;
use crate::domain::customer::Customer;
use crate::domain::enrollment::{EnrollmentStatus, ExitReason};
use crate::domain::flow::{Flow, Step};
use crate::domain::ids::NameNo;
use crate::domain::revision::{NameKind, Revision};
use crate::domain::segment::Condition;
use crate::engine::catalog::Catalog;
use crate::store::{Result, Store};

/// What writes to customers: a campaign of its own, or a flow, which is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignKind {
    Campaign,
    Flow,
}

/// A campaign or flow, by its id.
pub type CampaignName = (String, CampaignKind);

/// Whether a customer qualifies for a campaign or flow, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampaignTold {
    #[schema(example = "gold-card")]
    pub campaign: String,
    #[schema(example = "New Rewards Gold Credit Card")]
    pub name: String,
    pub kind: CampaignKind,
    /// On which it writes: e-mail, text messages, push.
    pub channels: BTreeSet<Channel>,
    /// Null for a campaign without a segment, which asks nobody.
    pub qualifies: Option<bool>,
    /// Its segment and those that it names: the ones that are met make the customer qualify.
    pub segments: Vec<SegmentTold>,
    /// Since when the customer has been in its segment, as far as the daemon has seen.
    pub since: Option<Timestamp>,
    /// Whether the customer is in the flow, or in a flow that sends its communications, now.
    pub in_it: bool,
}

/// A segment, and whether the customer is in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SegmentTold {
    #[schema(example = "prime-customers")]
    pub segment: String,
    pub met: bool,
}

/// The same with each condition's answer, and what came of the campaign each time before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CampaignDetail {
    #[serde(flatten)]
    pub told: CampaignTold,
    /// The parts of the segment's condition, each with the customer's values.
    pub conditions: Vec<Point>,
    /// The newest first.
    pub runs: Vec<RunTold>,
}

/// One run through a flow, with what became of its steps.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunTold {
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    /// Which entry it is, counted from 1.
    pub entry: u32,
    pub status: EnrollmentStatus,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub exit_reason: Option<ExitReason>,
    pub steps: Vec<StepTold>,
}

/// Every campaign and flow, in the order of their ids.
pub fn campaign_names(revision: &Revision) -> Vec<CampaignName> {
    let campaigns = revision.campaigns.keys();
    let campaigns = campaigns.map(|id| (id.clone(), CampaignKind::Campaign));
    let flows = revision.flows.keys();
    let flows = flows.map(|id| (id.clone(), CampaignKind::Flow));
    let mut all: Vec<CampaignName> = campaigns.chain(flows).collect();
    all.sort();
    all
}

/// Which of both a name means: a flow, if there is one of this id.
pub fn kind_of(revision: &Revision, name: &str) -> CampaignKind {
    if revision.flows.contains_key(name) {
        CampaignKind::Flow
    } else {
        CampaignKind::Campaign
    }
}

/// Which of these a customer qualifies for as of `now`; a name that is not defined is passed over.
pub async fn told(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    names: &[CampaignName],
    now: Timestamp,
) -> Result<Vec<CampaignTold>> {
    let revision = catalog.revision();
    let since: BTreeMap<String, Timestamp> =
        store.segments_of(customer.id).await?.into_iter().collect();
    let live = store.live_flows(customer.id).await?;
    let is_live = |flow: &str| number_of(catalog, flow).is_some_and(|no| live.contains(&no));
    let mut asked: BTreeMap<String, bool> = BTreeMap::new();
    let mut all = Vec::new();
    for (id, kind) in names {
        let Some((name, segment)) = defined(revision, id, *kind) else {
            continue;
        };
        let mut segments = Vec::new();
        for segment in segment.iter().flat_map(|id| named(revision, id)) {
            let met = match asked.get(&segment) {
                Some(met) => *met,
                None => is_in(store, catalog, customer, &segment, now).await?,
            };
            asked.insert(segment.clone(), met);
            segments.push(SegmentTold { segment, met });
        }
        all.push(CampaignTold {
            campaign: id.clone(),
            name,
            kind: *kind,
            channels: channels_of(revision, id, *kind),
            qualifies: segments.first().map(|first| first.met),
            since: segment.and_then(|segment| since.get(&segment).copied()),
            segments,
            in_it: flows_of(revision, id, *kind).any(|flow| is_live(&flow.id)),
        });
    }
    Ok(all)
}

/// One of them, with each condition's answer and every run before; none: it is not defined.
pub async fn detail(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    (id, kind): (&str, CampaignKind),
    now: Timestamp,
) -> Result<Option<CampaignDetail>> {
    let revision = catalog.revision();
    let name = [(id.to_owned(), kind)];
    let told = told(store, catalog, customer, &name, now).await?.pop();
    let (Some(told), Some((_, segment))) = (told, defined(revision, id, kind)) else {
        return Ok(None);
    };
    let segment = segment.and_then(|segment| revision.segments.get(&segment));
    let conditions = match segment {
        Some(segment) => entry::conditions(store, &catalog.frame(now), customer, segment).await?,
        None => Vec::new(),
    };
    let mut runs = Vec::new();
    for flow in flows_of(revision, id, kind) {
        runs.extend(runs_of(store, catalog, customer, flow, now).await?);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
    Ok(Some(CampaignDetail {
        told,
        conditions,
        runs,
    }))
}

/// The name people call it by, and its segment.
fn defined(revision: &Revision, id: &str, kind: CampaignKind) -> Option<(String, Option<String>)> {
    match kind {
        CampaignKind::Campaign => {
            let campaign = revision.campaigns.get(id)?;
            Some((campaign.name.clone(), campaign.segment.clone()))
        }
        CampaignKind::Flow => {
            let flow = revision.flows.get(id)?;
            Some((flow.name.clone(), Some(flow.segment.clone())))
        }
    }
}

/// The flow itself, or those that send a campaign's communications.
fn flows_of<'a>(
    revision: &'a Revision,
    id: &'a str,
    kind: CampaignKind,
) -> impl Iterator<Item = &'a Flow> {
    revision.flows.values().filter(move |flow| match kind {
        CampaignKind::Flow => flow.id == id,
        CampaignKind::Campaign => flow.steps.iter().any(|step| {
            let mut reused = step.actions.iter().filter_map(|a| a.reuses.as_ref());
            reused.any(|reused| reused.campaign == id)
        }),
    })
}

/// Those of a flow's steps, or of what a campaign says.
fn channels_of(revision: &Revision, id: &str, kind: CampaignKind) -> BTreeSet<Channel> {
    match kind {
        CampaignKind::Campaign => {
            let campaign = revision.campaigns.get(id).into_iter();
            let contents = campaign.flat_map(|campaign| campaign.communications.values());
            contents.map(Communication::channel).collect()
        }
        CampaignKind::Flow => {
            let steps = revision.flows.get(id).into_iter();
            let steps = steps.flat_map(|flow| &flow.steps);
            steps.flat_map(Step::channels).collect()
        }
    }
}

/// A segment and every one that its condition names, itself first.
fn named(revision: &Revision, id: &str) -> Vec<String> {
    let mut all = vec![id.to_owned()];
    let itself = Condition::Segment(id.to_owned());
    for part in itself.unfolded(revision) {
        if let Condition::Segment(named) = part
            && !all.contains(named)
        {
            all.push(named.clone());
        }
    }
    all
}

async fn is_in(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    segment: &str,
    now: Timestamp,
) -> Result<bool> {
    let condition = Condition::Segment(segment.to_owned());
    let frame = catalog.frame(now);
    let found = store.matching(&condition, &frame, &[customer.id]).await?;
    Ok(found.contains(&customer.id))
}

async fn runs_of(
    store: &Store,
    catalog: &Catalog,
    customer: &Customer,
    flow: &Flow,
    now: Timestamp,
) -> Result<Vec<RunTold>> {
    let Some(number) = number_of(catalog, &flow.id) else {
        return Ok(Vec::new());
    };
    let question = Question {
        store,
        catalog,
        customer,
        flow,
        number,
        zone: catalog.zone_of(customer),
        now,
    };
    let mut told = Vec::new();
    for run in store.runs(customer.id, number).await? {
        told.push(RunTold {
            flow: flow.id.clone(),
            entry: run.entry,
            status: run.status,
            started_at: run.started_at,
            finished_at: run.finished_at,
            exit_reason: run.exit_reason,
            steps: steps::told(&question, &run).await?,
        });
    }
    Ok(told)
}

fn number_of(catalog: &Catalog, flow: &str) -> Option<NameNo> {
    catalog.published.numbers.number(NameKind::Flow, flow)
}
