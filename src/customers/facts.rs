//! Owns a customer as facts with stable keys, for programs: the command line and the API say the same.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;

use super::overview::Overview;
use super::told_facts::{EnvironmentFacts, NpsFacts};
use crate::domain::channel::Channel;
use crate::domain::customer::{Consents, Customer, FieldValue, Status, Switches};
use crate::domain::interaction::Direction;
use crate::domain::note::Note;
use crate::domain::rating::Rating;
use crate::domain::rating_history::RatingChange;
use crate::domain::subscription::{Dismissal, Subscription, SubscriptionState};
use crate::domain::task::{Task, TaskPriority, TaskStatus};
use crate::domain::value::Value;
use crate::store::{ChannelTotals, HistoryLine, Totals};

/// Everything that is known of a customer but the lines of the history.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CustomerFacts {
    /// The customer's unique id.
    #[schema(example = "ana")]
    pub id: String,
    pub status: Status,
    /// Why the customer is suspended or discarded.
    pub status_reason: Option<String>,
    pub rating: Rating,
    /// The oldest first.
    pub rating_history: Vec<RatingChange>,
    /// Whether it is known who this is.
    pub identified: bool,
    pub created_at: Timestamp,
    pub last_activity_at: Option<Timestamp>,
    pub last_transaction_at: Option<Timestamp>,
    /// Values by field; dates are `YYYY-MM-DD`, instants RFC 3339 in UTC, many-valued fields lists.
    #[schema(value_type = std::collections::BTreeMap<String, Json>, example = json!({"city": "Lyon"}))]
    pub fields: Map<String, Json>,
    #[schema(example = json!(["vip"]))]
    pub tags: Vec<String>,
    /// The fixed lists that the customer is on.
    #[schema(example = json!(["spring-fair"]))]
    pub lists: Vec<String>,
    pub switches: Switches,
    pub consents: Consents,
    pub subscriptions: Vec<SubscriptionFacts>,
    pub dismissals: Vec<DismissalFacts>,
    /// The newest first.
    pub notes: Vec<NoteFacts>,
    pub tasks: Vec<TaskFacts>,
    /// The flows that the customer is in.
    pub active_flows: Vec<ActiveFlowFacts>,
    pub totals: TotalsFacts,
    /// The last answer to "how likely is it that you would recommend us?".
    pub nps: Option<NpsFacts>,
    /// With what the customer was last seen.
    pub environment: Option<EnvironmentFacts>,
}

/// The same with lines of the history.
#[derive(Debug, Clone, Serialize)]
pub struct ShownCustomer {
    #[serde(flatten)]
    pub customer: CustomerFacts,
    pub interactions: Vec<InteractionFacts>,
    pub has_older_interactions: bool,
}

/// A record of giving messages up, or of taking them back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SubscriptionFacts {
    pub campaign: Option<String>,
    #[schema(example = "credit-cards")]
    pub category: Option<String>,
    pub group: Option<String>,
    pub channel: Option<Channel>,
    pub state: SubscriptionState,
    #[schema(example = "customer")]
    pub actor: String,
    #[schema(example = "link")]
    pub source: &'static str,
    pub note: Option<String>,
    pub at: Timestamp,
}

/// A campaign that the customer is not interested in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DismissalFacts {
    #[schema(example = "gold-card")]
    pub campaign: String,
    pub actor: String,
    #[schema(example = "link")]
    pub source: &'static str,
    pub note: Option<String>,
    pub at: Timestamp,
}

/// What somebody at the company wrote down about the customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NoteFacts {
    pub note: i64,
    pub at: Timestamp,
    pub actor: String,
    pub body: String,
}

/// What somebody at the company is to do about the customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskFacts {
    pub task: i64,
    pub name: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub assignee: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    pub due_on: Option<Date>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who wrote it last.
    pub actor: String,
}

/// A flow that the customer is in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActiveFlowFacts {
    #[schema(example = "new-member-onboarding")]
    pub flow: String,
    pub since: Timestamp,
}

/// What became of everything that was meant for the customer, and what they did; a channel without either is left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TotalsFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<ChannelTotals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<ChannelTotals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<ChannelTotals>,
    /// Everything that the customer did, on whatever channel.
    pub interactions: u64,
    pub conversions: u64,
}

/// One line of a history.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InteractionFacts {
    pub at: Timestamp,
    /// The kind of interaction; for a message `CHANNEL-sent`, or `CHANNEL-` and its state.
    #[schema(example = "email-sent")]
    pub kind: String,
    pub direction: Direction,
    pub channel: Option<Channel>,
    pub campaign: Option<String>,
    pub flow: Option<String>,
    pub step: Option<String>,
    pub actor: Option<String>,
    /// The reason, the gateway's words, what changed.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Json>,
}

impl CustomerFacts {
    pub fn of(overview: &Overview) -> Self {
        let customer = &overview.customer;
        let active_flows = overview.active_flows.iter();
        Self {
            id: customer.external_id.clone(),
            status: customer.status,
            status_reason: customer.status_reason.clone(),
            rating: overview.rating,
            rating_history: overview.rating_history.clone(),
            identified: customer.identified,
            created_at: customer.created_at,
            last_activity_at: customer.last_activity_at,
            last_transaction_at: customer.last_transaction_at,
            fields: fields(customer),
            tags: customer.tags.clone(),
            lists: overview.lists.clone(),
            switches: customer.switches,
            consents: customer.consents,
            subscriptions: overview.subscriptions.iter().map(subscription).collect(),
            dismissals: overview.dismissals.iter().map(dismissal).collect(),
            notes: overview.notes.iter().map(NoteFacts::of).collect(),
            tasks: overview.tasks.iter().map(TaskFacts::of).collect(),
            active_flows: active_flows
                .map(|active| ActiveFlowFacts {
                    flow: active.flow.clone(),
                    since: active.since,
                })
                .collect(),
            totals: TotalsFacts::of(&overview.totals),
            nps: overview.nps.as_ref().map(NpsFacts::of),
            environment: overview.environment.as_ref().map(EnvironmentFacts::of),
        }
    }
}

impl ShownCustomer {
    pub fn of(overview: &Overview) -> Self {
        Self {
            customer: CustomerFacts::of(overview),
            interactions: overview.history.iter().map(InteractionFacts::of).collect(),
            has_older_interactions: overview.has_older,
        }
    }
}

impl InteractionFacts {
    pub fn of(line: &HistoryLine) -> Self {
        Self {
            at: line.at,
            kind: line.kind.clone(),
            direction: line.direction,
            channel: line.channel,
            campaign: line.campaign.clone(),
            flow: line.flow.clone(),
            step: line.step.clone(),
            actor: line.actor.clone(),
            detail: line.detail.clone(),
        }
    }
}

impl NoteFacts {
    pub fn of(note: &Note) -> Self {
        Self {
            note: note.number,
            at: note.at,
            actor: note.actor.clone(),
            body: note.body.clone(),
        }
    }
}

impl TaskFacts {
    pub fn of(task: &Task) -> Self {
        let text = task.text.clone();
        Self {
            task: task.number,
            name: text.name,
            description: text.description,
            status: text.status,
            priority: text.priority,
            assignee: text.assignee,
            due_on: text.due_on,
            created_at: task.created_at,
            updated_at: task.updated_at,
            actor: task.actor.clone(),
        }
    }
}

/// The fields by their identifiers; several values are a list.
pub fn fields(customer: &Customer) -> Map<String, Json> {
    let fields = customer.fields.iter();
    fields
        .map(|(name, value)| (name.clone(), field(value)))
        .collect()
}

fn field(value: &FieldValue) -> Json {
    match value {
        FieldValue::One(value) => plain(value),
        FieldValue::Many(values) => values.iter().map(plain).collect(),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Date(date) => json!(date),
        Value::Instant(instant) => json!(instant),
    }
}

pub fn subscription(record: &Subscription) -> SubscriptionFacts {
    let scope = record.scope.clone();
    SubscriptionFacts {
        campaign: scope.campaign,
        category: scope.category,
        group: scope.group,
        channel: scope.channel,
        state: record.state,
        actor: record.by.actor.to_string(),
        source: record.by.source.as_str(),
        note: record.by.note.clone(),
        at: record.at,
    }
}

pub fn dismissal(dismissal: &Dismissal) -> DismissalFacts {
    DismissalFacts {
        campaign: dismissal.campaign.clone(),
        actor: dismissal.by.actor.to_string(),
        source: dismissal.by.source.as_str(),
        note: dismissal.by.note.clone(),
        at: dismissal.at,
    }
}

impl TotalsFacts {
    pub fn of(totals: &Totals) -> Self {
        let of = |channel: Channel| totals.channels.get(&channel).copied();
        Self {
            email: of(Channel::Email),
            sms: of(Channel::Sms),
            push: of(Channel::Push),
            interactions: totals.interactions,
            conversions: totals.conversions,
        }
    }
}
