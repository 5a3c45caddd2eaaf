//! Owns what is decided about one due row: the gate is asked, and its verdict becomes what is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::catalog::{Catalog, FlowPlan, StepPlan, Walk};
use super::facts::{Gathered, Question};
use super::outlet::Outlet;
use super::runtime::Engine;
use super::send::Claim;
use crate::domain::address::Written;
use crate::domain::channel::{Channel, Lane};
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{self, ExitReason};
use crate::domain::flow::{FlowStatus, OnEdit};
use crate::domain::gate::{self, Verdict};
use crate::domain::gateway::ChannelConfig;
use crate::domain::held::HeldBecause;
use crate::domain::ids::NameNo;
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
            zone: &zone,
            started_at: due.started_at,
            revision: self.catalog.number(),
        };
        let Some(step) = plan.step(due.step) else {
            return self.leave_removed_step(due, plan, walk);
        };
        if step.step.lane() != due.lane {
            return Self::change_lane(due, step);
        }
        let planned = match self.planned(due, plan, step, walk) {
            Ok(planned) => planned,
            Err(retimed) => return Self::decided(due, retimed),
        };
        let Lane::Channel(channel) = due.lane else {
            return self.leave_waiting_place(due, plan, step, walk, gathered);
        };
        self.ask(due, planned, (plan, step, channel), walk, gathered)
    }

    /// The step's planned time; computed anew when the flow's timing has changed since, and then
    /// perhaps not due yet.
    fn planned(
        &self,
        due: &Due,
        plan: &FlowPlan,
        step: &StepPlan,
        walk: Walk<'_>,
    ) -> Result<Timestamp, Decision> {
        let current = self
            .states
            .get(&due.flow)
            .map(|state| state.timing_revision);
        let untimed = due.timed_revision.0 == 0;
        let outdated = current.is_some_and(|current| due.timed_revision < current);
        let recompute = untimed || (outdated && plan.flow.on_edit == OnEdit::Recompute);
        if !recompute || due.earlier.is_some() {
            return Ok(due.planned);
        }
        let planned = enrollment::retime(&step.step, due.anchor, walk.zone).planned;
        if planned > self.now {
            return Err(Decision::Retime {
                planned,
                revision: self.catalog.number(),
            });
        }
        Ok(planned)
    }

    fn ask(
        &self,
        due: &Due,
        planned: Timestamp,
        (plan, step, channel): (&FlowPlan, &StepPlan, Channel),
        walk: Walk<'_>,
        gathered: &mut Gathered,
    ) -> Answer {
        let Some(outlet) = self.outlet else {
            return self.put_off(due, HeldBecause::Paused);
        };
        if self.is_still_out(due) {
            return self.put_off(due, HeldBecause::Paused);
        }
        let question = Question {
            due,
            planned,
            plan,
            step,
            channel,
            config: self.config(channel, outlet),
            zone: walk.zone,
            state: self.states.get(&due.flow),
            now: self.now,
        };
        let verdict = gate::decide(&gathered.facts(self.catalog, &question));
        match verdict {
            Verdict::Send => self.claim(due, channel, outlet, gathered),
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
        due: &Due,
        channel: Channel,
        outlet: &Outlet,
        gathered: &mut Gathered,
    ) -> Answer {
        let Some(customer) = gathered.customers.get(&due.customer).cloned() else {
            return self.put_off(due, HeldBecause::Paused);
        };
        gathered.count(due.customer, channel, self.now);
        let attempt = due.earlier.map_or(1, |earlier| earlier.attempt + 1);
        let first_at = due.earlier.map_or(self.now, |earlier| earlier.first_at);
        let address = Written::of(&customer, self.config(channel, outlet)).good();
        let address = address.unwrap_or_default().into_owned();
        let kind = self.catalog.devices(due.lane);
        let devices = kind.map(|kind| gathered.devices(due.customer, kind));
        let devices = devices.unwrap_or_default();
        let consent_rev = customer.consent_rev;
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
            Lane::Channel(channel) => Self::withhold(due, channel, Reason::StepRemoved, then),
            _ => Self::decided(due, Decision::Pass(then)),
        }
    }

    /// The step speaks on another channel now: it stays due, in that channel's lane.
    fn change_lane(due: &Due, step: &StepPlan) -> Answer {
        let then = Move::To {
            step: due.step,
            lane: step.step.lane(),
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
        let then = if gathered.exits(due.enrollment) {
            plan.exit(ExitReason::ExitCondition, walk)
        } else if gathered.leaves(due.enrollment) {
            plan.exit(ExitReason::LeftSegment, walk)
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
