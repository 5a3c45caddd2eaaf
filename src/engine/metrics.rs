//! Owns the engine's figures, as the metrics page shows them. Labels name flows' parts, never customers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::channel::Channel;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Settled {
    pub channel: &'static str,
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Withheld {
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfChannel {
    pub channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FileOutcome {
    /// `done` or `failed`.
    pub outcome: &'static str,
}

impl OfChannel {
    fn of(channel: Channel) -> Self {
        Self {
            channel: channel.as_str(),
        }
    }
}

/// Counters and gauges; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub settled: Family<Settled, Counter>,
    pub withheld: Family<Withheld, Counter>,
    pub enrolled: Counter,
    pub exited: Counter,
    pub in_flight: Family<OfChannel, Gauge>,
    /// 0 closed, 1 half-open, 2 open.
    pub breaker: Family<OfChannel, Gauge>,
    /// 1 while the files on disk are not what runs.
    pub check_failed: Gauge,
    /// 1 while they are of an older revision than the other nodes run.
    pub files_differ: Gauge,
    pub revision: Gauge,
    pub reconciliation_differences: Counter,
    pub search_waiting: Gauge,
    /// Files of the watched folder.
    pub import_files: Family<FileOutcome, Counter>,
}

impl Metrics {
    /// One more message is in flight.
    pub(super) fn claimed(&self, channel: Channel) {
        self.in_flight.get_or_create(&OfChannel::of(channel)).inc();
    }

    /// One message less is in flight: its outcome is stored.
    pub(super) fn freed(&self, channel: Channel) {
        self.in_flight.get_or_create(&OfChannel::of(channel)).dec();
    }

    pub fn register(&self, registry: &mut Registry) {
        self.register_messages(registry);
        self.register_standing(registry);
    }

    fn register_messages(&self, registry: &mut Registry) {
        registry.register(
            "dispatches_settled",
            "Attempts settled",
            self.settled.clone(),
        );
        registry.register(
            "messages_withheld",
            "Messages withheld by the gate",
            self.withheld.clone(),
        );
        registry.register(
            "enrollments_begun",
            "Customers enrolled",
            self.enrolled.clone(),
        );
        registry.register(
            "enrollments_exited",
            "Enrollments ended early",
            self.exited.clone(),
        );
        registry.register(
            "dispatches_in_flight",
            "Claimed and not settled",
            self.in_flight.clone(),
        );
        registry.register(
            "gateway_breaker",
            "0 closed, 1 half-open, 2 open",
            self.breaker.clone(),
        );
    }

    fn register_standing(&self, registry: &mut Registry) {
        registry.register(
            "import_files",
            "Files of the watched folder that were put away",
            self.import_files.clone(),
        );
        registry.register(
            "workspace_check_failed",
            "1 while the files on disk have errors and an earlier revision runs",
            self.check_failed.clone(),
        );
        registry.register(
            "workspace_files_differ",
            "1 while the files on disk are of an older revision than the other nodes run",
            self.files_differ.clone(),
        );
        registry.register(
            "workspace_revision",
            "The running revision",
            self.revision.clone(),
        );
        registry.register(
            "reconciliation_differences",
            "Memberships that the nightly reconciliation had to correct",
            self.reconciliation_differences.clone(),
        );
        registry.register(
            "search_waiting",
            "Customers whom a search does not find by their texts yet",
            self.search_waiting.clone(),
        );
    }
}
