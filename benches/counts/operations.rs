//! Owns the operations: each is what one process does beyond another one.

use std::any::Any;
use std::sync::Arc;

use anyhow::{Result, bail};

use drumbeat::clock::ManualClock;
use drumbeat::customers::import::{ImportRequest, import};
use drumbeat::customers::reading::Input;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::engine::{Beat, Enroller};
use drumbeat::store::Store;

use crate::place::Place;
use crate::prepared::{CUSTOMERS, ROWS, Start};
use crate::rig::{self, Rig, Wire};
use crate::wave::Wave;
use crate::workload::{ONBOARDING, SHARE};

/// What one process does, from what it finds to where it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Run {
    /// Opens an empty store.
    Empty,
    /// Imports everybody into it.
    Imported,
    /// Opens a store of customers who are not enrolled.
    Known,
    /// Enrolls the segment's members.
    Enrolled,
    /// Opens a store of enrollments that are due.
    Waiting,
    /// Claims their messages.
    Claimed,
    /// Renders them too.
    Rendered,
    /// Hands them over and settles what the gateway says.
    Settled,
}

/// An operation is what is done `from` one run `to` another, so many times.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Of what one is counted.
    pub(crate) each: &'static str,
    pub(crate) from: Run,
    pub(crate) to: Run,
    pub(crate) times: u64,
}

const MEMBERS: u64 = CUSTOMERS / SHARE;
pub(crate) const OPERATIONS: [Operation; 5] = [
    Operation::new("import", "customer", (Run::Empty, Run::Imported), ROWS),
    Operation::new("enroll", "member", (Run::Known, Run::Enrolled), MEMBERS),
    Operation::new("decide", "message", (Run::Waiting, Run::Claimed), MEMBERS),
    Operation::new("render", "message", (Run::Claimed, Run::Rendered), MEMBERS),
    Operation::new("settle", "message", (Run::Rendered, Run::Settled), MEMBERS),
];

impl Operation {
    const fn new(
        name: &'static str,
        each: &'static str,
        (from, to): (Run, Run),
        times: u64,
    ) -> Self {
        Self {
            name,
            each,
            from,
            to,
            times,
        }
    }
}

impl Run {
    pub(crate) const ALL: [Self; 8] = [
        Self::Empty,
        Self::Imported,
        Self::Known,
        Self::Enrolled,
        Self::Waiting,
        Self::Claimed,
        Self::Rendered,
        Self::Settled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Imported => "imported",
            Self::Known => "known",
            Self::Enrolled => "enrolled",
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Rendered => "rendered",
            Self::Settled => "settled",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|run| run.name() == name)
    }

    /// What it finds.
    pub(crate) fn start(self) -> Start {
        match self {
            Self::Empty | Self::Imported => Start::Empty,
            Self::Known | Self::Enrolled => Start::Known,
            Self::Waiting | Self::Claimed | Self::Rendered | Self::Settled => Start::Due,
        }
    }
}

/// Does it; what is still open then is given back.
pub(crate) async fn run(run: Run, place: &Place) -> Result<Box<dyn Any>> {
    if run.start() == Start::Empty {
        let store = rig::open_store(place).await?;
        take(&store, place, run == Run::Imported).await?;
        return Ok(Box::new(store));
    }
    let rig = Rig::open(place, &[ONBOARDING], Wire::None, 0).await?;
    match run {
        Run::Enrolled => enroll(&rig, MEMBERS).await?,
        Run::Waiting | Run::Claimed | Run::Rendered | Run::Settled => {
            return Ok(Box::new(Wave::new(rig, MEMBERS)?.run(run).await?));
        }
        Run::Empty | Run::Imported | Run::Known => {}
    }
    Ok(Box::new(rig))
}

/// Publishes the shared files, and imports everybody if that is wanted.
pub(crate) async fn take(store: &Store, place: &Place, imports: bool) -> Result<()> {
    let published = rig::publish(store, place, &[], rig::day(0)?).await?;
    if !imports {
        return Ok(());
    }
    let request = ImportRequest {
        input: Input {
            path: place.csv(),
            ..Input::default()
        },
        ..ImportRequest::default()
    };
    let (by, clock) = (
        By::new(Actor::named("counts"), Source::CommandLine),
        ManualClock::new(rig::day(0)?),
    );
    let revision = &published.revision;
    let report = import(store, revision, &request, &by, &clock, &|_| {}).await?;
    if report.created != place.customers {
        bail!(
            "{} customers were created of {}",
            report.created,
            place.customers
        );
    }
    Ok(())
}

/// Enrolls until nothing is left to look at. An enroller examines as much at a time as it was fast
/// before: so that the clock on the wall counts for nothing, each pass has a new one.
pub(crate) async fn enroll(rig: &Rig, expected: u64) -> Result<()> {
    let mut enrolled = 0;
    loop {
        let enroller = Enroller::new(Arc::clone(&rig.engine));
        let (pass, beat) = enroller.run_once().await?;
        enrolled += pass.enrolled;
        if beat != Beat::Now {
            break;
        }
    }
    if enrolled != expected {
        bail!("{enrolled} were enrolled, not {expected}");
    }
    Ok(())
}
