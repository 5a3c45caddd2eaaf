//! Owns what the gate is told: everything about a batch of due enrollments, read at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::capping::{self, Capped};
use super::catalog::{ActionPlan, Catalog, FlowPlan, StepPlan};
use super::opening::Openings;
use crate::domain::address::Written;
use crate::domain::channel::{Channel, Lane};
use crate::domain::customer::Customer;
use crate::domain::device::{Device, DeviceKind};
use crate::domain::dispatch::Reason;
use crate::domain::enrollment::ExitReason;
use crate::domain::gate::{Address, Facts, FlowGate};
use crate::domain::gateway::ChannelConfig;
use crate::domain::ids::{CustomerId, EnrollmentId, NameNo};
use crate::domain::subscription::{Dismissal, Subscription};
use crate::store::{Due, FlowState, Result, Store};

/// The facts of a batch.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub customers: HashMap<CustomerId, Arc<Customer>>,
    subscriptions: HashMap<CustomerId, Vec<Subscription>>,
    dismissals: HashMap<CustomerId, Vec<Dismissal>>,
    suppressed: HashSet<(Channel, String)>,
    /// The mark of all suppressions as it was before they were read.
    pub suppression_rev: i64,
    /// What these customers were sent lately, and what this batch is about to send them.
    recent: HashMap<CustomerId, Vec<(Channel, Timestamp)>>,
    /// Of those who are pushed to through a gateway that writes to devices.
    devices: HashMap<CustomerId, Vec<Device>>,
    /// Whose run ends, and why.
    ends: HashMap<EnrollmentId, ExitReason>,
    skips: HashSet<EnrollmentId>,
    /// What their step waits for has happened.
    happened: HashSet<EnrollmentId>,
}

/// One due message, as the gate is asked about it.
pub(super) struct Question<'a> {
    pub due: &'a Due,
    pub planned: Timestamp,
    pub plan: &'a FlowPlan,
    pub step: &'a StepPlan,
    pub action: &'a ActionPlan,
    /// Why the date that the step is timed by cannot be met.
    pub dateless: Option<Reason>,
    pub config: &'a ChannelConfig,
    pub zone: &'a TimeZone,
    pub state: Option<&'a FlowState>,
    pub now: Timestamp,
}

impl Gathered {
    /// Reads everything about these rows, in one statement a kind.
    pub(super) async fn read(
        store: &Store,
        (catalog, states): (&Catalog, &BTreeMap<NameNo, FlowState>),
        dues: &[Due],
        now: Timestamp,
    ) -> Result<Self> {
        let ids: Vec<CustomerId> = unique(dues.iter().map(|due| due.customer));
        let wanted = &catalog.wanted;
        let by_id = |customer: Customer| (customer.id, Arc::new(customer));
        let mut gathered = Self::default();
        if dues.iter().any(|due| !channels(catalog, due).is_empty()) {
            let customers;
            (
                customers,
                gathered.subscriptions,
                gathered.dismissals,
                gathered.suppression_rev,
            ) = tokio::try_join!(
                store.customers_with(&ids, wanted),
                store.subscriptions_of(&ids),
                store.dismissals_of(&ids),
                store.suppression_rev(),
            )?;
            gathered.customers = customers.into_iter().map(by_id).collect();
            gathered.read_suppressed(store, catalog, dues).await?;
            gathered.read_recent(store, catalog, &ids, now).await?;
            let to_devices = |channel: &Channel| catalog.devices(*channel).is_some();
            let pushes = |due: &Due| channels(catalog, due).iter().any(to_devices);
            if dues.iter().any(pushes) {
                gathered.devices = store.devices_of_all(&ids).await?;
            }
        } else {
            let customers = store.customers_with(&ids, wanted).await?;
            gathered.customers = customers.into_iter().map(by_id).collect();
        }
        let revision = (catalog, states);
        gathered.read_conditions(store, revision, dues, now).await?;
        Ok(gathered)
    }

    async fn read_suppressed(
        &mut self,
        store: &Store,
        catalog: &Catalog,
        dues: &[Due],
    ) -> Result<()> {
        let mut addresses = Vec::new();
        let each = |due| channels(catalog, due).into_iter().map(move |c| (due, c));
        for (due, channel) in dues.iter().flat_map(each) {
            let Some(config) = catalog.revision().channels.get(&channel) else {
                continue;
            };
            let customer = self.customers.get(&due.customer);
            let address = customer.and_then(|customer| Written::of(customer, config).good());
            addresses.extend(address.map(|address| (channel, address)));
        }
        if !addresses.is_empty() {
            let addresses: Vec<(Channel, &str)> = addresses
                .iter()
                .map(|(channel, address)| (*channel, address.as_ref()))
                .collect();
            let suppressed = store.suppressed(&addresses).await?;
            self.suppressed = suppressed;
        }
        Ok(())
    }

    async fn read_recent(
        &mut self,
        store: &Store,
        catalog: &Catalog,
        ids: &[CustomerId],
        now: Timestamp,
    ) -> Result<()> {
        let caps = &catalog.revision().policy.caps;
        let Some(longest) = caps.iter().map(|cap| cap.per.approximate_seconds()).max() else {
            return Ok(());
        };
        // A calendar span can be a little longer than its approximation.
        let span = SignedDuration::from_secs(longest) * 11 / 10 + SignedDuration::from_hours(48);
        let since = now.checked_sub(span).unwrap_or(Timestamp::MIN);
        for (customer, channel, at) in store.recent_dispatches(ids, since).await? {
            self.recent.entry(customer).or_default().push((channel, at));
        }
        Ok(())
    }

    async fn read_conditions(
        &mut self,
        store: &Store,
        (catalog, states): (&Catalog, &BTreeMap<NameNo, FlowState>),
        dues: &[Due],
        now: Timestamp,
    ) -> Result<()> {
        let frame = catalog.frame(now);
        for plan in catalog.flows.values() {
            let of_flow: Vec<&Due> = dues.iter().filter(|due| due.flow == plan.number).collect();
            if of_flow.is_empty() {
                continue;
            }
            let ids: Vec<EnrollmentId> = of_flow.iter().map(|due| due.enrollment).collect();
            // The later ones are the ones that are told.
            if plan.flow.exit.on_leaving_segment {
                self.read_leavers(store, catalog, plan, &of_flow, now)
                    .await?;
            }
            if let Some(when) = &plan.flow.exit.when {
                let met = store.matching_enrollments(when, &frame, &ids).await?;
                let met = met.into_iter().map(|id| (id, ExitReason::ExitCondition));
                self.ends.extend(met);
            }
            if let Some(goal) = plan.flow.goal.as_ref().filter(|goal| goal.exit) {
                let set_at = states.get(&plan.number).and_then(|state| state.goal_set_at);
                let opens = goal.opens(now, &catalog.zone, set_at);
                let measured = of_flow.iter().filter(|due| due.started_at >= opens);
                let measured: Vec<EnrollmentId> = measured.map(|due| due.enrollment).collect();
                let met = store.matching_enrollments(&goal.when, &frame, &measured);
                let met = met.await?.into_iter().map(|id| (id, ExitReason::Goal));
                self.ends.extend(met);
            }
            for step in &plan.steps {
                let at_step = of_flow.iter().filter(|due| due.step == step.number);
                let at_step: Vec<EnrollmentId> = at_step.map(|due| due.enrollment).collect();
                if at_step.is_empty() {
                    continue;
                }
                if let Some(condition) = &step.step.condition {
                    let met = store.matching_enrollments(condition, &frame, &at_step);
                    let met = met.await?;
                    let unmet = at_step.iter().filter(|id| !met.contains(id));
                    self.skips.extend(unmet);
                }
                if let Some(wait) = step.step.when.wait_for() {
                    let met = store.matching_enrollments(&wait.until, &frame, &at_step);
                    self.happened.extend(met.await?);
                }
            }
        }
        Ok(())
    }

    async fn read_leavers(
        &mut self,
        store: &Store,
        catalog: &Catalog,
        plan: &FlowPlan,
        dues: &[&Due],
        now: Timestamp,
    ) -> Result<()> {
        let Some(segment) = catalog.revision().segments.get(&plan.flow.segment) else {
            return Ok(());
        };
        let ids = unique(dues.iter().map(|due| due.customer));
        let members = store
            .matching(&segment.condition, &catalog.frame(now), &ids)
            .await?;
        let left = dues.iter().filter(|due| !members.contains(&due.customer));
        let left = left.map(|due| (due.enrollment, ExitReason::LeftSegment));
        self.ends.extend(left);
        Ok(())
    }

    /// What the gate is told about one message.
    pub(super) fn facts<'a>(&'a self, catalog: &Catalog, question: &Question<'a>) -> Facts<'a> {
        let Question {
            due, plan, action, ..
        } = question;
        let channel = &action.channel;
        let customer = self.customers.get(&due.customer).map(Arc::as_ref);
        let policy = &catalog.revision().policy;
        let openings = Openings {
            catalog,
            plan: question.plan,
            step: question.step,
            channel: action.channel,
            zone: question.zone,
        };
        let opening = openings.from(question.now);
        let today = question.now.to_zoned(catalog.zone.clone()).date();
        Facts {
            now: question.now,
            allowed_from: openings.first(question.planned),
            max_lateness: SignedDuration::from_secs(plan.flow.max_lateness.approximate_seconds()),
            is_retry: due.earlier.is_some(),
            skip_planned_before: question.state.and_then(|state| state.skip_before),
            flow: flow_gate(question),
            channel: *channel,
            status: customer.map(|customer| customer.status),
            identified: customer.is_some_and(|customer| customer.identified),
            switches: customer
                .map(|customer| customer.switches)
                .unwrap_or_default(),
            belongs: &action.belongs,
            subscriptions: self
                .subscriptions
                .get(&due.customer)
                .map_or(&[], Vec::as_slice),
            dismissed: self.is_dismissed(due.customer, action),
            is_service: action.is_service,
            consent: customer
                .map(|customer| customer.consents.channel(*channel))
                .unwrap_or_default(),
            consent_rule: policy.consent_rule(*channel),
            ends: self.ends(due.enrollment),
            send_condition_met: !self.skips.contains(&due.enrollment),
            dateless: question.dateless,
            held_out: customer.is_some_and(|customer| plan.holds_out(catalog, action, customer)),
            campaign_active: action.active.on(today),
            address: self.address(catalog, customer, question),
            cap: capping::state(
                &policy.caps,
                self.recent(due.customer),
                &Capped {
                    channel: action.channel,
                    planned: question.planned,
                    now: question.now,
                    zone: question.zone,
                },
            ),
            opens_at: opening.at,
            closed_by: opening.closed_by,
        }
    }

    pub(super) fn happened(&self, enrollment: EnrollmentId) -> bool {
        self.happened.contains(&enrollment)
    }

    pub(super) fn ends(&self, enrollment: EnrollmentId) -> Option<ExitReason> {
        self.ends.get(&enrollment).copied()
    }

    /// Counts a message that this batch sends, for those after it.
    pub(super) fn count(&mut self, customer: CustomerId, channel: Channel, at: Timestamp) {
        self.recent.entry(customer).or_default().push((channel, at));
    }

    fn is_dismissed(&self, customer: CustomerId, action: &ActionPlan) -> bool {
        let dismissed = self
            .dismissals
            .get(&customer)
            .map_or(&[][..], Vec::as_slice);
        dismissed.iter().any(|dismissal| {
            action
                .belongs
                .iter()
                .any(|place| place.campaign == dismissal.campaign)
        })
    }

    fn recent(&self, customer: CustomerId) -> &[(Channel, Timestamp)] {
        self.recent.get(&customer).map_or(&[], Vec::as_slice)
    }

    /// The devices of this kind that a customer has.
    pub(super) fn devices(&self, customer: CustomerId, kind: DeviceKind) -> Vec<Device> {
        let all = self.devices.get(&customer).into_iter().flatten();
        let own = all.filter(|device| device.address.kind() == kind);
        own.cloned().collect()
    }

    fn address(
        &self,
        catalog: &Catalog,
        customer: Option<&Customer>,
        question: &Question<'_>,
    ) -> Address {
        if let Some(kind) = catalog.devices(question.action.channel) {
            let found = self.devices(question.due.customer, kind);
            return found.first().map_or(Address::Missing, |_| Address::Good);
        }
        let written = customer.map_or(Written::Missing, |customer| {
            Written::of(customer, question.config)
        });
        match written {
            Written::Missing => Address::Missing,
            Written::Invalid => Address::Invalid,
            Written::Good(address) => {
                let key = (question.action.channel, address.into_owned());
                if self.suppressed.contains(&key) {
                    Address::Suppressed
                } else {
                    Address::Good
                }
            }
        }
    }
}

fn flow_gate(question: &Question<'_>) -> FlowGate {
    use crate::domain::flow::FlowStatus;
    let paused = question.state.is_some_and(|state| state.pause.is_some());
    let flow = &question.plan.flow;
    match flow.status {
        FlowStatus::Stopped if !flow.is_draining() => FlowGate::Stopped,
        FlowStatus::Active | FlowStatus::Stopped if !paused => FlowGate::Running,
        _ => FlowGate::Paused,
    }
}

/// The channels that a row's message may go out on.
fn channels(catalog: &Catalog, due: &Due) -> Vec<Channel> {
    let step = catalog.plan(due.flow).and_then(|plan| plan.step(due.step));
    match due.lane {
        Lane::None | Lane::Reentry => Vec::new(),
        Lane::Channel(_) | Lane::Any => {
            let of_step = step.into_iter().flat_map(|step| step.step.channels());
            let mut channels: Vec<Channel> = of_step.chain(due.lane.channel()).collect();
            channels.sort_unstable();
            channels.dedup();
            channels
        }
    }
}

fn unique(ids: impl Iterator<Item = CustomerId>) -> Vec<CustomerId> {
    let mut ids: Vec<CustomerId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
