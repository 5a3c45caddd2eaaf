//! Owns `drumbeat demo`: a month of a workspace's flows in half a minute, by the real daemon.

mod calendar;
mod ending;
mod events;
mod people;
mod show;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::exit::Exit;
use super::place::Place;
use super::session::{self, Session};
use super::{database, output};
use crate::clock::{Clock as _, ManualClock, SystemClock};
use crate::daemon::{self, Control, Failure, Options};
use crate::store::Store;

const STORE: &str = "sqlite://var/demo.db";
/// The name under which the store knows since when it has been a demo's.
const JOB: &str = "demo";
const IMPORTED: &str = "imported";
const DAYS: i64 = 30;

/// Lets the month after today pass, with the workspace's example customers.
///
/// Everything is real but the clock: the daemon enrolls, asks the gate, and sends by the workspace's
/// gateways. What was stopped goes on where it was.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace; `--workspace` unless given.
    dir: Option<PathBuf>,
    /// How long the month should take; work that is due is waited for.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Throws an earlier demo's store away and begins anew.
    #[arg(long)]
    again: bool,
}

/// One demo on one store.
struct Demo<'a> {
    session: &'a Session,
    workspace: &'a Path,
    /// Where the store is, as the command line takes it.
    database: &'a str,
    seconds: u32,
    from: Timestamp,
    until: Timestamp,
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    let place = Place {
        workspace: arguments
            .dir
            .clone()
            .unwrap_or_else(|| place.workspace.clone()),
        database: Some(place.database.clone().unwrap_or_else(|| STORE.to_owned())),
    };
    if arguments.again {
        clear(&place)?;
    }
    session::run(&place, async |session| {
        Box::pin(play(session, &place, arguments.seconds)).await
    })
}

/// Removes the store of an earlier demo, and no other.
fn clear(place: &Place) -> anyhow::Result<()> {
    let wanted = place.database.as_deref().unwrap_or(STORE);
    let url = database::located(wanted, &place.workspace);
    let path = PathBuf::from(url.strip_prefix("sqlite://").unwrap_or(&url));
    if !path.exists() {
        return Ok(());
    }
    let runtime = super::run::runtime()?;
    runtime.block_on(async {
        let store = Store::open(&url, &place.workspace).await?;
        let (demo, owner) = (store.last_run(JOB).await?, store.owner().await?);
        store.close().await;
        anyhow::ensure!(demo.is_some(), "`{}` is not a demo's store", path.display());
        if let Some(owner) = owner {
            anyhow::bail!("`{}` is in use by {owner}: stop it first", path.display());
        }
        Ok(())
    })?;
    for ending in ["", "-wal", "-shm", ".lock", ".handover"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
    }
    Ok(())
}

async fn play(session: &Session, place: &Place, seconds: u32) -> anyhow::Result<Exit> {
    let database = place.database.as_deref().unwrap_or(STORE);
    let from = people::begin(session, &place.workspace).await?;
    let demo = Demo {
        session,
        workspace: &place.workspace,
        database,
        seconds,
        from,
        until: from + SignedDuration::from_hours(24 * DAYS),
    };
    let saved = session.store.saved_clock().await?;
    let now = saved.map_or(from, |saved| saved.flow.max(from));
    if now >= demo.until {
        output::note("this demo is over: `--again` begins a new one");
        return ending::tell(&demo).await;
    }
    show::begin(&demo, now)?;
    let interrupted = Box::pin(run_beside(&demo, place, now)).await?;
    match interrupted {
        Ended::Over => ending::tell(&demo).await,
        Ended::Interrupted => ending::tell_how_to_go_on(&demo).await,
        Ended::Unusable(why) => {
            output::problem(why.trim_end());
            Ok(Exit::Configuration)
        }
    }
}

enum Ended {
    Over,
    Interrupted,
    Unusable(String),
}

/// The daemon and the clock that walks ahead of it, until either ends.
async fn run_beside(demo: &Demo<'_>, place: &Place, now: Timestamp) -> anyhow::Result<Ended> {
    let clock = Arc::new(ManualClock::new(now));
    save(demo, now).await?;
    let control = Control {
        clock: Some(clock.clone()),
        ..Control::default()
    };
    let options = Options {
        workspace: place.workspace.clone(),
        database: place.database.clone(),
        clock_scale: None,
        until_idle: false,
        listen: Some("off".to_owned()),
    };
    let settings = demo.session.settings.clone();
    let mut running = Box::pin(daemon::run_under(options, settings, control.clone()));
    let ended = tokio::select! {
        ended = &mut running => Some(ended),
        walked = walk::walk(demo, &clock) => {
            walked?;
            None
        }
    };
    let over = ended.is_none();
    control.stop.cancel();
    let ended = match ended {
        Some(ended) => ended,
        None => running.await,
    };
    save(demo, clock.now()).await?;
    match ended {
        Ok(()) if over => Ok(Ended::Over),
        Ok(()) => Ok(Ended::Interrupted),
        Err(Failure::Configuration(why)) => Ok(Ended::Unusable(why)),
        Err(Failure::Other(error)) => Err(error),
    }
}

/// Keeps where flow time stands, which also wakes the daemon.
async fn save(demo: &Demo<'_>, now: Timestamp) -> crate::store::Result<()> {
    let machine = SystemClock.machine();
    demo.session
        .store
        .save_clock(machine, now, 1.0, false)
        .await
}
