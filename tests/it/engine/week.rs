//! Owns a week of traffic over segments of every kind: what is kept up change by change and edge by
//! edge is what a full examination finds, night after night.

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Status;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::subscription::{Consent, Scope};
use drumbeat::engine::reconcile;
use drumbeat::store::Dialect;
use jiff::SignedDuration;
use xxhash_rust::xxh3::xxh3_64;

use super::rig::Rig;
use super::written::{any, email, flow, flow_over, sms};

const PEOPLE: u64 = 200;
const DAYS: u64 = 7;
/// So many things happen in each stretch of hours.
const HAPPENINGS: u64 = 12;

const SETTINGS: &str = "\
workspace: bank
database: sqlite://var/drumbeat.db
listen: \"127.0.0.1:0\"
zone: Europe/Paris
public-url: https://bank.example
";

const SEGMENTS: &str = "\
segment: lyon
where: { field: city, is: Lyon }
---
segment: settled-in
where: { all: [ { segment: lyon }, { not: { field: joined_on, within-last: 5d } } ] }
---
segment: lively
where: { any: [ { did: login, within-last: 30h }, { did: email-sent, within-last: 2d } ] }
---
segment: quiet
where: { all: [ { not: { segment: lively } }, { not: { in-flow: hello } }, { segment: lyon } ] }
";

/// A name, what its segment is, and more keys.
const FLOWS: [(&str, &str, &str); 14] = [
    ("settling", "segment: settled-in", ""),
    (
        "lively",
        "segment: lively",
        "entry: { reentry: every-requalification }",
    ),
    (
        "quiet",
        "segment: quiet",
        "entry: { reentry: every-requalification }",
    ),
    ("fresh", "segment: { where: { rating: new } }", ""),
    ("frequent", "segment: { where: { rating: frequent } }", ""),
    ("dormant", "segment: { where: { rating: dormant } }", ""),
    (
        "birthday",
        "segment: { where: { field: born_on, anniversary: { within-next: 2d } } }",
        "",
    ),
    (
        "exact",
        "segment: { where: { any: [ { field: joined_on, exactly-ago: 3d }, \
         { field: joined_on, within-next: 2d } ] } }",
        "entry: { reentry: every-requalification }\nexit: { on-leaving-segment: true }",
    ),
    (
        "slow",
        "segment: { where: { last-activity: { older-than: 36h } } }",
        "exit: { when: { did: login, within-last: 5h } }",
    ),
    (
        "engaged",
        "segment: { where: { last-engagement: { within-last: 20h } } }",
        "",
    ),
    (
        "old",
        "segment: { where: { created: { older-than: 50h } } }",
        "",
    ),
    (
        "free",
        "segment: { where: { all: [ { subscribed: { category: news } }, \
         { consent: { email: opted-in } }, { not: { status: discarded } } ] } }",
        "",
    ),
    (
        "rich",
        "segment: { where: { all: [ { field: points, at-least: 50 }, { random: 60% } ] } }",
        "exit: { when: { field: points, less-than: 20 } }",
    ),
    (
        "both",
        "segment: { where: { any: [ { in-flow: settling }, { all: [ { in-flow: rich }, \
         { did: conversion, at-least: 2, within-last: 4d } ] } ] } }",
        "entry: { reentry: every-requalification }\nexit: { on-leaving-segment: true }",
    ),
];

/// These send nothing: a message is an activity, and would hide what time does to the inactive.
const SILENT: [&str; 6] = ["fresh", "frequent", "dormant", "slow", "old", "exact"];

async fn start() -> Rig {
    let hello = flow(
        "hello",
        "{ all: [ { created: { within-last: 3d } }, { field: points, less-than: 30 } ] }",
        "",
        &[email("hello", "after: 6h"), sms("text", "after: 1d")],
    );
    let flows = FLOWS.map(|(id, segment, more)| {
        let mut steps = vec![any("wait", "after: 7h")];
        if !SILENT.contains(&id) {
            steps.push(email("mail", "after: 20h"));
        }
        let text = flow_over(id, segment, &format!("category: news\n{more}"), &steps);
        (format!("flows/{id}.yaml"), text)
    });
    let mut files = vec![
        ("drumbeat.yaml", SETTINGS),
        ("flows/s.yaml", SEGMENTS),
        ("flows/hello.yaml", &hello),
    ];
    files.extend(
        flows
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    // Two days before the night in which summer time begins.
    Rig::start_at("2026-03-27T09:20:00Z", &files).await
}

fn number(of: &[u64]) -> u64 {
    let bytes: Vec<u8> = of.iter().flat_map(|number| number.to_le_bytes()).collect();
    xxh3_64(&bytes)
}

impl Rig {
    async fn did_ago(&self, customer: &str, kind: Kind, hours: i64) {
        let at = self.now() - SignedDuration::from_hours(hours);
        let line = Interaction::new(self.id(customer).await, at, kind);
        self.store.record(&[line]).await.unwrap();
    }

    async fn happens(&self, chance: u64) {
        let id = format!("c{}", chance / 1_000 % PEOPLE);
        let more = chance / 1_000_000;
        let day = more % 12 + 20;
        match chance % 17 {
            0 | 1 => self.set(&id, "city=Lyon").await,
            2 => self.set(&id, "city=Rome").await,
            3 | 4 => self.set(&id, &format!("points={}", more % 80)).await,
            5 => self.set(&id, &format!("joined_on=2026-03-{day}")).await,
            6 => self.set(&id, "joined_on=").await,
            7 => self.set(&id, &format!("born_on=1980-03-{day}")).await,
            8 | 9 => self.did(&id, Kind::Login).await,
            10 => self.did(&id, Kind::Conversion).await,
            11 => {
                self.did_ago(&id, Kind::EmailOpened, i64::try_from(more % 60).unwrap())
                    .await;
            }
            12 => self.consent(&id, Channel::Email, Consent::OptedIn).await,
            13 => {
                self.consent(&id, Channel::Email, Consent::Unsubscribed)
                    .await;
            }
            14 => self.give_up(&id).await,
            15 => self.other_status(&id, more).await,
            _ => {
                self.customer(&format!("n{more}"), "city=Lyon, joined_on=2026-03-29")
                    .await;
            }
        }
    }

    async fn give_up(&self, customer: &str) {
        let news = Scope {
            category: Some("news".to_owned()),
            ..Scope::default()
        };
        let (id, by) = (self.id(customer).await, super::people::by());
        if !self
            .store
            .unsubscribe(id, &news, &by, self.now())
            .await
            .unwrap()
        {
            self.resubscribe(customer, &news).await;
        }
    }

    async fn other_status(&self, customer: &str, more: u64) {
        let status = Status::ALL[usize::try_from(more % 3).unwrap()];
        let (id, by) = (self.id(customer).await, super::people::by());
        let set = self.store.set_status(id, status, &by, self.now());
        set.await.unwrap();
    }
}

#[tokio::test]
async fn after_each_night_of_a_week_of_traffic_nothing_differs() {
    let mut rig = start().await;
    for n in 0..PEOPLE {
        let (city, points) = (["Lyon", "Rome"][usize::try_from(n % 2).unwrap()], n % 90);
        let (joined, born) = (n % 14 + 15, n % 28 + 1);
        let fields = format!(
            "city={city}, points={points}, joined_on=2026-03-{joined}, born_on=1975-03-{born:02}"
        );
        rig.customer(&format!("c{n}"), &fields).await;
        // Activity on both sides of every rating's bounds.
        let hours = i64::try_from(n % 60).unwrap() * 50;
        rig.did_ago(&format!("c{n}"), Kind::Login, hours).await;
    }
    rig.settle().await;
    for day in 0..DAYS {
        for stretch in 0..6 {
            for n in 0..HAPPENINGS {
                rig.happens(number(&[day, stretch, n])).await;
            }
            rig.advance("4h").await;
        }
        assert_eq!(
            reconcile(rig.engine()).await.unwrap(),
            0,
            "after {day} days"
        );
    }
    assert!(rig.sent().len() > 200);
    let entered = "SELECT count(DISTINCT flow) FROM enrollments";
    assert_eq!(rig.number(entered).await, 15, "every flow was entered");
    // Indexed, so that no edge is looked for among everybody.
    let indexes = match rig.home.dialect() {
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name LIKE 'time%'",
        Dialect::Postgres | Dialect::Citus => {
            "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'time%'"
        }
    };
    assert_eq!(rig.number(indexes).await, 8);
}
