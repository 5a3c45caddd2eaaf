//! Owns the claim: what is due and has room is asked of the gate, written in one transaction, and handed to slots.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::ask::{Answer, Asked};
use super::beat::Beat;
use super::catalog::Catalog;
use super::facts::Gathered;
use super::outlet::{Outlet, Room};
use super::runtime::Engine;
use super::send::Claim;
use super::settle::Settler;
use crate::domain::channel::{Channel, Lane};
use crate::domain::ids::NameNo;
use crate::store::{Decided, FlowState, Result};

/// How many rows a pass looks at in lanes without slots.
const WAITING_PLACES: u32 = 1_000;
/// The longest sleep when nothing is known to be due.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Busy slots are waited for no longer than this at a time.
const STILL_BUSY: Duration = Duration::from_millis(5);

/// What one pass over a lane did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClaimPass {
    pub looked_at: usize,
    pub claimed: usize,
    pub withheld: usize,
}

/// Claims due work, one pass at a time: a customer's claims never run beside each other.
pub struct Claimer {
    engine: Arc<Engine>,
    settler: Settler,
}

impl Claimer {
    pub fn new(engine: Arc<Engine>, settler: Settler) -> Self {
        Self { engine, settler }
    }

    /// One pass over all lanes; then when to look again.
    pub async fn run_once(&self) -> Result<Beat> {
        let catalog = self.engine.catalog();
        let states = self.engine.store.flow_states().await?;
        let paused = self.engine.store.channel_states().await?;
        let is_paused = |channel: &Channel| paused.get(channel).is_some_and(|s| s.pause.is_some());
        let (mut full, mut busy) = (false, false);
        let mut rested = Vec::new();
        let mut wait = LONGEST_WAIT;
        for lane in [Lane::None, Lane::Reentry] {
            let pass = self
                .pass(&catalog, &states, lane, WAITING_PLACES, None)
                .await?;
            full |= pass.looked_at == WAITING_PLACES as usize;
            rested.push(lane);
        }
        for (channel, outlet) in self.engine.outlets().iter() {
            if is_paused(channel) {
                continue;
            }
            let room = match outlet.room(self.engine.clock.machine()) {
                Room::For(messages) => messages,
                Room::WhenFreed => {
                    busy = true;
                    continue;
                }
                Room::After(rest) => {
                    wait = wait.min(rest);
                    continue;
                }
            };
            let lane = Lane::Channel(*channel);
            let pass = self
                .pass(&catalog, &states, lane, room, Some(outlet))
                .await?;
            full |= pass.looked_at == room as usize;
            rested.push(lane);
        }
        if full {
            return Ok(Beat::Now);
        }
        if busy {
            let freed = self.engine.freed.notified();
            // Whichever it was, there may be room now.
            let _freed_or_not = tokio::time::timeout(STILL_BUSY, freed).await;
            return Ok(Beat::Within(Duration::ZERO));
        }
        for lane in rested {
            if let Some(due) = self.engine.store.next_due(lane).await? {
                wait = wait.min(self.engine.clock.until(due).max(Duration::from_millis(1)));
            }
        }
        Ok(Beat::Within(wait))
    }

    async fn pass(
        &self,
        catalog: &Arc<Catalog>,
        states: &BTreeMap<NameNo, FlowState>,
        lane: Lane,
        limit: u32,
        outlet: Option<&Arc<Outlet>>,
    ) -> Result<ClaimPass> {
        let (engine, now) = (&self.engine, self.engine.clock.now());
        let dues = engine.store.due(lane, now, limit).await?;
        if dues.is_empty() {
            self.spawn(catalog, outlet, Vec::new());
            return Ok(ClaimPass::default());
        }
        if lane == Lane::Reentry {
            super::entry::reenter(engine, catalog, states, &dues, now).await?;
            return Ok(ClaimPass {
                looked_at: dues.len(),
                ..ClaimPass::default()
            });
        }
        let mut gathered = Gathered::read(&engine.store, catalog, &dues, now).await?;
        let asked = Asked {
            engine,
            catalog,
            states,
            outlet,
            now,
        };
        let answers: Vec<Answer> = dues
            .iter()
            .map(|due| asked.answer(due, &mut gathered))
            .collect();
        let withheld = asked.count_withheld(&answers);
        let (decided, claims): (Vec<Decided>, Vec<Option<Claim>>) = answers
            .into_iter()
            .map(|answer| (answer.decided, answer.claim))
            .unzip();
        let taken = engine
            .store
            .write_decisions(&decided, engine.incarnation, now)
            .await?;
        let taken: HashSet<_> = taken.into_iter().collect();
        let claims: Vec<Claim> = claims
            .into_iter()
            .flatten()
            .filter(|claim| taken.contains(&claim.due.enrollment))
            .collect();
        let pass = ClaimPass {
            looked_at: dues.len(),
            claimed: claims.len(),
            withheld,
        };
        self.spawn(catalog, outlet, claims);
        Ok(pass)
    }

    fn spawn(&self, catalog: &Arc<Catalog>, outlet: Option<&Arc<Outlet>>, claims: Vec<Claim>) {
        let Some(outlet) = outlet else { return };
        let slots = outlet.take(claims.len(), self.engine.clock.machine());
        for (claim, slot) in claims.into_iter().zip(slots) {
            let (catalog, outlet) = (Arc::clone(catalog), Arc::clone(outlet));
            self.settler.spawn(claim, catalog, outlet, slot);
        }
    }
}
