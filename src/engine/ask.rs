//! Owns what is decided about one due row: the gate is asked, and its verdict becomes what is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::catalog::{ActionPlan, Catalog, FlowPlan, StepPlan, UNTIMED, Walk};
use super::choice;
use super::facts::{Gathered, Question};
use super::outlet::Outlet;
use super::runtime::Engine;
use super::send::Claim;
use crate::domain::address::Written;
use crate::domain::channel::{Channel, Lane};
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::flow::{FlowStatus, OnEdit};
use crate::domain::gate::{self, Verdict};
use crate::domain::gateway::ChannelConfig;
use crate::domain::held::HeldBecause;
use crate::domain::ids::NameNo;
use crate::domain::timing::Meant;
use crate::store::{Decided, Decision, Due, FlowState, Move};

/// What cannot be decided now is looked at again after this.
const RECHECK: SignedDuration = SignedDuration::from_mins(1);

/// What a row comes to: what is written, and the claim that is handed on if it is taken.
pub(super) struct Answer {
    pub(super) decided: Decided,
    pub(super) claim: Option<Claim>,
}

/// One pass's surroundings.
pub(super) struct Asked<'a> {
    pub(super) engine: &'a Engine,
    pub(super) catalog: &'a Catalog,
    pub(super) states: &'a BTreeMap<NameNo, FlowState>,
    pub(super) outlet: Option<&'a Arc<Outlet>>,
    pub(super) now: Timestamp,
}

/// One due row with where it stands.
#[derive(Clone, Copy)]
struct Asking<'a> {
    due: &'a Due,
    plan: &'a FlowPlan,
    step: &'a StepPlan,
    walk: Walk<'a>,
    meant: WasMeant,
}

/// When a due step was meant, and why it is not, if its date cannot be met.
#[derive(Clone, Copy)]
struct WasMeant {
    planned: Timestamp,
    dateless: Option<Reason>,
}

/// Whether a row of the step may stand in the lane where it was found.
fn may_wait_in(step: &StepPlan, due: &Due) -> bool {
    let own = due.lane.channel().and_then(|channel| step.on(channel));
    due.lane == step.step.lane() || own.is_some()
}

impl Asked<'_> {
    pub(super) fn answer(&self, due: &Due, gathered: &mut Gathered) -> Answer {
        let Some(plan) = self.catalog.plan(due.flow) else {
            return self.put_off(due, HeldBecause::Paused);
        };
        let zone = gathered.customers.get(&due.customer).map_or_else(
            || self.catalog.zone.clone(),
            |customer| self.catalog.zone_of(customer),
        );
        let walk = Walk {
            now: self.now,
            reckoning: self.catalog.reckoning(&zone),
            started_at: due.started_at,
            revision: self.catalog.number(),
        };
        let Some(step) = plan.step(due.step) else {
            return self.leave_removed_step(due, plan, walk);
        };
        if due.is_had() {
            return Self::decided(due, Decision::Pass(plan.advance(step, walk)));
        }
        if !may_wait_in(step, due) {
            return Self::change_lane(due, step.step.lane());
        }
        let meant = match self.meant(due, plan, step, walk, gathered) {
            Ok(meant) => meant,
            Err(retimed) => return Self::decided(due, retimed),
        };
        if step.actions.is_empty() {
            return self.leave_waiting_place(due, plan, step, walk, gathered);
        }
        let asking = Asking {
            due,
            plan,
            step,
            walk,
            meant,
        };
        let Some(action) = self.choose(&asking, gathered) else {
            return self.put_off(due, HeldBecause::Paused);
        };
        if due.lane != Lane::Channel(action.channel) {
            return Self::change_lane(due, Lane::Channel(action.channel));
        }
        self.ask(&asking, action, gathered)
    }

    /// When the step was meant; computed anew when its time may be another since it was computed, and
    /// then perhaps not due yet.
    fn meant(
        &self,
        due: &Due,
        plan: &FlowPlan,
        step: &StepPlan,
        walk: Walk<'_>,
        gathered: &Gathered,
    ) -> Result<WasMeant, Decision> {
        let current = self
            .states
            .get(&due.flow)
            .map(|state| state.timing_revision);
        let when = &step.step.when;
        let outdated = current.is_some_and(|current| due.timed_revision < current);
        let recomputes = plan.flow.on_edit == OnEdit::Recompute;
        let by_customer = when.field().is_some() || when.wait_for().is_some();
        let recompute = due.timed_revision == UNTIMED || (recomputes && (outdated || by_customer));
        let as_written = WasMeant {
            planned: due.planned,
            dateless: None,
        };
        let customer = gathered.customers.get(&due.customer);
        let Some(customer) = customer.filter(|_| recompute && due.earlier.is_none()) else {
            return Ok(as_written);
        };
        let at = match when.meant(customer, due.anchor, step.step.at, walk.reckoning) {
            Meant::At(at) => at,
            never @ (Meant::Dateless | Meant::Over) => {
                return Ok(WasMeant {
                    planned: self.now,
                    dateless: gate::dateless(never),
                });
            }
        };
        if at > self.now && !gathered.happened(due.enrollment) {
            return Err(Decision::Retime {
                planned: at,
                revision: self.catalog.number(),
            });
        }
        Ok(WasMeant {
            planned: at,
            dateless: None,
        })
    }

    /// The channel of the message: where several may be, the first that is not barred. A try that was
    /// made has chosen.
    fn choose<'s>(&self, asking: &Asking<'s>, gathered: &Gathered) -> Option<&'s ActionPlan> {
        let Asking { due, step, .. } = asking;
        let own = due.lane.channel().and_then(|channel| step.on(channel));
        if step.actions.len() == 1 || (due.earlier.is_some() && own.is_some()) {
            return own;
        }
        choice::choose(step, |action| {
            let config = self.catalog.revision().channels.get(&action.channel)?;
            let question = self.question(asking, action, config);
            Some(gate::decide(&gathered.facts(self.catalog, &question)))
        })
    }

    fn question<'q>(
        &'q self,
        asking: &Asking<'q>,
        action: &'q ActionPlan,
        config: &'q ChannelConfig,
    ) -> Question<'q> {
        Question {
            due: asking.due,
            planned: asking.meant.planned,
            plan: asking.plan,
            step: asking.step,
            action,
            dateless: asking.meant.dateless,
            config,
            zone: asking.walk.reckoning.zone,
            state: self.states.get(&asking.due.flow),
            now: self.now,
        }
    }

    fn ask(&self, asking: &Asking<'_>, action: &ActionPlan, gathered: &mut Gathered) -> Answer {
        let Asking {
            due,
            plan,
            step,
            walk,
            ..
        } = *asking;
        let Some(outlet) = self.outlet else {
            return self.put_off(due, HeldBecause::Paused);
        };
        if self.is_still_out(due) {
            return self.put_off(due, HeldBecause::Paused);
        }
        let channel = action.channel;
        let question = self.question(asking, action, self.config(channel, outlet));
        let verdict = gate::decide(&gathered.facts(self.catalog, &question));
        match verdict {
            Verdict::Send => self.claim(asking, action, outlet, gathered),
            Verdict::Hold { until, because } => {
                Self::decided(due, Decision::Hold { until, because })
            }
            Verdict::Withhold(reason) => {
                Self::withhold(due, channel, reason, plan.skip(step, walk))
            }
            Verdict::Exit(reason, exit) => {
                Self::withhold(due, channel, reason, plan.exit(exit, walk))
            }
        }
    }

    /// A slot of this very process has held the claim for longer than its lease.
    fn is_still_out(&self, due: &Due) -> bool {
        due.earlier.is_some_and(|earlier| {
            earlier.state == DispatchState::Claimed
                && earlier.incarnation == self.engine.incarnation
        })
    }

    /// As the revision says by which customers were read: a reload may just have brought another outlet.
    fn config<'o>(&'o self, channel: Channel, outlet: &'o Outlet) -> &'o ChannelConfig {
        let config = self.catalog.revision().channels.get(&channel);
        config.unwrap_or(&outlet.config)
    }

    fn claim(
        &self,
        asking: &Asking<'_>,
        action: &ActionPlan,
        outlet: &Outlet,
        gathered: &mut Gathered,
    ) -> Answer {
        let (due, channel) = (asking.due, action.channel);
        let Some(customer) = gathered.customers.get(&due.customer).cloned() else {
            return self.put_off(due, HeldBecause::Paused);
        };
        gathered.count(due.customer, channel, self.now);
        let attempt = due.earlier.map_or(1, |earlier| earlier.attempt + 1);
        let first_at = due.earlier.map_or(self.now, |earlier| earlier.first_at);
        let address = Written::of(&customer, self.config(channel, outlet)).good();
        let address = address.unwrap_or_default().into_owned();
        let kind = self.catalog.devices(channel);
        let devices = kind.map(|kind| gathered.devices(due.customer, kind));
        let devices = devices.unwrap_or_default();
        let consent_rev = customer.consent_rev;
        let (plan, step) = (asking.plan, asking.step);
        let variant = plan.variant_of(step, action, &customer);
        let variant = variant.and_then(|variant| {
            let numbers = &self.catalog.published.numbers;
            numbers.variant(&plan.flow.id, &step.step.id, variant)
        });
        let claim = Claim {
            due: due.clone(),
            customer,
            channel,
            attempt,
            first_at,
            address: address.clone(),
            devices,
        };
        let decision = Decision::Claim {
            channel,
            address,
            attempt,
            first_at,
            variant,
        };
        let decided = Decided {
            consent_rev,
            suppression_rev: gathered.suppression_rev,
            ..Self::decided(due, decision).decided
        };
        Answer {
            decided,
            claim: Some(claim),
        }
    }

    fn withhold(due: &Due, channel: Channel, reason: Reason, then: Move) -> Answer {
        Self::decided(
            due,
            Decision::Withhold {
                channel,
                reason,
                then,
            },
        )
    }

    fn put_off(&self, due: &Due, because: HeldBecause) -> Answer {
        let until = self.now + self.engine.clock.flow_span(RECHECK);
        Self::decided(due, Decision::Hold { until, because })
    }

    fn decided(due: &Due, decision: Decision) -> Answer {
        let decided = Decided {
            enrollment: due.enrollment,
            customer: due.customer,
            step: due.step,
            due: due.due,
            consent_rev: 0,
            suppression_rev: 0,
            decision,
        };
        Answer {
            decided,
            claim: None,
        }
    }

    fn leave_removed_step(&self, due: &Due, plan: &FlowPlan, walk: Walk<'_>) -> Answer {
        let successor = self.catalog.successors.get(&due.step).copied().flatten();
        let then = match successor.and_then(|step| plan.step(step)) {
            Some(step) => plan.jump(step, walk),
            None => plan.complete(walk),
        };
        match due.lane {
            Lane::Channel(channel) if !due.is_had() => {
                Self::withhold(due, channel, Reason::StepRemoved, then)
            }
            _ => Self::decided(due, Decision::Pass(then)),
        }
    }

    /// The step speaks on another channel now, or on the one that was chosen: it stays due, in the
    /// lane of that.
    fn change_lane(due: &Due, lane: Lane) -> Answer {
        let then = Move::To {
            step: due.step,
            lane,
            anchor: due.anchor,
            planned: due.planned,
            revision: due.timed_revision,
        };
        Self::decided(due, Decision::Pass(then))
    }

    fn leave_waiting_place(
        &self,
        due: &Due,
        plan: &FlowPlan,
        step: &StepPlan,
        walk: Walk<'_>,
        gathered: &Gathered,
    ) -> Answer {
        let paused = self
            .states
            .get(&due.flow)
            .is_some_and(|state| state.pause.is_some());
        if paused || matches!(plan.flow.status, FlowStatus::Paused | FlowStatus::Draft) {
            return self.put_off(due, HeldBecause::Paused);
        }
        let then = if let Some(reason) = gathered.ends(due.enrollment) {
            plan.exit(reason, walk)
        } else if let Some(wait) = step.step.when.wait_for()
            && !gathered.happened(due.enrollment)
        {
            plan.give_up(wait, step, walk)
        } else {
            plan.advance(step, walk)
        };
        Self::decided(due, Decision::Pass(then))
    }

    pub(super) fn count_withheld(&self, answers: &[Answer]) {
        for answer in answers {
            if let Decision::Withhold { reason, .. } = &answer.decided.decision {
                let label = super::metrics::Withheld {
                    reason: reason.as_str(),
                };
                self.engine.metrics.withheld.get_or_create(&label).inc();
            }
        }
    }
}
