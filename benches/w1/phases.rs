//! Owns the phases of a run: each in a process of its own, so that its memory and CPU are its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

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
use crate::rig::{self, Rig, Wire};
use crate::workload::{self, AT_ONCE, ONBOARDING, PLACES};
use crate::{process, sink};

/// What a phase measured, by name.
pub(crate) type Measures = BTreeMap<String, f64>;

/// The phases in their order.
pub(crate) const PHASES: &[&str] = &[
    "import", "choices", "looked", "enroll", "first", "parked", "later", "change", "advance",
    "places",
];

/// Runs one phase; `cpu`, `peak` and `seconds` of the process are added to what it says.
pub(crate) async fn run(phase: &str, place: &Place) -> Result<Measures> {
    let begun = Instant::now();
    let mut measures = match phase {
        "import" => imported(place).await?,
        "choices" => choices(place).await?,
        "looked" => looked_at(place).await?,
        "enroll" => enrolled(place).await?,
        "first" => first_wave(place).await?,
        "parked" => parked(place).await?,
        "later" => later_waves(place).await?,
        "change" => changes(place).await?,
        "advance" => at_once(place).await?,
        "places" => places(place).await?,
        _ => bail!("`{phase}` is not a phase"),
    };
    add(&mut measures, "seconds", begun.elapsed().as_secs_f64());
    add(&mut measures, "cpu", process::cpu_seconds()?);
    add(&mut measures, "peak", process::peak_megabytes()?);
    Ok(measures)
}

fn add(measures: &mut Measures, name: &str, value: f64) {
    measures.insert(name.to_owned(), value);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows are far below 2^52"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

fn by() -> By {
    By::new(Actor::named("benchmark"), Source::CommandLine)
}

/// Bytes of the database's pages that hold something.
async fn database_bytes(place: &Place) -> Result<f64> {
    let used = "SELECT (page_count - freelist_count) * page_size \
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let bytes: i64 = sqlx::query_scalar(used)
        .fetch_one(&mut raw(place).await?)
        .await?;
    Ok(number(bytes.unsigned_abs()))
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
    store.close().await;
    Ok(Measures::from([(
        "rate".to_owned(),
        number(place.customers) / seconds,
    )]))
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
    rig.close().await;
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
    rig.close().await;
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(members) / enrolled);
    add(
        &mut measures,
        "bytes",
        (database_bytes(place).await? - before) / number(members),
    );
    Ok(measures)
}

async fn first_wave(place: &Place) -> Result<Measures> {
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 0).await?;
    let mut measures = Measures::new();
    wave(&rig, place, "smtp", &mut measures).await?;
    rig.close().await;
    Ok(measures)
}

/// Lets a wave go out, and checks what arrived.
async fn wave(rig: &Rig, place: &Place, wire: &str, measures: &mut Measures) -> Result<()> {
    sink::reset(place.ports).await?;
    let begun = Instant::now();
    let loops = rig.start();
    let seconds = rig.finished(begun).await?;
    loops.stop().await?;
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

/// A start over enrollments that sleep: until its loops have turned once, and what it takes then.
async fn parked(place: &Place) -> Result<Measures> {
    let begun = Instant::now();
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 0).await?;
    let loops = rig.start();
    let start = rig.finished(begun).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, idle) = (process::cpu_seconds()?, Instant::now());
    tokio::time::sleep(place.idle).await;
    let cpu = (process::cpu_seconds()? - before) / idle.elapsed().as_secs_f64();
    let mut measures = Measures::new();
    add(&mut measures, "start", start);
    add(&mut measures, "idle_percent", cpu * 100.0);
    add(&mut measures, "memory", process::megabytes()?);
    loops.stop().await?;
    rig.close().await;
    Ok(measures)
}

async fn later_waves(place: &Place) -> Result<Measures> {
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 2).await?;
    let mut measures = Measures::new();
    wave(&rig, place, "http", &mut measures).await?;
    rig.pass_days(2).await?;
    wave(&rig, place, "smtp", &mut measures).await?;
    rig.close().await;
    let mut raw = raw(place).await?;
    let finished: i64 = sqlx::query_scalar("SELECT count(*) FROM enrollments WHERE status = 10")
        .fetch_one(&mut raw)
        .await?;
    let members = workload::members(place.customers);
    if finished.unsigned_abs() != members {
        bail!("{finished} have finished, not {members}");
    }
    add(&mut measures, "database", database_bytes(place).await?);
    Ok(measures)
}

async fn raw(place: &Place) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(place.database());
    Ok(options.pragma("query_only", "ON").connect().await?)
}

/// Changes one customer after the other, and asks the store's file until each is enrolled.
async fn changes(place: &Place) -> Result<Measures> {
    const A_SECOND: u64 = 25;
    let rig = Rig::open(place, &[ONBOARDING], Wire::Real, 5).await?;
    let loops = rig.start();
    rig.finished(Instant::now()).await?;
    let mut raw = raw(place).await?;
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
    rig.close().await;
    waits.sort_by(f64::total_cmp);
    let mut measures = Measures::new();
    add(&mut measures, "p50", waits[waits.len() / 2]);
    add(&mut measures, "p99", waits[waits.len() * 99 / 100]);
    Ok(measures)
}

/// Milliseconds until the customer's enrollment is there for another connection, to a millisecond.
async fn enrolled_after(raw: &mut SqliteConnection, customer: CustomerId) -> Result<f64> {
    let changed = Instant::now();
    while changed.elapsed() < Duration::from_secs(20) {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM enrollments WHERE bucket = $1 AND customer_id = $2",
        )
        .bind(i64::from(customer.bucket().0))
        .bind(customer.0)
        .fetch_one(&mut *raw)
        .await?;
        if found > 0 {
            return Ok(changed.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    bail!("the customer {} is not enrolled", customer.0)
}

/// Enrollments of the flow so far: the segment's first members, and those who came into it later.
fn members_now(place: &Place) -> u64 {
    workload::members(place.customers) + place.changes.min(place.customers / 10)
}

/// The whole flow again, with a gateway that accepts at once.
async fn at_once(place: &Place) -> Result<Measures> {
    let rig = Rig::open(place, &[AT_ONCE], Wire::None, 10).await?;
    let members = members_now(place);
    let (enrolled, _) = rig.enroll(members).await?;
    let loops = rig.start();
    let mut seconds = 0.0;
    for wave in 0..3 {
        let begun = Instant::now();
        if wave > 0 {
            rig.pass_days(2).await?;
        }
        seconds += rig.finished(begun).await?;
    }
    loops.stop().await?;
    rig.close().await;
    let mut measures = Measures::new();
    add(&mut measures, "enroll_rate", number(members) / enrolled);
    add(&mut measures, "rate", number(members * 3) / seconds);
    Ok(measures)
}

/// Three waiting places, claimed without anything beside.
async fn places(place: &Place) -> Result<Measures> {
    let rig = Rig::open(place, &[PLACES], Wire::None, 20).await?;
    let members = members_now(place);
    rig.enroll(members).await?;
    let mut seconds = 0.0;
    for _ in 0..3 {
        rig.pass_days(1).await?;
        let begun = Instant::now();
        rig.claim_all().await?;
        seconds += begun.elapsed().as_secs_f64();
    }
    rig.close().await;
    Ok(Measures::from([(
        "rate".to_owned(),
        number(members * 3) / seconds,
    )]))
}
