//! Owns the claim: what is due and has room is asked of the gate, written in one transaction, and handed to slots.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ask::{Answer, Asked};
use super::beat::Beat;
use super::catalog::Catalog;
use super::facts::Gathered;
use super::outlet::{Outlet, Reserved, Room};
use super::runtime::Engine;
use super::send::Claim;
use super::settle::Settler;

use crate::domain::channel::Lane;
use crate::domain::ids::{EnrollmentId, NameNo, Share, Stripes};
use crate::store::{Decided, FlowState, Result, Work};

/// How many rows a pass looks at in lanes without slots.
const WAITING_PLACES: u32 = 1_000;
/// The longest sleep when nothing is known to be due.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Busy slots are waited for no longer than this at a time.
const STILL_BUSY: Duration = Duration::from_millis(5);

/// Messages of a paced channel that are due this close together, in machine time, go in any order.
const CLOSE: SignedDuration = SignedDuration::from_secs(1);

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
            Room::After(rest) => self.rest(rest),
        }
        None
    }

    fn rest(&mut self, rest: Duration) {
        self.rest = Some(self.rest.map_or(rest, |known| known.min(rest)));
    }
}

/// Claims the due work of its share of the buckets, one pass at a time: a customer's claims never run
/// beside each other.
pub struct Claimer {
    engine: Arc<Engine>,
    settler: Settler,
    share: Share,
    /// Enrollments of claims of which the store did not say whether they were written.
    doubtful: Mutex<Vec<EnrollmentId>>,
}

impl Claimer {
    pub fn new(engine: Arc<Engine>, settler: Settler, share: Share) -> Self {
        Self {
            engine,
            settler,
            share,
            doubtful: Mutex::default(),
        }
    }

    /// One pass over the lanes in which something is due; then when to look again.
    pub async fn run_once(&self) -> Result<Beat> {
        // Whatever is claimed is counted as flying before a bucket is given up.
        let _pass = self.engine.duty.pass().await;
        let stripes = self.engine.duty.stripes().part(self.share);
        if stripes.is_empty() {
            self.stand_aside();
            return Ok(Beat::Within(LONGEST_WAIT));
        }
        let beat = self.over_lanes(&stripes).await;
        if beat.is_err() {
            self.stand_aside();
        }
        beat
    }

    async fn over_lanes(&self, stripes: &Stripes) -> Result<Beat> {
        let (store, clock) = (&self.engine.store, &self.engine.clock);
        self.put_back().await?;
        let catalog = self.engine.catalog();
        let (states, channels, next) = tokio::try_join!(
            store.flow_states(),
            store.channel_states(),
            store.next_dues(stripes)
        )?;
        let now = clock.now();
        let due = |lane: Lane| next.get(&lane).copied().filter(|due| *due <= now);
        let mut round = Round::default();
        for lane in [Lane::None, Lane::Any, Lane::Reentry]
            .into_iter()
            .filter(|lane| due(*lane).is_some())
        {
            self.pass(&catalog, &states, (lane, stripes), None).await?;
            round.worked = true;
        }
        for (channel, outlet) in self.engine.outlets().iter() {
            let lane = Lane::Channel(*channel);
            let state = channels.get(channel);
            let is_running = state.is_none_or(|state| state.pause.is_none());
            let due = due(lane).filter(|_| is_running);
            outlet.reach(self.share, due);
            if due.is_none() {
                continue;
            }
            let machine = clock.machine();
            if let Some(rest) = outlet.lets_others_go(self.share, clock.flow_span(CLOSE), machine) {
                round.rest(rest);
                continue;
            }
            outlet.consult(store, state, machine).await?;
            if let Some(room) = round.room(outlet.room(machine)) {
                let through = Some((outlet, room));
                self.pass(&catalog, &states, (lane, stripes), through)
                    .await?;
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

    /// Nobody waits for what is due in this share: it is not claimed now.
    fn stand_aside(&self) {
        for outlet in self.engine.outlets().values() {
            outlet.reach(self.share, None);
        }
    }

    /// A claim that was written after all, though the store could not say so, has nobody who sends it.
    async fn put_back(&self) -> Result<()> {
        let doubtful = self.doubtful().clone();
        if doubtful.is_empty() {
            return Ok(());
        }
        let (engine, now) = (&self.engine, self.engine.clock.now());
        let put_back = engine.store.unclaim(&doubtful, engine.incarnation, now);
        let put_back = put_back.await?;
        tracing::warn!(claims = doubtful.len(), put_back, "claims were put back");
        self.doubtful().clear();
        Ok(())
    }

    fn doubtful(&self) -> MutexGuard<'_, Vec<EnrollmentId>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(
        &self,
        catalog: &Arc<Catalog>,
        states: &BTreeMap<NameNo, FlowState>,
        (lane, stripes): (Lane, &Stripes),
        through: Option<(&Arc<Outlet>, Reserved)>,
    ) -> Result<()> {
        let (engine, now) = (&self.engine, self.engine.clock.now());
        let limit = through
            .as_ref()
            .map_or(WAITING_PLACES, |(_, room)| room.messages());
        let dues = engine.store.due(stripes, lane, now, limit).await?;
        if let Some((outlet, _)) = &through {
            let is_full = dues.len() as u64 >= u64::from(limit);
            let last = dues.last().map(|due| due.due);
            outlet.reach(self.share, last.filter(|_| is_full));
        }
        if dues.is_empty() {
            return Ok(());
        }
        if lane == Lane::Reentry {
            return super::entry::reenter(engine, catalog, states, &dues, now).await;
        }
        let mut gathered = Gathered::read(&engine.store, (catalog, states), &dues, now).await?;
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
        let written = engine.desk.write(&engine.store, work).await;
        if written.is_err() {
            let claims = claims.iter().flatten().map(|claim| claim.due.enrollment);
            self.doubtful().extend(claims);
        }
        let taken = written?;
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

impl Drop for Claimer {
    fn drop(&mut self) {
        self.stand_aside();
    }
}
