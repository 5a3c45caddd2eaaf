//! Owns what happens to claims that nobody settles any more.

use std::sync::Arc;

use super::catalog::{Catalog, Walk};
use super::handover::Left;
use super::runtime::Engine;
use crate::domain::dispatch::{self, ClaimFacts, DispatchState, Outcome, Reason, Settlement};
use crate::domain::gateway::Receipts;
use crate::domain::gateway::{ChannelConfig, OnUncertain, RetryPolicy};
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, Stripes};
use crate::store::{Abandoned, Move, Result, Settled, Work};

/// What a start found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rescued {
    /// Certainly not handed over: due again.
    pub released: usize,
    /// Perhaps handed over.
    pub uncertain: usize,
}

/// What is known of hand-overs that were begun.
#[derive(Debug, Clone, Copy)]
pub struct Remains<'a> {
    pub left: &'a Left,
    /// The start that left it; none: every earlier one's claims were on this machine.
    pub of: Option<Incarnation>,
}

impl Remains<'_> {
    fn may_have_gone(&self, claim: &Abandoned) -> bool {
        let was_here = self.of.is_none_or(|of| of == claim.incarnation);
        !was_here
            || self
                .left
                .may_have((claim.enrollment, claim.step, claim.attempt))
    }
}

/// Rows settled in one transaction.
const GROUP: usize = 500;

/// Settles what was left in these stripes, where nothing is in flight: what was marked is uncertain; what was never marked
/// is due again, or withheld when its enrollment ended meanwhile.
pub async fn rescue(
    engine: &Engine,
    catalog: &Catalog,
    stripes: &Stripes,
    remains: &Remains<'_>,
) -> Result<Rescued> {
    let abandoned = engine.store.abandoned(stripes).await?;
    let (uncertain, unmarked): (Vec<Abandoned>, Vec<Abandoned>) = abandoned
        .into_iter()
        .partition(|claim| remains.may_have_gone(claim));
    let now = engine.clock.now();
    let live = unmarked.iter().filter(|claim| claim.ended.is_none());
    let released: Vec<EnrollmentId> = live.map(|claim| claim.enrollment).collect();
    engine.store.release(&released, now).await?;
    let mut settled = settle_all(engine, catalog, &uncertain).await?;
    settled.extend(unmarked.iter().filter_map(withhold));
    for group in settled.chunks(GROUP) {
        let work = Work::Settled {
            settled: Arc::new(group.to_vec()),
            marks: catalog.marks_sends,
            now,
        };
        engine.store.write_together(&[work]).await?;
    }
    Ok(Rescued {
        released: released.len(),
        uncertain: uncertain.len(),
    })
}

/// A message that was not handed over, of an enrollment that ended while it was out.
fn withhold(claim: &Abandoned) -> Option<Settled> {
    let reason = claim.ended?;
    let settlement = Settlement {
        state: DispatchState::Withheld,
        detail: String::new(),
        gateway_id: None,
        retry_at: None,
        advances: false,
        suppresses_address: false,
        pauses_channel: false,
    };
    settled(claim, settlement, Some(reason), None)
}

fn settled(
    claim: &Abandoned,
    settlement: Settlement,
    reason: Option<Reason>,
    then: Option<Move>,
) -> Option<Settled> {
    Some(Settled {
        enrollment: claim.enrollment,
        customer: claim.customer,
        step: claim.step,
        channel: claim.channel?,
        attempt: claim.attempt,
        incarnation: claim.incarnation,
        settlement,
        reason,
        then,
        frozen: None,
        address: String::new(),
        receipts: Receipts::None,
        gone: Vec::new(),
    })
}

async fn settle_all(
    engine: &Engine,
    catalog: &Catalog,
    uncertain: &[Abandoned],
) -> Result<Vec<Settled>> {
    let ids: Vec<CustomerId> = uncertain.iter().map(|claim| claim.customer).collect();
    let customers = engine.store.customers_with(&ids, &catalog.wanted).await?;
    let zones: std::collections::HashMap<_, _> = customers
        .iter()
        .map(|customer| (customer.id, catalog.zone_of(customer)))
        .collect();
    let zone_of = |id| zones.get(id).unwrap_or(&catalog.zone);
    Ok(uncertain
        .iter()
        .filter_map(|claim| settle(engine, catalog, claim, zone_of(&claim.customer)))
        .collect())
}

fn settle(
    engine: &Engine,
    catalog: &Catalog,
    claim: &Abandoned,
    zone: &jiff::tz::TimeZone,
) -> Option<Settled> {
    let (channel, now) = (claim.channel?, engine.clock.now());
    let config = catalog.revision().channels.get(&channel);
    let facts = ClaimFacts {
        attempt: claim.attempt,
        first_tried_at: claim.first_at,
        policy: config.map_or_else(RetryPolicy::default, |config| config.retry),
        // An ended enrollment sends nothing again.
        on_uncertain: config
            .filter(|_| claim.ended.is_none())
            .map_or(OnUncertain::Hold, ChannelConfig::on_uncertain),
    };
    let detail = "the daemon ended while it was handing the message over".to_owned();
    let settlement = dispatch::settle(&facts, Outcome::Uncertain { detail }, now, 0.5);
    let walk = Walk {
        now,
        reckoning: catalog.reckoning(zone),
        started_at: claim.first_at,
        revision: catalog.number(),
    };
    let onward = || {
        let plan = catalog.plan(claim.flow);
        plan.and_then(|plan| Some(plan.advance(plan.step(claim.step)?, walk)))
            .unwrap_or(Move::Completed { look_again: None })
    };
    let then = settlement.advances.then(onward);
    settled(claim, settlement, None, then)
}
