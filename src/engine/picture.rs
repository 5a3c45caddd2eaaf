//! Owns the picture of everything that runs: flows, steps, channels, the revision and who executes it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::node_lines::{self, NodeLine};
use super::webhook_lines::{self, WebhookLine};
use crate::domain::approval::Awaiting;
use crate::domain::channel::Channel;
use crate::domain::flow::{Flow, FlowStatus};
use crate::domain::ids::NameNo;
use crate::domain::import::FAILED_FILE;
use crate::domain::revision::NameKind;
use crate::store::LastRun;
use crate::store::{
    ChannelState, CheckRecord, Counts, EnrollmentCounts, FlowState, Pause, Published, Result,
    StepCounts, Store,
};

/// For so long a file is shown that could not be imported.
const SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What `status` and the end of a demo show.
#[derive(Debug)]
pub struct Picture {
    pub flows: Vec<FlowLine>,
    pub channels: Vec<ChannelLine>,
    pub check: Option<CheckRecord>,
    /// The revision that is not in force before somebody agrees.
    pub awaiting: Option<Awaiting>,
    /// The process that runs on this store, if one does.
    pub daemon: Option<String>,
    /// The daemons that share the store.
    pub nodes: Vec<NodeLine>,
    /// The last file of the watched folder that could not be imported, for a while.
    pub failed_file: Option<LastRun>,
    /// The places that are told what happens.
    pub webhooks: Vec<WebhookLine>,
    pub zone: TimeZone,
    pub now: Timestamp,
}

/// One flow.
#[derive(Debug)]
pub struct FlowLine {
    pub id: String,
    /// `active`, `draft`, `paused`, `resuming`, `draining`, `stopped` or `file missing`.
    pub status: &'static str,
    pub pause: Option<Pause>,
    pub enrollments: EnrollmentCounts,
    /// By reason.
    pub exits: BTreeMap<&'static str, u64>,
    pub steps: Vec<StepLine>,
}

/// One step of a flow.
#[derive(Debug)]
pub struct StepLine {
    pub id: String,
    /// None: a waiting place, or a step that the flow no longer has.
    pub channel: Option<Channel>,
    pub removed: bool,
    pub counts: StepCounts,
}

/// One channel.
#[derive(Debug)]
pub struct ChannelLine {
    pub channel: Channel,
    pub gateway: &'static str,
    pub state: ChannelState,
    pub due: u64,
}

impl Picture {
    /// Reads everything as of `now`.
    pub async fn read(store: &Store, published: &Published, now: Timestamp) -> Result<Self> {
        let (counts, states) = (store.counts(now).await?, store.flow_states().await?);
        let channel_states = store.channel_states().await?;
        let failed_file = store.last_run(FAILED_FILE).await?;
        Ok(Self {
            flows: flows(published, &counts, &states),
            channels: channels(published, &counts, &channel_states),
            check: store.last_check().await?,
            awaiting: store.awaiting().await?,
            daemon: store.owner().await?,
            nodes: node_lines::of(store, published).await?,
            failed_file: failed_file.filter(|last| now.duration_since(last.at) < SHOWN),
            webhooks: webhook_lines::of(store).await?,
            zone: published.revision.time_zone(),
            now,
        })
    }
}

/// The flows of the revision, then those whose file is gone.
fn flows(
    published: &Published,
    counts: &Counts,
    states: &BTreeMap<NameNo, FlowState>,
) -> Vec<FlowLine> {
    let mut lines = Vec::new();
    for flow in published.revision.flows.values() {
        let number = published.numbers.number(NameKind::Flow, &flow.id);
        let state = number.and_then(|number| states.get(&number));
        lines.push(FlowLine {
            status: standing(flow, state),
            steps: steps(published, &flow.id, Some(flow), counts),
            ..line(&flow.id, number, state, counts)
        });
    }
    for (number, state) in states {
        let name = published.numbers.name(NameKind::Flow, *number);
        let Some(name) = name.filter(|name| !published.revision.flows.contains_key(*name)) else {
            continue;
        };
        lines.push(FlowLine {
            status: "file missing",
            steps: steps(published, name, None, counts),
            ..line(name, Some(*number), Some(state), counts)
        });
    }
    lines
}

fn line(id: &str, number: Option<NameNo>, state: Option<&FlowState>, counts: &Counts) -> FlowLine {
    let enrollments = number.and_then(|number| counts.flows.get(&number));
    let exits = number.and_then(|number| counts.exits.get(&number));
    FlowLine {
        id: id.to_owned(),
        status: "active",
        pause: state.and_then(|state| state.pause.clone()),
        enrollments: enrollments.copied().unwrap_or_default(),
        exits: exits.cloned().unwrap_or_default(),
        steps: Vec::new(),
    }
}

/// What a flow does now: its file's word, or its pause.
pub fn standing(flow: &Flow, state: Option<&FlowState>) -> &'static str {
    let paused = state.filter(|state| state.pause.is_some());
    match (flow.status, paused) {
        (FlowStatus::Active, Some(state)) if state.resumed_at.is_some() => "resuming",
        (FlowStatus::Active, Some(_)) => "paused",
        _ if flow.is_draining() => "draining",
        (status, _) => status.as_str(),
    }
}

/// The flow's steps in their order, then those that were removed and have left traces.
fn steps(published: &Published, id: &str, flow: Option<&Flow>, counts: &Counts) -> Vec<StepLine> {
    let mut lines = Vec::new();
    let steps = flow.map_or(&[][..], |flow| &flow.steps);
    for step in steps {
        let number = published.numbers.step(id, &step.id);
        let found = number.and_then(|number| counts.steps.get(&number));
        lines.push(StepLine {
            id: step.id.clone(),
            channel: step.channels().next(),
            removed: false,
            counts: found.cloned().unwrap_or_default(),
        });
    }
    for (number, found) in &counts.steps {
        let name = published.numbers.name(NameKind::Step, *number);
        let Some((of, step)) = name.and_then(|name| name.split_once('/')) else {
            continue;
        };
        if of == id && !steps.iter().any(|known| known.id == step) {
            lines.push(StepLine {
                id: step.to_owned(),
                channel: None,
                removed: true,
                counts: found.clone(),
            });
        }
    }
    lines
}

fn channels(
    published: &Published,
    counts: &Counts,
    states: &BTreeMap<Channel, ChannelState>,
) -> Vec<ChannelLine> {
    let configs = published.revision.channels.iter();
    configs
        .map(|(channel, config)| ChannelLine {
            channel: *channel,
            gateway: config.gateway.kind(),
            state: states.get(channel).cloned().unwrap_or_default(),
            due: counts.due.get(channel).copied().unwrap_or(0),
        })
        .collect()
}
