//! Owns the claim: what is due and has room is asked of the gate, written in one transaction, and handed to slots.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ask::{Answer, Asked};
use super::beat::Beat;
use super::catalog::Catalog;
use super::facts::Gathered;
use super::outlet::{Outlet, Reserved, Room};
use super::runtime::Engine;
use super::send::Claim;
use super::settle::Settler;

use crate::domain::channel::Lane;
use crate::domain::ids::{NameNo, Share};
use crate::store::{Decided, FlowState, Result, Work};

/// How many rows a pass looks at in lanes without slots.
const WAITING_PLACES: u32 = 1_000;
/// The longest sleep when nothing is known to be due.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Busy slots are waited for no longer than this at a time.
const STILL_BUSY: Duration = Duration::from_millis(5);

/// What has been found while going over the lanes.
#[derive(Default)]
struct Round {
    worked: bool,
    /// A channel waits for its slots.
    busy: bool,
    /// A channel waits for its pace or its breaker.
    rest: Option<Duration>,
}

impl Round {
    /// The room for messages; why there is none is noted.
    fn room(&mut self, room: Room) -> Option<Reserved> {
        match room {
            Room::For(room) => return Some(room),
            Room::WhenFreed => self.busy = true,
            Room::After(rest) => self.rest = Some(self.rest.map_or(rest, |known| known.min(rest))),
        }
        None
    }
}

/// Claims the due work of its share of the buckets, one pass at a time: a customer's claims never run
/// beside each other.
pub struct Claimer {
    engine: Arc<Engine>,
    settler: Settler,
    share: Share,
}

/// Claimers beside each other: one reads while the other writes.
pub const CLAIMERS: u16 = 2;

impl Claimer {
    pub fn new(engine: Arc<Engine>, settler: Settler, share: Share) -> Self {
        Self {
            engine,
            settler,
            share,
        }
    }

    /// One pass over the lanes in which something is due; then when to look again.
    pub async fn run_once(&self) -> Result<Beat> {
        let (store, clock) = (&self.engine.store, &self.engine.clock);
        let catalog = self.engine.catalog();
        let (states, channels, next) = tokio::try_join!(
            store.flow_states(),
            store.channel_states(),
            store.next_dues(self.share)
        )?;
        let now = clock.now();
        let is_due = |lane: Lane| next.get(&lane).is_some_and(|due| *due <= now);
        let mut round = Round::default();
        for lane in [Lane::None, Lane::Reentry]
            .into_iter()
            .filter(|lane| is_due(*lane))
        {
            self.pass(&catalog, &states, lane, None).await?;
            round.worked = true;
        }
        for (channel, outlet) in self.engine.outlets().iter() {
            let lane = Lane::Channel(*channel);
            let is_paused = channels.get(channel).is_some_and(|s| s.pause.is_some());
            if is_paused || !is_due(lane) {
                continue;
            }
            if let Some(room) = round.room(outlet.room(clock.machine())) {
                let through = Some((outlet, room));
                self.pass(&catalog, &states, lane, through).await?;
                round.worked = true;
            }
        }
        if round.worked {
            return Ok(Beat::Now);
        }
        if round.busy {
            let freed = self.engine.freed.notified();
            // Whichever it was, there may be room now.
            let _freed_or_not = tokio::time::timeout(STILL_BUSY, freed).await;
            return Ok(Beat::Within(Duration::ZERO));
        }
        let until = |due: &Timestamp| clock.until(*due).max(Duration::from_millis(1));
        let coming = next.values().filter(|due| **due > now).map(until).min();
        let waits = [round.rest, coming].into_iter().flatten();
        Ok(Beat::Within(waits.min().unwrap_or(LONGEST_WAIT)))
    }

    async fn pass(
        &self,
        catalog: &Arc<Catalog>,
        states: &BTreeMap<NameNo, FlowState>,
        lane: Lane,
        through: Option<(&Arc<Outlet>, Reserved)>,
    ) -> Result<()> {
        let (engine, now) = (&self.engine, self.engine.clock.now());
        let limit = through
            .as_ref()
            .map_or(WAITING_PLACES, |(_, room)| room.messages());
        let dues = engine.store.due(self.share, lane, now, limit).await?;
        if dues.is_empty() {
            return Ok(());
        }
        if lane == Lane::Reentry {
            return super::entry::reenter(engine, catalog, states, &dues, now).await;
        }
        let mut gathered = Gathered::read(&engine.store, catalog, &dues, now).await?;
        let asked = Asked {
            engine,
            catalog,
            states,
            outlet: through.as_ref().map(|(outlet, _)| *outlet),
            now,
        };
        let answers: Vec<Answer> = dues
            .iter()
            .map(|due| asked.answer(due, &mut gathered))
            .collect();
        asked.count_withheld(&answers);
        let (decided, claims): (Vec<Decided>, Vec<Option<Claim>>) = answers
            .into_iter()
            .map(|answer| (answer.decided, answer.claim))
            .unzip();
        let work = Work::Decided {
            decided: Arc::new(decided),
            lease: engine.lease(now),
            marks: catalog.marks_flows,
            now,
        };
        let taken = engine.desk.write(&engine.store, work).await?;
        let taken: HashSet<_> = taken.into_iter().collect();
        let claims: Vec<Claim> = claims
            .into_iter()
            .flatten()
            .filter(|claim| taken.contains(&claim.due.enrollment))
            .collect();
        if let Some((outlet, room)) = through {
            self.spawn(catalog, outlet, room, claims);
        }
        Ok(())
    }

    fn spawn(
        &self,
        catalog: &Arc<Catalog>,
        outlet: &Arc<Outlet>,
        mut room: Reserved,
        claims: Vec<Claim>,
    ) {
        for claim in claims {
            let (catalog, outlet) = (Arc::clone(catalog), Arc::clone(outlet));
            self.settler.spawn(claim, catalog, outlet, room.take());
        }
    }
}
