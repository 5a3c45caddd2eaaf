//! Owns the phases of a run: each in a process of its own, so that its memory and CPU are its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use drumbeat::clock::SystemClock;
use drumbeat::customers::import::{ImportRequest, import};
use drumbeat::customers::reading::Input;
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Switch};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::subscription::Scope;
use drumbeat::domain::value::Value;
use drumbeat::store::Store;

use crate::place::Place;
use crate::raw::Raw;
use crate::rig::{self, Rig, Wire};
use crate::workload::{self, ONBOARDING};
use crate::{crowds, process, searches, told, waves};

/// What a phase measured, by name.
pub(crate) type Measures = BTreeMap<String, f64>;

/// The phases before there is a flow.
pub(crate) const BASE: &[&str] = &["import", "choices", "looked", "indexed", "searched"];
/// The phases of a flow; several nodes have only those in which they share the work, and the one before.
pub(crate) const FLOW: &[&str] = &[
    "enroll", "first", "parked", "later", "change", "advance", "places", "told", "tagged",
    "exported", "rated",
];
const OF_ONE: &[&str] = &["parked", "change", "told", "tagged", "exported", "rated"];

/// The phases of a flow with so many nodes.
pub(crate) fn of_nodes(nodes: u16) -> impl Iterator<Item = &'static str> {
    let all = FLOW.iter().copied();
    all.filter(move |phase| nodes == 1 || !OF_ONE.contains(phase))
}

/// Runs one phase; `cpu`, `peak` and `seconds` of its processes are added to what it says, and what
/// PostgreSQL's took meanwhile.
pub(crate) async fn run(phase: &str, place: &Place) -> Result<Measures> {
    let (begun, served) = (Instant::now(), server_cpu(place)?);
    let mut measures = match phase {
        "import" => imported(place).await?,
        "choices" => choices(place).await?,
        "looked" => looked_at(place).await?,
        "indexed" => searches::indexed(place).await?,
        "searched" => searches::searched(place).await?,
        "enroll" => enrolled(place).await?,
        "first" => waves::first(place).await?,
        "parked" => parked(place).await?,
        "later" => waves::later(place).await?,
        "change" => changes(place).await?,
        "advance" => waves::at_once(place).await?,
        "places" => waves::places(place).await?,
        "told" => told::told(place).await?,
        "tagged" => crowds::tagged(place).await?,
        "exported" => crowds::exported(place).await?,
        "rated" => crowds::rated(place).await?,
        _ => bail!("`{phase}` is not a phase"),
    };
    add(&mut measures, "seconds", begun.elapsed().as_secs_f64());
    *measures.entry("cpu".to_owned()).or_insert(0.0) += process::cpu_seconds()?;
    let peak = measures.entry("peak".to_owned()).or_insert(0.0);
    *peak = peak.max(process::peak_megabytes()?);
    if place.server.is_some() {
        add(&mut measures, "server_cpu", server_cpu(place)? - served);
    }
    Ok(measures)
}

/// CPU seconds of all of PostgreSQL's processes so far.
fn server_cpu(place: &Place) -> Result<f64> {
    let server = place.server.as_ref();
    server.map_or(Ok(0.0), |server| process::family_cpu_seconds(server.pid))
}

/// What PostgreSQL's processes hold now.
pub(crate) fn add_server_memory(place: &Place, measures: &mut Measures) -> Result<()> {
    if let Some(server) = &place.server {
        let memory = process::family_megabytes(server.pid)?;
        let most = measures.entry("server_memory".to_owned()).or_insert(0.0);
        *most = most.max(memory);
    }
    Ok(())
}

pub(crate) fn add(measures: &mut Measures, name: &str, value: f64) {
    measures.insert(name.to_owned(), value);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^52"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

pub(crate) fn by() -> By {
    By::new(Actor::named("benchmark"), Source::CommandLine)
}

async fn database_bytes(place: &Place) -> Result<f64> {
    Raw::open(place).await?.bytes().await
}

async fn imported(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let published = rig::publish(&store, place, &[], rig::day(0)?).await?;
    let request = ImportRequest {
        input: Input {
            path: place.csv(),
            ..Input::default()
        },
        ..ImportRequest::default()
    };
    let begun = Instant::now();
    let report = import(
        &store,
        &published.revision,
        &request,
        &by(),
        &SystemClock,
        &|_| {},
    )
    .await?;
    let seconds = begun.elapsed().as_secs_f64();
    if report.created != place.customers {
        bail!(
            "{} customers were created of {}",
            report.created,
            place.customers
        );
    }
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(place.customers) / seconds);
    add_server_memory(place, &mut measures)?;
    store.close().await;
    Ok(measures)
}

async fn id(store: &Store, customer: u64) -> Result<CustomerId> {
    let name = workload::name(customer);
    let id = store.customer_id(&name).await?;
    id.with_context(|| format!("there is no customer `{name}`"))
}

/// One percent of the segment switches e-mail off, another unsubscribes from the flow's category.
async fn choices(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let (by, at) = (by(), rig::day(0)?);
    let category = Scope {
        category: Some(workload::CATEGORY.to_owned()),
        ..Scope::default()
    };
    let begun = Instant::now();
    let mut chosen = 0;
    for customer in (0..place.customers).filter(|i| workload::is_gold(*i)) {
        let switched_off = workload::is_switched_off(customer);
        if switched_off {
            let switch = Switch::Channel(Channel::Email);
            store
                .set_switch(id(&store, customer).await?, switch, false, &by, at)
                .await?;
        } else if workload::is_unsubscribed(customer) {
            store
                .unsubscribe(id(&store, customer).await?, &category, &by, at)
                .await?;
        } else {
            continue;
        }
        chosen += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await;
    Ok(Measures::from([(
        "rate".to_owned(),
        number(chosen) / seconds,
    )]))
}

/// The daemon looks at everybody who was imported, before any flow is there.
async fn looked_at(place: &Place) -> Result<Measures> {
    let rig = Rig::open(place, &[], Wire::Real, 0).await?;
    let (_, seconds) = rig.enroll(0).await?;
    rig.close().await?;
    let mut measures = Measures::new();
    let customers = number(place.customers);
    add(&mut measures, "rate", customers / seconds);
    let bytes = database_bytes(place).await?;
    add(&mut measures, "database", bytes);
    add(&mut measures, "bytes", bytes / customers);
    Ok(measures)
}

async fn enrolled(place: &Place) -> Result<Measures> {
    let before = database_bytes(place).await?;
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 0).await?;
    let members = workload::members(place.customers);
    let (enrolled, _) = rig.enroll(members).await?;
    rig.close().await?;
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(members) / enrolled);
    add(
        &mut measures,
        "bytes",
        (database_bytes(place).await? - before) / number(members),
    );
    Ok(measures)
}

/// A start over enrollments that sleep: until its loops have turned once, and what it takes then.
async fn parked(place: &Place) -> Result<Measures> {
    let begun = Instant::now();
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 0).await?;
    let loops = rig.start();
    let start = rig.finished(begun).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut measures = Measures::new();
    add(&mut measures, "start", start);
    idle(place, &mut measures).await?;
    add(&mut measures, "memory", process::megabytes()?);
    add_server_memory(place, &mut measures)?;
    loops.stop().await?;
    rig.close().await?;
    Ok(measures)
}

/// What is taken while nothing is due: CPU, and what a server writes to its log.
async fn idle(place: &Place, measures: &mut Measures) -> Result<()> {
    let mut raw = Raw::open(place).await?;
    let (begun, logged) = (Instant::now(), raw.logged().await?);
    let (ours, served) = (process::cpu_seconds()?, server_cpu(place)?);
    tokio::time::sleep(place.idle).await;
    let (ours, served) = (process::cpu_seconds()? - ours, server_cpu(place)? - served);
    let (logged, seconds) = (raw.logged().await? - logged, begun.elapsed().as_secs_f64());
    add(measures, "idle_percent", ours * 100.0 / seconds);
    if place.server.is_some() {
        add(measures, "server_idle_percent", served * 100.0 / seconds);
        add(measures, "logged", logged / 1024.0 / seconds);
    }
    Ok(())
}

/// Changes one customer after the other, and asks the database until each is enrolled.
async fn changes(place: &Place) -> Result<Measures> {
    const A_SECOND: u64 = 25;
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 5).await?;
    let loops = rig.start();
    rig.finished(Instant::now()).await?;
    let mut raw = Raw::open(place).await?;
    let model = rig.engine.catalog().revision().data_model.clone();
    let gold = [(
        "tier".to_owned(),
        Some(FieldValue::One(Value::Text("gold".to_owned()))),
    )];
    let mut ticks = tokio::time::interval(Duration::from_millis(1000 / A_SECOND));
    let mut waits = Vec::new();
    for n in 0..place.changes.min(place.customers / 10) {
        let store = &rig.engine.store;
        let customer = id(store, workload::latecomer(n)).await?;
        ticks.tick().await;
        store
            .set_fields(customer, &gold, &model, &by(), rig::day(5)?)
            .await?;
        waits.push(enrolled_after(&mut raw, customer).await?);
    }
    loops.stop().await?;
    rig.close().await?;
    waits.sort_by(f64::total_cmp);
    let mut measures = Measures::new();
    add(&mut measures, "p50", waits[waits.len() / 2]);
    add(&mut measures, "p99", waits[waits.len() * 99 / 100]);
    Ok(measures)
}

/// Milliseconds until the customer's enrollment is there for another connection, to a millisecond.
async fn enrolled_after(raw: &mut Raw, customer: CustomerId) -> Result<f64> {
    let changed = Instant::now();
    while changed.elapsed() < Duration::from_secs(20) {
        if raw.is_enrolled(customer).await? {
            return Ok(changed.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    bail!("the customer {} is not enrolled", customer.0)
}
