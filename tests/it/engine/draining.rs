//! Owns the tests of a backlog that drains through a paced channel: the daemon's own claimers, in real time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use drumbeat::domain::channel::{Channel, Lane};
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::ids::{Bucket, STRIPE, Share};
use drumbeat::domain::value::Value;
use drumbeat::engine::{CLAIMERS, Claimer, Done, Pulse, Settler, beat};
use drumbeat::store::NewCustomer;
use jiff::SignedDuration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outbox::Try;
use super::rig::Rig;
use super::written::{EMAIL, LYON, email, flow};
use crate::rig::port;

/// The claimers and the settler, until everything is sent.
struct Loops {
    settler: Settler,
    stop: CancellationToken,
    claiming: TaskTracker,
    writing: tokio::task::JoinHandle<()>,
}

impl Loops {
    fn start(rig: &Rig) -> Self {
        let (engine, stop) = (rig.engine(), CancellationToken::new());
        let (settler, outcomes): (_, UnboundedReceiver<Done>) = Settler::new(Arc::clone(engine));
        let writing = tokio::spawn(Settler::write(Arc::clone(engine), outcomes));
        let claiming = TaskTracker::new();
        for share in Share::all(CLAIMERS) {
            let claimer = Claimer::new(Arc::clone(engine), settler.clone(), share);
            let claimer = Arc::new(claimer);
            let run_once = move || {
                let claimer = Arc::clone(&claimer);
                async move { claimer.run_once().await }
            };
            claiming.spawn(beat("claim", Pulse::silent(), stop.clone(), run_once));
        }
        Self {
            settler,
            stop,
            claiming,
            writing,
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.settler.drained().await;
        self.claiming.close();
        self.claiming.wait().await;
        drop(self.settler);
        self.writing.await.unwrap();
    }
}

async fn until(rig: &Rig, tries: &mut Vec<Try>, is_reached: impl Fn(&[Try]) -> bool) {
    let look = || {
        tries.extend(rig.outbox.take());
        is_reached(tries).then_some(())
    };
    port::eventually("messages", look).await;
}

fn customer(name: &str) -> NewCustomer {
    let text = |text: String| Some(FieldValue::One(Value::Text(text)));
    NewCustomer {
        external_id: name.to_owned(),
        fields: vec![
            ("email".to_owned(), text(format!("{name}@bank.example"))),
            ("city".to_owned(), text("Lyon".to_owned())),
        ],
    }
}

/// All of them have a message that is due by now.
async fn backlog(channel: &str, customers: &[String]) -> Rig {
    let flow = flow("f", LYON, "", &[email("hello", "after: 1h")]);
    let channel = format!("{EMAIL}{channel}\n");
    let files = [
        ("channels/email.yaml", channel.as_str()),
        ("flows/f.yaml", &flow),
    ];
    let mut rig = Rig::start(&files).await;
    let customers: Vec<_> = customers.iter().map(|name| customer(name)).collect();
    rig.upsert(&customers).await;
    rig.settle().await;
    rig.sleep("1h");
    rig
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n}")).collect()
}

/// The most that went within any such span.
fn most_in(tries: &[Try], span: Duration) -> usize {
    let within = |from: usize| {
        let later = tries[from..].iter();
        later
            .take_while(|one| one.instant.duration_since(tries[from].instant) < span)
            .count()
    };
    (0..tries.len()).map(within).max().unwrap()
}

const TENTH: Duration = Duration::from_millis(100);
/// What a tenth of a second may hold of 200 a second, with what timers and turns may shift.
const EVENLY: RangeInclusive<usize> = 15..=25;

#[tokio::test]
async fn a_backlog_goes_evenly_at_the_pace() {
    let rig = backlog("pace: 200 per second", &names(150)).await;
    let (begun, loops, mut tries) = (Instant::now(), Loops::start(&rig), Vec::new());
    until(&rig, &mut tries, |tries| tries.len() == 150).await;
    loops.stop().await;
    assert!(begun.elapsed() > Duration::from_millis(149 * 5 - 15));
    let most = most_in(&tries, TENTH);
    assert!(EVENLY.contains(&most), "{most}");
}

#[tokio::test]
async fn what_a_slow_commit_held_up_is_no_burst_afterwards() {
    let rig = backlog("pace: 200 per second", &names(150)).await;
    let (loops, mut tries) = (Loops::start(&rig), Vec::new());
    until(&rig, &mut tries, |tries| tries.len() >= 20).await;
    let lock = rig.home.lock("dispatches").await;
    let is_quiet = |tries: &[Try]| {
        let last = tries.last().map(|last| last.instant.elapsed());
        last.is_some_and(|ago| ago > 3 * TENTH)
    };
    until(&rig, &mut tries, is_quiet).await;
    let before = tries.len();
    assert!(before < 150);
    lock.release().await;
    until(&rig, &mut tries, |tries| tries.len() == 150).await;
    loops.stop().await;
    let most = most_in(&tries[before..], TENTH);
    assert!(EVENLY.contains(&most), "{most}");
    let most = most_in(&tries, TENTH);
    assert!(EVENLY.contains(&most), "{most}");
}

/// So many customers whose buckets are those of one claimer.
fn of_share(index: u16, count: usize) -> Vec<String> {
    let is_own = |name: &String| Bucket::of(name).0 / STRIPE % CLAIMERS == index;
    let names = (0..).map(|n| format!("c{n}")).filter(is_own);
    names.take(count).collect()
}

/// Spreads what each of them is due over half a minute, evenly.
async fn spread(rig: &Rig, lists: &[&[String]]) -> BTreeMap<String, i64> {
    let end = rig.now().as_microsecond();
    let mut dues = BTreeMap::new();
    for list in lists {
        let step = 30_000_000 / i64::try_from(list.len()).unwrap();
        let due = (1..).map(|n| end - n * step);
        dues.extend(list.iter().cloned().zip(due));
    }
    let mut rows = String::new();
    for (name, due) in &dues {
        let comma = if rows.is_empty() { "" } else { "," };
        write!(rows, "{comma}('{name}', {due})").unwrap();
    }
    let email = Lane::Channel(Channel::Email).number();
    let sql = format!(
        "WITH d (name, due) AS (VALUES {rows}) UPDATE enrollments SET due = (SELECT d.due FROM d \
         JOIN customers AS c ON c.external_id = d.name WHERE c.customer_id = enrollments.customer_id) \
         WHERE lane = {email}"
    );
    rig.execute(&sql).await;
    dues
}

#[tokio::test]
async fn a_backlog_goes_in_the_order_of_its_due_times_though_one_claimer_has_much_more_of_it() {
    let (long, short) = (of_share(0, 160), of_share(1, 40));
    let all = [long.as_slice(), &short].concat();
    let rig = backlog("pace: 200 per second\nslots: 8", &all).await;
    let dues = spread(&rig, &[&long, &short]).await;
    let (loops, mut tries) = (Loops::start(&rig), Vec::new());
    until(&rig, &mut tries, |tries| tries.len() == all.len()).await;
    loops.stop().await;
    let (mut latest, mut overtaken) = (i64::MIN, 0);
    for sent in &tries {
        let due = dues[&sent.message.frozen.origin.customer];
        latest = latest.max(due);
        overtaken = overtaken.max(latest - due);
    }
    // A claim is of four messages at most, which are three seconds' worth of the short list.
    let overtaken = SignedDuration::from_micros(overtaken);
    assert!(overtaken < SignedDuration::from_secs(6), "{overtaken:#}");
}
