//! Owns the changes that arrive: so many a second, one transaction each, whether or not earlier ones
//! are done; and who sees their enrollments.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use drumbeat::clock::{Clock as _, SystemClock};
use drumbeat::customers::profiles;
use drumbeat::domain::revision::Revision;
use drumbeat::store::Store;

use crate::database::Raw;
use crate::measures::{Measures, add, milliseconds, number, spread};
use crate::people;
use crate::place::Place;
use crate::rig;

/// Changes under way at a time, as requests of an API.
const BESIDE: usize = 8;
/// The observer looks this often.
const LOOK: Duration = Duration::from_millis(2);
/// Longer than this nobody's enrollment is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Not yet due, and not claimed: a claim is due much later, when its lease is over.
const NEW: &str =
    "SELECT customer_id, due FROM enrollments WHERE lane = 2 AND due > $1 AND due <= $2";
/// The index of a server is by stripe.
const NEW_ON_SERVER: &str = "SELECT e.customer_id, e.due FROM generate_series(0, 63) AS s, \
     enrollments AS e WHERE (e.bucket >> 4) = s AND e.lane = 2 AND e.due > $1 AND e.due <= $2";
const AHEAD: i64 = 60_000_000;

/// When each customer's change was meant to begin, and was committed.
type Made = BTreeMap<i64, (Instant, Instant)>;

struct Arrivals {
    place: Place,
    store: Store,
    revision: Revision,
    begun: Instant,
    next: AtomicU64,
    made: Mutex<Made>,
    lags: Mutex<Vec<f64>>,
}

/// Changes and watches, in this process; waits of the changes and of the enrollments, in milliseconds.
pub(crate) async fn run(place: &Place, store: &Store, revision: &Revision) -> Result<Measures> {
    let arrivals = Arc::new(Arrivals {
        place: place.clone(),
        store: store.clone(),
        revision: revision.clone(),
        begun: Instant::now(),
        next: AtomicU64::new(0),
        made: Mutex::default(),
        lags: Mutex::default(),
    });
    let expected = arrivals.expected();
    let over = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(place.url.clone(), expected, Arc::clone(&over)));
    let mut hands = Vec::new();
    for _ in 0..BESIDE {
        let arrivals = Arc::clone(&arrivals);
        hands.push(tokio::spawn(async move { arrivals.work().await }));
    }
    for hand in hands {
        hand.await??;
    }
    let seconds = arrivals.begun.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let seen = watching.await??;
    Ok(arrivals.measures(&seen, seconds))
}

impl Arrivals {
    fn expected(&self) -> u64 {
        self.place.rate * self.place.seconds
    }

    async fn work(&self) -> Result<()> {
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.expected() {
                return Ok(());
            }
            let after = Duration::from_secs(n) / u32::try_from(self.place.rate)?;
            let meant = self.begun + after;
            tokio::time::sleep_until(meant.into()).await;
            let lag = milliseconds(meant.elapsed());
            locked(&self.lags).push(lag);
            self.change(n, meant).await?;
        }
    }

    async fn change(&self, n: u64, meant: Instant) -> Result<()> {
        let customer = people::changed(self.place.first + n, self.place.customers);
        let name = people::name(customer);
        let gold = [("tier".to_owned(), "gold".to_owned())];
        let (store, now) = (&self.store, SystemClock.now());
        profiles::set_fields(store, &self.revision, &name, &gold, &rig::by(), now).await?;
        let committed = Instant::now();
        let id = store.customer_id(&name).await?.context("a customer")?;
        locked(&self.made).insert(id.0, (meant, committed));
        Ok(())
    }

    fn measures(&self, seen: &BTreeMap<i64, Instant>, seconds: f64) -> Measures {
        let (mut waits, mut whole, mut changing) = (Vec::new(), Vec::new(), Vec::new());
        let made = locked(&self.made);
        for (customer, (meant, committed)) in made.iter() {
            changing.push(milliseconds(committed.duration_since(*meant)));
            if let Some(enrolled) = seen.get(customer) {
                let since =
                    |then: &Instant| milliseconds(enrolled.saturating_duration_since(*then));
                waits.push(since(committed));
                whole.push(since(meant));
            }
        }
        let mut measures = Measures::new();
        let unseen = made.len() - waits.len();
        add(&mut measures, "unseen", number(unseen as u64));
        add(&mut measures, "changes", number(made.len() as u64));
        add(
            &mut measures,
            "arrived_per_s",
            number(made.len() as u64) / seconds,
        );
        spread(&mut measures, "change_ms", changing);
        spread(&mut measures, "enrolled_ms", waits);
        spread(&mut measures, "arrival_to_enrolled_ms", whole);
        spread(
            &mut measures,
            "late_ms",
            std::mem::take(&mut *locked(&self.lags)),
        );
        measures
    }
}

/// When each enrollment was first seen by a connection of its own: they are due in the order in which
/// they were made, and not yet when they are seen.
async fn watch(
    url: String,
    expected: u64,
    over: Arc<AtomicBool>,
) -> Result<BTreeMap<i64, Instant>> {
    let mut raw = Raw::open(&url).await?;
    let sql = if raw.is_file() { NEW } else { NEW_ON_SERVER };
    let mut newest = SystemClock.now().as_microsecond();
    let mut seen = BTreeMap::new();
    let mut ended: Option<Instant> = None;
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while seen.len() as u64 != expected && ended.is_none_or(|ended| ended.elapsed() < PATIENCE) {
        ticks.tick().await;
        let ahead = SystemClock.now().as_microsecond() + AHEAD;
        let rows = raw.pairs(sql, [newest, ahead]).await?;
        let now = Instant::now();
        for (customer, due) in rows {
            newest = newest.max(due);
            seen.entry(customer).or_insert(now);
        }
        if over.load(Ordering::Relaxed) {
            ended.get_or_insert(now);
        }
    }
    Ok(seen)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
