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
use crate::people;
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
        DATES => stage.dates(&mut measures).await?,
        _ => stage.changes(&mut measures).await?,
    }
    stage.rig.close().await?;
    Ok(measures)
}

impl Stage {
    /// Many changes, then one look at all of them; then changes that are looked at one by one.
    async fn changes(&self, measures: &mut Measures) -> Result<()> {
        let (together, singles) = (
            people::together(self.customers),
            people::singles(self.customers),
        );
        let before = process::cpu_seconds()?;
        for n in 0..together {
            self.change(n).await?;
        }
        let change = (process::cpu_seconds()? - before) / number(together);
        self.together(together, measures).await?;
        let before = process::cpu_seconds()?;
        let mut waits = Vec::new();
        for n in together..together + singles {
            self.change(n).await?;
            waits.push(self.one().await?);
        }
        let each = (process::cpu_seconds()? - before) / number(singles);
        add(measures, "single_cpu_ms", (each - change) * 1000.0);
        add(measures, "change_cpu_ms", change * 1000.0);
        spread(measures, "single_ms", waits);
        Ok(())
    }

    /// One each minute, and many within seconds two days later.
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
        self.clock.advance(SignedDuration::from_hours(48));
        let together = people::together(self.customers);
        self.together(together, measures).await
    }

    /// Many at midnight.
    async fn dates(&self, measures: &mut Measures) -> Result<()> {
        self.clock.advance(SignedDuration::from_hours(24));
        let together = people::together(self.customers);
        self.together(together, measures).await
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

    async fn together(&self, expected: u64, measures: &mut Measures) -> Result<()> {
        let (wall, cpu) = self.all(expected).await?;
        add(measures, "together_ms", wall * 1000.0 / number(expected));
        add(measures, "together_cpu_ms", cpu * 1000.0 / number(expected));
        Ok(())
    }

    async fn all(&self, expected: u64) -> Result<Cost> {
        let (begun, before) = (Instant::now(), process::cpu_seconds()?);
        let enrolled = self.rig.enroll(&self.enroller).await?;
        if enrolled != expected {
            bail!("{enrolled} were enrolled, not {expected}");
        }
        let cpu = process::cpu_seconds()? - before;
        Ok((begun.elapsed().as_secs_f64(), cpu))
    }
}
