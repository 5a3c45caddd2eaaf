//! Owns the demo's clock: it goes on only when everything up to now is done, so that no stall makes a
//! message late.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::show::Show;
use super::{Demo, events, save};
use crate::clock::{Clock as _, ManualClock};
use crate::domain::channel::Lane;
use crate::domain::flow::FlowStatus;
use crate::domain::ids::NameNo;
use crate::domain::revision::NameKind;

/// Flow time goes on in steps of this while something is due: no window is shorter.
const STEP: SignedDuration = SignedDuration::from_hours(1);
/// The longest step while nothing is.
const STRIDE: SignedDuration = SignedDuration::from_hours(6);
/// How often the daemon is asked whether it has done what is due.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// Walks flow time from where it stands to the end of the month.
pub(super) async fn walk(demo: &Demo<'_>, clock: &ManualClock) -> anyhow::Result<()> {
    let segments = segments(demo);
    let events = events::planned(demo);
    let mut show = Show::new(demo);
    let (begun, begun_at) = (Instant::now(), clock.now());
    let mut shown = Instant::now();
    loop {
        done(demo, &segments, clock.now()).await?;
        let now = clock.now();
        if shown.elapsed() > SHOW_EVERY || now >= demo.until || show.is_new_day(now) {
            shown = Instant::now();
            show.progress(now).await?;
        }
        if now >= demo.until {
            show.end();
            return Ok(());
        }
        let next = next(demo, now, wanted(demo, begun_at, begun.elapsed())).await?;
        tokio::time::sleep(ahead(demo, begun_at, next, begun.elapsed())).await;
        for event in events
            .iter()
            .filter(|event| event.at > now && event.at <= next)
        {
            for line in events::happen(demo, event).await? {
                show.line(&line);
            }
        }
        clock.set(next);
        save(demo, next).await?;
    }
}

/// Waits until the daemon has done everything up to `now`.
async fn done(demo: &Demo<'_>, segments: &[NameNo], now: Timestamp) -> crate::store::Result<()> {
    while !demo.session.store.is_caught_up(segments, now).await? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// One step on; further when nothing is due for longer and the time that was asked for is passing.
async fn next(
    demo: &Demo<'_>,
    now: Timestamp,
    wanted: Timestamp,
) -> crate::store::Result<Timestamp> {
    let mut due = now + STRIDE;
    for lane in Lane::ALL {
        if let Some(at) = demo.session.store.next_due(lane).await? {
            due = due.min(at);
        }
    }
    Ok(due.min(wanted).max(now + STEP).min(demo.until))
}

/// Where flow time should be by now.
fn wanted(demo: &Demo<'_>, begun_at: Timestamp, elapsed: Duration) -> Timestamp {
    let flow = elapsed.as_secs_f64() * scale(demo);
    let flow = SignedDuration::try_from_secs_f64(flow).unwrap_or(SignedDuration::MAX);
    begun_at.checked_add(flow).unwrap_or(Timestamp::MAX)
}

/// How long it is until flow time should be `next`.
fn ahead(demo: &Demo<'_>, begun_at: Timestamp, next: Timestamp, elapsed: Duration) -> Duration {
    let should = next.duration_since(begun_at).as_secs_f64() / scale(demo);
    let should = Duration::try_from_secs_f64(should).unwrap_or_default();
    should.saturating_sub(elapsed)
}

/// Seconds of flow time in one second.
fn scale(demo: &Demo<'_>) -> f64 {
    demo.until.duration_since(demo.from).as_secs_f64() / f64::from(demo.seconds)
}

/// The segments that running flows ask about.
fn segments(demo: &Demo<'_>) -> Vec<NameNo> {
    let published = &demo.session.published;
    let flows = published.revision.flows.values();
    let mut segments: Vec<NameNo> = flows
        .filter(|flow| flow.status == FlowStatus::Active)
        .filter_map(|flow| published.numbers.number(NameKind::Segment, &flow.segment))
        .collect();
    segments.sort_unstable();
    segments.dedup();
    segments
}
