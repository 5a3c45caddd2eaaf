//! Owns the engine's figures, as the metrics page shows them. Labels name flows' parts, never customers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::channel::Channel;
use crate::store::Taking;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Heard {
    pub channel: &'static str,
    /// `accepted`, `delivered`, `bounced`, `complained`, `expired`, `failed`; `strange` for messages that are
    /// not ours, `early` for what waits for the gateway's answer, `reply` for what somebody wrote back.
    pub fate: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfWebhook {
    pub webhook: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WebhookOutcome {
    pub webhook: String,
    /// `taken` or `given-up`.
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
    /// What gateways told after they took a message.
    pub heard: Family<Heard, Counter>,
    /// How often a channel was paused because a policy turned its messages away.
    pub turned_away: Family<OfChannel, Counter>,
    /// 0 closed, 1 half-open, 2 open.
    pub breaker: Family<OfChannel, Gauge>,
    /// 1 while the files on disk are not what runs.
    pub check_failed: Gauge,
    /// Files that are not in force before somebody agrees.
    pub awaiting_approval: Gauge,
    /// 1 while they are of an older revision than the other nodes run.
    pub files_differ: Gauge,
    pub revision: Gauge,
    pub reconciliation_differences: Counter,
    pub search_waiting: Gauge,
    /// Files of the watched folder.
    pub import_files: Family<FileOutcome, Counter>,
    pub webhooks_told: Family<WebhookOutcome, Counter>,
    pub webhooks_waiting: Family<OfWebhook, Gauge>,
    /// In seconds.
    pub webhooks_oldest: Family<OfWebhook, Gauge>,
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

    /// So much was told.
    pub(super) fn told(&self, channel: Channel, fate: &'static str, count: usize) {
        if count > 0 {
            let channel = channel.as_str();
            let counter = self.heard.get_or_create(&Heard { channel, fate }).clone();
            counter.inc_by(count as u64);
        }
    }

    /// A policy turned a message away, and its channel is paused.
    pub(super) fn turned_away(&self, channel: Channel) {
        let channel = OfChannel::of(channel);
        self.turned_away.get_or_create(&channel).inc();
    }

    /// A place was told.
    pub(super) fn webhook_told(&self, webhook: &str, taking: &Taking) {
        for (outcome, count) in [("taken", taking.taken), ("given-up", taking.given_up)] {
            let webhook = webhook.to_owned();
            let counted = WebhookOutcome { webhook, outcome };
            self.webhooks_told.get_or_create(&counted).inc_by(count);
        }
    }

    /// What waits for a place, and since how many seconds the oldest of it.
    pub fn webhook_waits(&self, webhook: &str, waiting: u64, seconds: i64) {
        let of = OfWebhook {
            webhook: webhook.to_owned(),
        };
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.webhooks_waiting.get_or_create(&of).set(waiting);
        self.webhooks_oldest.get_or_create(&of).set(seconds);
    }

    pub fn register(&self, registry: &mut Registry) {
        self.register_messages(registry);
        self.register_heard(registry);
        self.register_standing(registry);
        self.register_webhooks(registry);
    }

    fn register_webhooks(&self, registry: &mut Registry) {
        registry.register(
            "webhook_events",
            "Events that webhooks took, and that were given up",
            self.webhooks_told.clone(),
        );
        registry.register(
            "webhook_waiting",
            "Events that a webhook is still to be told",
            self.webhooks_waiting.clone(),
        );
        registry.register(
            "webhook_oldest_seconds",
            "How long ago the oldest of them happened",
            self.webhooks_oldest.clone(),
        );
    }

    fn register_heard(&self, registry: &mut Registry) {
        registry.register(
            "receipts_heard",
            "What gateways told after they took a message",
            self.heard.clone(),
        );
        registry.register(
            "channel_turned_away",
            "Messages turned away by a policy, which pauses their channel",
            self.turned_away.clone(),
        );
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
            "workspace_awaiting_approval",
            "1 while the files on disk wait for somebody to agree and an earlier revision runs",
            self.awaiting_approval.clone(),
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
