//! Owns why whole groups of customers are in a flow or not: each customer counts once, by the first reason.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::customer::Status;
use crate::domain::enrollment::EnrollmentStatus;
use crate::domain::flow::{ExistingMembers, Flow, FlowStatus, Reentry};
use crate::domain::ids::NameNo;
use crate::domain::moment::moment;
use crate::domain::revision::NameKind;
use crate::domain::segment::Condition;
use crate::domain::segment_words::words;
use crate::engine::catalog::Catalog;
use crate::store::{Error, FlowState, LastEntries, People, Result, Store};

/// Where the customers who were asked about stand with a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudienceTold {
    pub flow: String,
    /// Who was asked about, in words.
    pub about: String,
    pub customers: u64,
    pub groups: Vec<AudienceGroup>,
    pub now: Timestamp,
}

/// Customers who are in it, or not, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudienceGroup {
    /// `waiting`; `pending`, `completed`, or why the last run ended; `suspended`, `discarded`, `segment`;
    /// `status`, `activation`, `paused`, `schedule`, `existing-members` or `examination`.
    pub reason: &'static str,
    pub in_it: bool,
    pub text: String,
    pub customers: u64,
    /// The unique id of one of them.
    pub example: Option<String>,
}

impl AudienceGroup {
    fn new(reason: &'static str, text: impl Into<String>, people: People) -> Self {
        Self {
            reason,
            in_it: false,
            text: text.into(),
            customers: people.customers,
            example: people.example,
        }
    }
}

/// Tells of those who meet a condition; none: those who meet the flow's own.
///
/// # Errors
/// [`Error::NotFound`] for a flow that was never published.
pub async fn audience(
    store: &Store,
    catalog: &Catalog,
    flow: &Flow,
    about: Option<&Condition>,
    now: Timestamp,
) -> Result<AudienceTold> {
    let revision = catalog.revision();
    let number = catalog.published.numbers.number(NameKind::Flow, &flow.id);
    let number = number.ok_or_else(|| Error::NotFound(format!("the number of `{}`", flow.id)))?;
    let segment = revision.segments.get(&flow.segment);
    let nobody = Condition::Any(Vec::new());
    let own = segment.map_or(&nobody, |segment| &segment.condition);
    let asking = Asking {
        store,
        catalog,
        flow,
        number,
        about: about.unwrap_or(own),
        now,
    };
    let mut groups = asking.involved().await?;
    groups.extend(asking.strangers(own).await?);
    groups.retain(|group| group.customers > 0);
    Ok(AudienceTold {
        flow: flow.id.clone(),
        about: words(asking.about, &revision.data_model),
        customers: groups.iter().map(|group| group.customers).sum(),
        groups,
        now,
    })
}

struct Asking<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    flow: &'a Flow,
    number: NameNo,
    about: &'a Condition,
    now: Timestamp,
}

impl Asking<'_> {
    async fn involved(&self) -> Result<Vec<AudienceGroup>> {
        let frame = self.catalog.frame(self.now);
        let standings = self.store.last_entries(self.number, self.about, &frame);
        let mut groups: Vec<AudienceGroup> = Vec::new();
        for last in standings.await? {
            let group = self.group(last);
            match groups.iter_mut().find(|other| other.reason == group.reason) {
                Some(same) => same.customers += group.customers,
                None => groups.push(group),
            }
        }
        groups.sort_by_key(|group| (!group.in_it, std::cmp::Reverse(group.customers)));
        Ok(groups)
    }

    fn group(&self, last: LastEntries) -> AudienceGroup {
        let again = match self.flow.entry.reentry {
            Reentry::Once => "nobody enters this flow twice".to_owned(),
            Reentry::EveryRequalification => {
                "they enter again after leaving the segment and joining it anew".to_owned()
            }
            Reentry::Every(span) => format!("they may enter again {span} after the last entry"),
        };
        let people = last.people;
        match (last.status, last.exit) {
            (EnrollmentStatus::Waiting | EnrollmentStatus::Sending, _) => AudienceGroup {
                in_it: true,
                ..AudienceGroup::new("waiting", "are in it", people)
            },
            (EnrollmentStatus::Pending, _) => {
                let why = match self.flow.entry.limit {
                    Some(_) => "the flow lets in so many at a time",
                    None => "the flow is paused",
                };
                AudienceGroup::new("pending", format!("wait to be let in: {why}"), people)
            }
            (EnrollmentStatus::Exited, Some(reason)) => {
                let reason = reason.as_str();
                AudienceGroup::new(reason, format!("left it ({reason}): {again}"), people)
            }
            (EnrollmentStatus::Completed | EnrollmentStatus::Exited, _) => {
                AudienceGroup::new("completed", format!("had all of it: {again}"), people)
            }
        }
    }

    /// Those who never came near it: by their status, by what they do not meet, by what the flow does.
    async fn strangers(&self, own: &Condition) -> Result<Vec<AudienceGroup>> {
        let mut groups = Vec::new();
        for (status, reason) in [
            (Status::Suspended, "suspended"),
            (Status::Discarded, "discarded"),
        ] {
            let people = self.never(vec![Condition::Status(status)]).await?;
            groups.push(AudienceGroup::new(reason, format!("are {reason}"), people));
        }
        let mut met = vec![Condition::Status(Status::Active)];
        let parts = match own {
            Condition::All(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let model = &self.catalog.revision().data_model;
        for part in parts {
            let mut asked = met.clone();
            asked.push(Condition::Not(Box::new(part.clone())));
            let people = self.never(asked).await?;
            let text = format!("do not meet: {}", words(part, model));
            groups.push(AudienceGroup::new("segment", text, people));
            met.push(part.clone());
        }
        let people = self.never(met).await?;
        let (reason, text) = self.shut().await?;
        groups.push(AudienceGroup::new(reason, text, people));
        Ok(groups)
    }

    async fn never(&self, mut conditions: Vec<Condition>) -> Result<People> {
        conditions.push(self.about.clone());
        let frame = self.catalog.frame(self.now);
        let all = Condition::All(conditions);
        self.store.strangers(self.number, &all, &frame).await
    }

    /// Why those who could enter do not.
    async fn shut(&self) -> Result<(&'static str, String)> {
        let states = self.store.flow_states().await?;
        let state: Option<&FlowState> = states.get(&self.number);
        let (flow, zone) = (self.flow, &self.catalog.zone);
        if flow.status != FlowStatus::Active {
            let text = format!(
                "qualify, and the flow is {} by its file",
                flow.status.as_str()
            );
            return Ok(("status", text));
        }
        let Some(activated_at) = state.and_then(|state| state.activated_at) else {
            let text = "qualify, and the flow has not been active yet: the daemon makes it so";
            return Ok(("activation", text.to_owned()));
        };
        if let Some(pause) = state.and_then(|state| state.pause.as_ref()) {
            let text = format!("qualify, and the flow was paused by {}", pause.by);
            return Ok(("paused", text));
        }
        if let Some(schedule) = &flow.entry.schedule {
            let next = schedule.after(self.now, zone);
            let next = next.map_or_else(|| "never".to_owned(), |at| moment(at, zone));
            let text = format!("qualify, and members enter at `{schedule}` only, next {next}");
            return Ok(("schedule", text));
        }
        if flow.entry.existing_members == ExistingMembers::Skip {
            let since = moment(activated_at, zone);
            let text = format!(
                "qualify, and did so before the flow was active, {since} (existing-members: skip)"
            );
            return Ok(("existing-members", text));
        }
        let text = "qualify, and the daemon has not looked at them yet".to_owned();
        Ok(("examination", text))
    }
}
