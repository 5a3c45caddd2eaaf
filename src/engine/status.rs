//! Owns what runs as facts with stable keys, for programs: the command line and the API say the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::node_lines::NodeLine;
use super::picture::{ChannelLine, FlowLine, Picture, StepLine};
use super::webhook_lines::WebhookLine;
use crate::domain::approval::Awaiting;
use crate::domain::channel::Channel;
use crate::domain::dispatch::Reason;
use crate::store::{CheckRecord, Pause, Published};

/// Everything that runs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusFacts {
    /// The revision that is executed.
    #[schema(example = 12)]
    pub revision: i32,
    /// The hash of its files.
    pub hash: String,
    /// The git commit of its files.
    pub commit: Option<String>,
    /// When it was published.
    pub since: Timestamp,
    pub now: Timestamp,
    pub flows: Vec<FlowStatus>,
    pub channels: Vec<ChannelStatus>,
    /// The last check of the files, which may be newer than the revision.
    pub check: Option<CheckStatus>,
    /// A revision that is not in force before somebody agrees to it.
    pub awaiting_approval: Option<AwaitingStatus>,
    pub daemon: DaemonStatus,
    /// The daemons that share the store; none when it is one file.
    pub nodes: Vec<NodeLine>,
    /// The last file of the watched folder that could not be imported, for a week.
    pub failed_file: Option<FailedFile>,
    /// The places that are told what happens.
    pub webhooks: Vec<WebhookLine>,
}

/// A revision that would newly let more customers into flows than may enter before somebody agrees.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AwaitingStatus {
    /// The number that it will have, and by which it is approved.
    #[schema(example = 13)]
    pub revision: i32,
    pub hash: String,
    pub commit: Option<String>,
    pub since: Timestamp,
    /// Who would newly enter; who would enter two flows counts twice.
    #[schema(example = 24310)]
    pub customers: u64,
    /// By flow.
    pub enters: BTreeMap<String, u64>,
    /// As many may enter without approval.
    #[schema(example = 10000)]
    pub above: u64,
    /// Who agreed, when the files are about to be in force.
    pub approved_by: Option<String>,
}

impl AwaitingStatus {
    pub fn of(awaiting: &Awaiting) -> Self {
        let by = awaiting.approved.as_ref();
        Self {
            revision: awaiting.revision.0,
            hash: awaiting.hash.clone(),
            commit: awaiting.commit.clone(),
            since: awaiting.since,
            customers: awaiting.reach.customers(),
            enters: awaiting.reach.enters.clone(),
            above: awaiting.reach.above,
            approved_by: by.map(|approved| approved.by.to_string()),
        }
    }
}

/// A file that could not be imported.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailedFile {
    pub at: Timestamp,
    /// Which one, and why.
    #[schema(example = "people.csv: no column holds the unique id")]
    pub what: String,
}

/// One flow and everybody in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowStatus {
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    /// `active`, `draft`, `paused`, `resuming`, `draining`, `stopped` or `file missing`.
    #[schema(example = "active")]
    pub status: &'static str,
    pub paused: Option<PauseFacts>,
    pub enrollments: EnrollmentFacts,
    /// How many left early, by reason.
    pub exits: BTreeMap<&'static str, u64>,
    pub steps: Vec<StepStatus>,
}

/// Who paused something, when and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PauseFacts {
    #[schema(example = "mara")]
    pub by: String,
    pub reason: Option<String>,
    pub since: Timestamp,
}

/// How many customers of a flow stand where.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EnrollmentFacts {
    pub pending: u64,
    pub waiting: u64,
    pub completed: u64,
    pub exited: u64,
}

/// One step: who is there, and what became of its messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepStatus {
    #[schema(example = "welcome")]
    pub step: String,
    /// None for a waiting place.
    pub channel: Option<Channel>,
    /// Whether the flow no longer has it.
    pub removed: bool,
    pub waiting: u64,
    pub held: u64,
    pub sending: u64,
    pub sent: u64,
    /// By reason.
    pub withheld: BTreeMap<&'static str, u64>,
    pub deferred: u64,
    pub uncertain: u64,
    /// Refused, bounced and expired.
    pub failed: u64,
}

/// One channel with its gateway.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelStatus {
    pub channel: Channel,
    /// `smtp`, `http` or `file`.
    #[schema(example = "smtp")]
    pub gateway: &'static str,
    /// `closed`, `open` or `half-open`.
    #[schema(example = "closed")]
    pub breaker: String,
    pub breaker_since: Option<Timestamp>,
    pub breaker_note: Option<String>,
    /// Messages whose time has come.
    pub due: u64,
    pub paused: Option<PauseFacts>,
}

/// What the last check of the files came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckStatus {
    pub ok: bool,
    pub errors: u32,
    pub at: Timestamp,
    /// What was found in the files, as `drumbeat check` tells it.
    #[schema(value_type = Option<Vec<Object>>)]
    pub diagnostics: Value,
    /// What else stood in the way.
    #[schema(value_type = Option<Vec<String>>)]
    pub problems: Value,
}

/// The process that works on the store.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DaemonStatus {
    pub running: bool,
    pub process: Option<String>,
}

impl StatusFacts {
    pub fn of(picture: &Picture, published: &Published) -> Self {
        Self {
            revision: published.number.0,
            hash: published.hash.clone(),
            commit: published.commit.clone(),
            since: published.published_at,
            now: picture.now,
            flows: picture.flows.iter().map(flow).collect(),
            channels: picture.channels.iter().map(channel).collect(),
            check: picture.check.as_ref().map(check),
            awaiting_approval: picture.awaiting.as_ref().map(AwaitingStatus::of),
            daemon: DaemonStatus {
                running: picture.daemon.is_some(),
                process: picture.daemon.clone(),
            },
            nodes: picture.nodes.clone(),
            webhooks: picture.webhooks.clone(),
            failed_file: picture.failed_file.as_ref().map(|last| FailedFile {
                at: last.at,
                what: last.result.clone().unwrap_or_default(),
            }),
        }
    }
}

impl PauseFacts {
    pub fn of(pause: &Pause) -> Self {
        Self {
            by: pause.by.clone(),
            reason: pause.reason.clone(),
            since: pause.at,
        }
    }
}

fn check(check: &CheckRecord) -> CheckStatus {
    CheckStatus {
        ok: check.ok,
        errors: check.errors,
        at: check.at,
        diagnostics: check.report["diagnostics"]["diagnostics"].clone(),
        problems: check.report["problems"].clone(),
    }
}

fn flow(flow: &FlowLine) -> FlowStatus {
    let counts = flow.enrollments;
    FlowStatus {
        flow: flow.id.clone(),
        status: flow.status,
        paused: flow.pause.as_ref().map(PauseFacts::of),
        enrollments: EnrollmentFacts {
            pending: counts.pending,
            waiting: counts.waiting,
            completed: counts.completed,
            exited: counts.exited,
        },
        exits: flow.exits.clone(),
        steps: flow.steps.iter().map(step).collect(),
    }
}

fn step(step: &StepLine) -> StepStatus {
    let counts = &step.counts;
    let withheld = counts.withheld.iter();
    StepStatus {
        step: step.id.clone(),
        channel: step.channel,
        removed: step.removed,
        waiting: counts.waiting,
        held: counts.held,
        sending: counts.sending,
        sent: counts.sent,
        withheld: withheld
            .map(|(reason, count)| (Reason::as_str(*reason), *count))
            .collect(),
        deferred: counts.deferred,
        uncertain: counts.uncertain,
        failed: counts.failed,
    }
}

fn channel(line: &ChannelLine) -> ChannelStatus {
    ChannelStatus {
        channel: line.channel,
        gateway: line.gateway,
        breaker: line.state.breaker.clone(),
        breaker_since: line.state.breaker_at,
        breaker_note: line.state.breaker_note.clone(),
        due: line.due,
        paused: line.state.pause.as_ref().map(PauseFacts::of),
    }
}
