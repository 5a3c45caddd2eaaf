//! Owns the phases that several nodes share: messages through the wires and without one, and waiting places.

use anyhow::{Result, bail};

use crate::crew::{Crew, Order, Post};
use crate::phases::{Measures, add, add_server_memory, number};
use crate::place::Place;
use crate::raw::Raw;
use crate::rig::{Rig, Wire};
use crate::sink;
use crate::workload::{self, AT_ONCE, ONBOARDING, PLACES};

fn post(flow: &str, wire: Wire, day: i64) -> Post {
    Post {
        flow: flow.to_owned(),
        wire,
        day,
    }
}

pub(crate) async fn first(place: &Place) -> Result<Measures> {
    let mut crew = Crew::start(place, &post(ONBOARDING, Wire::Real, 0)).await?;
    let mut measures = Measures::new();
    wave(&mut crew, place, "smtp", &mut measures).await?;
    stop(crew, &mut measures).await?;
    Ok(measures)
}

pub(crate) async fn later(place: &Place) -> Result<Measures> {
    let mut crew = Crew::start(place, &post(ONBOARDING, Wire::Real, 2)).await?;
    let mut measures = Measures::new();
    wave(&mut crew, place, "http", &mut measures).await?;
    crew.order(Order::Days(2)).await?;
    wave(&mut crew, place, "smtp", &mut measures).await?;
    stop(crew, &mut measures).await?;
    let mut raw = Raw::open(place).await?;
    let (finished, members) = (raw.finished().await?, workload::members(place.customers));
    if finished != members {
        bail!("{finished} have finished, not {members}");
    }
    add(&mut measures, "database", raw.bytes().await?);
    Ok(measures)
}

/// Lets a wave go out, and checks what arrived.
async fn wave(crew: &mut Crew, place: &Place, wire: &str, measures: &mut Measures) -> Result<()> {
    sink::reset(place.ports).await?;
    let seconds = crew.order(Order::Wave).await?;
    add_server_memory(place, measures)?;
    let arrived = sink::arrived(place.ports).await?;
    let (mails, texts) = match wire {
        "smtp" => (workload::mails(place.customers), 0),
        _ => (0, workload::texts(place.customers)),
    };
    let right = arrived.mails == mails && arrived.texts == texts;
    if !right || arrived.doubled + arrived.forbidden > 0 {
        bail!("of {mails} mails and {texts} texts the sink has {arrived:?}");
    }
    add(measures, wire, number(mails + texts) / seconds);
    add(
        measures,
        &format!("{wire}_arrivals"),
        number(mails + texts) / arrived.span.max(0.001),
    );
    Ok(())
}

/// Lets the nodes leave, and adds what they took: `peak` is the largest one's.
async fn stop(crew: Crew, measures: &mut Measures) -> Result<()> {
    let taken = crew.stop().await?;
    add(measures, "cpu", taken.iter().map(|node| node.cpu).sum());
    add(
        measures,
        "nodes_memory",
        taken.iter().map(|node| node.peak).sum(),
    );
    let largest = taken.iter().map(|node| node.peak).fold(0.0, f64::max);
    add(measures, "peak", largest);
    Ok(())
}

/// Enrollments of the flow so far: the segment's first members, and those who came into it later.
pub(crate) fn members_now(place: &Place) -> u64 {
    workload::members(place.customers) + place.changes.min(place.customers / 10)
}

/// Enrolls them into another flow, on one node; in seconds.
async fn enroll(place: &Place, flow: &str, day: i64) -> Result<f64> {
    let rig = Rig::open(place, &[flow], Wire::None, day).await?;
    let (enrolled, _) = rig.enroll(members_now(place)).await?;
    rig.close().await?;
    Ok(enrolled)
}

/// The whole flow again, with a gateway that accepts at once.
pub(crate) async fn at_once(place: &Place) -> Result<Measures> {
    let (members, enrolled) = (members_now(place), enroll(place, AT_ONCE, 10).await?);
    let mut crew = Crew::start(place, &post(AT_ONCE, Wire::None, 10)).await?;
    let mut seconds = crew.order(Order::Wave).await?;
    for _ in 0..2 {
        crew.order(Order::Days(2)).await?;
        seconds += crew.order(Order::Wave).await?;
    }
    let mut measures = Measures::new();
    add_server_memory(place, &mut measures)?;
    stop(crew, &mut measures).await?;
    add(&mut measures, "enroll_rate", number(members) / enrolled);
    add(&mut measures, "rate", number(members * 3) / seconds);
    Ok(measures)
}

/// Three waiting places, claimed without anything beside.
pub(crate) async fn places(place: &Place) -> Result<Measures> {
    let members = members_now(place);
    enroll(place, PLACES, 20).await?;
    let mut crew = Crew::start(place, &post(PLACES, Wire::None, 20)).await?;
    let mut seconds = 0.0;
    for _ in 0..3 {
        crew.order(Order::Days(1)).await?;
        seconds += crew.order(Order::Claim).await?;
    }
    let mut measures = Measures::new();
    stop(crew, &mut measures).await?;
    add(&mut measures, "rate", number(members * 3) / seconds);
    Ok(measures)
}
