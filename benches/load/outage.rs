//! Owns an outage of the gateway: what is tried while it is away, and how what became due meanwhile
//! goes out when it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};

use drumbeat::clock::Clock as _;
use drumbeat::engine::Enroller;

use crate::database::Raw;
use crate::gateway::Recorder;
use crate::measures::{Measures, add, number};
use crate::order;
use crate::people;
use crate::place::Place;
use crate::process;
use crate::rig::{self, Rig, Shifted};

/// Time is put ahead by so much, and the loops then have so long to see it.
const STEP: Duration = Duration::from_secs(1);
const SEEN_AFTER: Duration = Duration::from_millis(10);
/// Longer than the longest rest of a breaker: by then the gateway must have been found again.
const FOUND_WITHIN: Duration = Duration::from_mins(10);
/// Spreads due times: they are a customer's own, and no two the same.
const SPREAD: i64 = 2_654_435_761;
const SEQUENCE: i64 = (1 << 48) - 1;

/// Everybody's message is due an hour after the flow began, at the earliest.
fn begins() -> Result<Timestamp> {
    Ok(people::monday()? + SignedDuration::from_hours(1))
}

/// When an enrollment's message is due, in microseconds: some time while the gateway is away.
fn due(place: &Place, enrollment: i64) -> Result<i64> {
    let span = i64::try_from(place.away)? * 1_000_000;
    Ok(begins()?.as_microsecond() + (enrollment & SEQUENCE) * SPREAD % span)
}

/// Enrolls everybody, and spreads their due times over the time of the outage.
pub(crate) async fn enroll(place: &Place) -> Result<Measures> {
    let clock = Shifted::to(people::monday()?);
    let gateway = Recorder::new(Arc::clone(&clock) as _, 0);
    let rig = Rig::open(place, clock, gateway).await?;
    let enroller = Enroller::new(Arc::clone(&rig.engine));
    let enrolled = rig.begin(&enroller).await?;
    rig.close().await?;
    let (begins, span) = (begins()?.as_microsecond(), place.away * 1_000_000);
    let due = format!("{begins} + (enrollment_id & {SEQUENCE}) * {SPREAD} % {span}");
    let spread = format!("UPDATE enrollments SET due = {due}, planned = {due}");
    let spread = Raw::open(&place.url).await?.execute(&spread).await?;
    if enrolled != place.customers || spread != enrolled {
        let customers = place.customers;
        bail!("{enrolled} were enrolled and {spread} spread, not {customers}");
    }
    Ok(Measures::new())
}

/// The most memory in use so far.
struct Peak(f64);

impl Peak {
    fn look(&mut self) -> Result<f64> {
        let now = process::megabytes()?;
        self.0 = self.0.max(now);
        Ok(now)
    }
}

struct Outage<'a> {
    place: &'a Place,
    rig: Rig,
    clock: Arc<Shifted>,
    gateway: Arc<Recorder>,
    peak: Peak,
}

pub(crate) async fn run(place: &Place) -> Result<Measures> {
    let clock = Shifted::to(begins()?);
    let gateway = Recorder::new(Arc::clone(&clock) as _, place.customers);
    gateway.go_away(true);
    let rig = Rig::open(place, Arc::clone(&clock) as _, Arc::clone(&gateway) as _).await?;
    let mut outage = Outage {
        place,
        rig,
        clock,
        gateway,
        peak: Peak(0.0),
    };
    let mut measures = Measures::new();
    let loops = outage.rig.start();
    outage.away(&mut measures).await?;
    outage.found(&mut measures).await?;
    let from = outage.drained(&mut measures).await?;
    loops.stop().await?;
    let (gateway, rig) = (outage.gateway, outage.rig);
    rig.close().await?;
    let dues = |enrollment| due(place, enrollment).unwrap_or_default();
    order::judge(&gateway.taken(), place, from, &dues, &mut measures);
    Ok(measures)
}

impl Outage<'_> {
    /// A step of time: put ahead on a file; on a server, whose own clock is asked, it passes.
    async fn step(&mut self) -> Result<()> {
        if self.place.is_on_server() {
            tokio::time::sleep(STEP).await;
        } else {
            self.clock.jump(STEP);
            self.rig.wake().await?;
            tokio::time::sleep(SEEN_AFTER).await;
        }
        self.peak.look()?;
        Ok(())
    }

    async fn away(&mut self, measures: &mut Measures) -> Result<()> {
        let start = self.peak.look()?;
        let (from, before) = (self.clock.machine(), process::cpu_seconds()?);
        let until = from + SignedDuration::from_secs(i64::try_from(self.place.away)?);
        while self.clock.machine() < until {
            self.step().await?;
        }
        let minutes = per_minute(&self.gateway.tried(), from);
        let tried: u64 = minutes.iter().sum();
        add(measures, "away_tried", number(tried));
        let first = minutes.first().copied().unwrap_or_default();
        add(measures, "away_first_minute", number(first));
        let later = minutes.iter().skip(1).max().copied().unwrap_or_default();
        add(measures, "away_later_minute", number(later));
        add(measures, "away_cpu", process::cpu_seconds()? - before);
        add(measures, "memory_start", start);
        add(measures, "memory_away_peak", self.peak.0);
        add(measures, "memory_away_end", self.peak.look()?);
        Ok(())
    }

    /// The gateway is back: until its breaker has found that.
    async fn found(&mut self, measures: &mut Measures) -> Result<()> {
        self.gateway.go_away(false);
        let back = self.clock.machine();
        let seconds = |clock: &Shifted| clock.machine().duration_since(back).as_secs_f64();
        while self.gateway.count() == 0 {
            if seconds(&self.clock) > FOUND_WITHIN.as_secs_f64() {
                bail!("the gateway is back, and was not tried for {FOUND_WITHIN:?}");
            }
            self.step().await?;
        }
        add(measures, "found_after_s", seconds(&self.clock));
        Ok(())
    }

    /// In real time from here on: the instant from which it counts.
    async fn drained(&mut self, measures: &mut Measures) -> Result<i64> {
        let (all, from) = (self.place.customers, self.clock.machine());
        let (begun, before) = (Instant::now(), process::cpu_seconds()?);
        self.peak = Peak(0.0);
        let (peak, gateway) = (&mut self.peak, &self.gateway);
        let (counted, mut quarter) = (gateway.count(), None);
        rig::until("the drain", async || {
            let (now, count) = (peak.look()?, gateway.count());
            if count >= counted + (all - counted) / 4 {
                quarter.get_or_insert(now);
            }
            Ok((count >= all, count))
        })
        .await?;
        let quarter = quarter.unwrap_or(self.peak.0);
        add(measures, "memory_drain_quarter", quarter);
        add(measures, "memory_drain_growth", self.peak.0 / quarter);
        add(measures, "memory_drain_peak", self.peak.0);
        add(measures, "memory_end", self.peak.look()?);
        let share = (process::cpu_seconds()? - before) / begun.elapsed().as_secs_f64();
        add(measures, "drain_cpu_percent", share * 100.0);
        Ok(from.as_microsecond())
    }
}

/// How many attempts each minute had.
fn per_minute(tried: &[i64], from: Timestamp) -> Vec<u64> {
    let mut minutes = Vec::new();
    for at in tried {
        let micros = (at - from.as_microsecond()).max(0);
        let minute = usize::try_from(micros / 60_000_000).unwrap_or_default();
        if minutes.len() <= minute {
            minutes.resize(minute + 1, 0);
        }
        minutes[minute] += 1;
    }
    minutes
}
