//! Owns what it costs to enroll one who comes to qualify, on bases of different sizes. The enroller is
//! stepped by hand: nothing waits and nothing else runs, so that only its work is measured.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use jiff::SignedDuration;

use drumbeat::clock::ManualClock;
use drumbeat::customers::profiles;
use drumbeat::engine::Enroller;

use crate::files::{DATES, INSTANTS};
use crate::gateway::Recorder;
use crate::measures::{Measures, add, milliseconds, number, spread};
use crate::people::{self, ROUNDS};
use crate::place::Place;
use crate::process;
use crate::rig::{self, Rig};

struct Stage {
    rig: Rig,
    enroller: Enroller,
    clock: Arc<ManualClock>,
    customers: u64,
}

/// Wall and CPU seconds.
type Cost = (f64, f64);

pub(crate) async fn run(place: &Place) -> Result<Measures> {
    let clock = Arc::new(ManualClock::new(people::monday()?));
    let gateway = Recorder::new(Arc::clone(&clock) as _, 0);
    let rig = Rig::open(place, Arc::clone(&clock) as _, gateway).await?;
    let enroller = Enroller::new(Arc::clone(&rig.engine));
    let members = rig.begin(&enroller).await?;
    if members > 0 {
        bail!("{members} were members before anything had changed");
    }
    let stage = Stage {
        rig,
        enroller,
        clock,
        customers: place.customers,
    };
    let mut measures = Measures::new();
    match place.variant.as_str() {
        INSTANTS => stage.instants(&mut measures).await?,
        DATES => stage.days(&mut measures).await?,
        _ => stage.changes(&mut measures).await?,
    }
    stage.rig.close().await?;
    Ok(measures)
}

impl Stage {
    /// Many changes, then one look at all of them, again and again; then changes that are looked at one
    /// by one.
    async fn changes(&self, measures: &mut Measures) -> Result<()> {
        let (together, singles) = (
            people::together(self.customers),
            people::singles(self.customers),
        );
        let (mut changing, mut costs) = (0.0, Vec::new());
        for round in 0..ROUNDS {
            let before = process::cpu_seconds()?;
            for n in 0..together {
                self.change(round * together + n).await?;
            }
            changing += process::cpu_seconds()? - before;
            costs.push(self.together().await?);
        }
        let done = together * ROUNDS;
        let change = changing / number(done);
        add_together(measures, &costs, together);
        let before = process::cpu_seconds()?;
        let mut waits = Vec::new();
        for n in done..done + singles {
            self.change(n).await?;
            waits.push(self.one().await?);
        }
        let each = (process::cpu_seconds()? - before) / number(singles);
        add(measures, "single_cpu_ms", (each - change) * 1000.0);
        add(measures, "change_cpu_ms", change * 1000.0);
        spread(measures, "single_ms", waits);
        Ok(())
    }

    /// One each minute, and many within a moment before each of the days after the next.
    async fn instants(&self, measures: &mut Measures) -> Result<()> {
        let singles = people::singles(self.customers);
        let before = process::cpu_seconds()?;
        let mut waits = Vec::new();
        for _ in 0..singles {
            self.clock.advance(SignedDuration::from_mins(1));
            waits.push(self.one().await?);
        }
        let each = (process::cpu_seconds()? - before) / number(singles);
        add(measures, "single_cpu_ms", each * 1000.0);
        spread(measures, "single_ms", waits);
        self.clock
            .set(people::monday()? + SignedDuration::from_hours(24));
        self.days(measures).await
    }

    /// Many each day.
    async fn days(&self, measures: &mut Measures) -> Result<()> {
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            self.clock.advance(SignedDuration::from_hours(24));
            costs.push(self.together().await?);
        }
        add_together(measures, &costs, people::together(self.customers));
        Ok(())
    }

    async fn change(&self, n: u64) -> Result<()> {
        let engine = &self.rig.engine;
        let catalog = engine.catalog();
        let customer = people::name(people::changed(n, self.customers));
        let gold = [("tier".to_owned(), "gold".to_owned())];
        let (at, by) = (engine.clock.now(), rig::by());
        let revision = catalog.revision();
        profiles::set_fields(&engine.store, revision, &customer, &gold, &by, at).await?;
        Ok(())
    }

    /// Milliseconds until the one who qualifies now is enrolled.
    async fn one(&self) -> Result<f64> {
        let begun = Instant::now();
        let enrolled = self.rig.enroll(&self.enroller).await?;
        let wait = begun.elapsed();
        if enrolled != 1 {
            bail!("{enrolled} were enrolled, not one");
        }
        Ok(milliseconds(wait))
    }

    async fn together(&self) -> Result<Cost> {
        let expected = people::together(self.customers);
        let (begun, before) = (Instant::now(), process::cpu_seconds()?);
        let enrolled = self.rig.enroll(&self.enroller).await?;
        let wall = begun.elapsed().as_secs_f64();
        if enrolled != expected {
            bail!("{enrolled} were enrolled, not {expected}");
        }
        Ok((wall, process::cpu_seconds()? - before))
    }
}

/// For each of the enrollments: the median of the walls, and the mean of the CPU times.
fn add_together(measures: &mut Measures, costs: &[Cost], together: u64) {
    let mut walls: Vec<f64> = costs.iter().map(|(wall, _)| *wall).collect();
    walls.sort_by(f64::total_cmp);
    let cpu: f64 = costs.iter().map(|(_, cpu)| cpu).sum();
    let all = number(together * costs.len() as u64);
    let wall = walls[walls.len() / 2] / number(together);
    add(measures, "together_ms", wall * 1000.0);
    add(measures, "together_cpu_ms", cpu * 1000.0 / all);
}
