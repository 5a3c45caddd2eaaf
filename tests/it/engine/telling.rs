//! Owns the tests of outgoing webhooks: what is written down with what happens, and how it is told.

use std::sync::Arc;

use drumbeat::channels::webhook::{Place, SigningKey};
use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::{Fault, Outcome};
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::Scope;
use drumbeat::domain::webhook::Event;
use drumbeat::engine::{Beat, Teller};
use drumbeat::store::{WantedBy, WebhookState};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::rig::Rig;
use super::written::{LYON, email, flow, sms};
use crate::rig::http_script::{HttpScript, Reply, Request};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WAITING: &str = "SELECT count(*) FROM notices";

fn wanted(name: &str, events: &[&str]) -> WantedBy {
    let events = events.iter().map(|name| Event::parse(name).expect(name));
    WantedBy {
        name: name.to_owned(),
        events: events.collect(),
        settings: "first".to_owned(),
    }
}

impl Rig {
    async fn agree(&self, wanted: &[WantedBy]) {
        let dropped = self.store.set_webhooks(wanted).await.unwrap();
        assert_eq!(dropped, []);
    }

    async fn webhook(&self, name: &str) -> WebhookState {
        let all = self.store.webhooks().await.unwrap();
        all.into_iter().find(|state| state.name == name).unwrap()
    }

    async fn teller(&self, name: &str, url: &str) -> Teller {
        let key = SigningKey::read(&SecretString::from(SECRET)).unwrap();
        let here = ["127.0.0.0/8".parse().unwrap()];
        let place = Place::open(url.to_owned(), vec![key], &here).unwrap();
        let (engine, state) = (Arc::clone(self.engine()), self.webhook(name).await);
        Teller::new(engine, &state, place, CancellationToken::new())
    }

    async fn waiting(&self) -> i64 {
        self.number(WAITING).await
    }
}

/// Tells until nothing is due.
async fn run(teller: &Teller) {
    while teller.run_once().await.unwrap() == Beat::Now {}
}

fn taken(_: &Request) -> Reply {
    (204, vec![], "")
}

fn bodies(script: &HttpScript) -> Vec<Value> {
    let heard = script.heard();
    let bodies = heard.iter().map(|request| &request.body);
    bodies
        .map(|body| serde_json::from_str(body).unwrap())
        .collect()
}

fn ids(script: &HttpScript) -> Vec<String> {
    let heard = script.heard();
    let ids = heard.iter().map(|request| &request.headers["webhook-id"]);
    ids.map(|id| id.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_that_was_accepted_is_told_with_its_customer_flow_and_step() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    rig.agree(&[wanted("crm", &["dispatch.accepted"])]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    assert_eq!(rig.sent(), ["01-05 10:00 ana email hello"]);
    let script = HttpScript::start(taken).await;
    run(&rig.teller("crm", &script.url()).await).await;
    let [told] = <[Value; 1]>::try_from(bodies(&script)).unwrap();
    assert_eq!(told["type"], "dispatch.accepted");
    assert_eq!(told["timestamp"], "2026-01-05T10:00:00Z");
    let mut data = told["data"].clone();
    let dispatch = data.as_object_mut().unwrap().remove("dispatch").unwrap();
    assert_eq!(dispatch.as_str().unwrap().len(), 36);
    assert_eq!(
        data,
        json!({
            "channel": "email", "attempt": 1, "gateway_id": "q1", "detail": "250 ok", "customer": "ana",
            "flow": "f", "step": "hello",
        })
    );
    assert_eq!(rig.waiting().await, 0);
    assert_eq!(rig.webhook("crm").await.taken, 1);
}

#[tokio::test]
async fn what_was_refused_and_what_was_withheld_is_told_with_its_reason() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let events = ["dispatch.refused", "dispatch.withheld"];
    rig.agree(&[wanted("crm", &events)]).await;
    let refused = Outcome::Refused {
        detail: "550 no such user".to_owned(),
        fault: Fault::Address,
    };
    rig.outbox.answers(Channel::Email, [refused]);
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.customer("ben", "city=Paris").await;
    rig.unsubscribe("ben", &Scope::default()).await;
    rig.set("ben", "city=Lyon").await;
    rig.settle().await;
    let script = HttpScript::start(taken).await;
    run(&rig.teller("crm", &script.url()).await).await;
    let mut told: Vec<(Value, Value, Value)> = bodies(&script)
        .into_iter()
        .map(|body| {
            let data = &body["data"];
            let why = data.get("reason").or_else(|| data.get("detail"));
            (
                body["type"].clone(),
                data["customer"].clone(),
                why.unwrap().clone(),
            )
        })
        .collect();
    told.sort_by_key(|(what, ..)| what.to_string());
    assert_eq!(
        told,
        [
            (
                json!("dispatch.refused"),
                json!("ana"),
                json!("550 no such user")
            ),
            (
                json!("dispatch.withheld"),
                json!("ben"),
                json!("unsubscribed_everything")
            ),
        ]
    );
}

#[tokio::test]
async fn lines_of_a_history_and_pauses_of_channels_are_told() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let events = [
        "interaction.unsubscribed",
        "interaction.conversion",
        "channel.paused",
        "channel.resumed",
    ];
    rig.agree(&[wanted("crm", &events)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.did("ana", Kind::Conversion).await;
    rig.did("ana", Kind::Login).await;
    rig.unsubscribe("ana", &Scope::default()).await;
    let pause = rig.pause();
    assert!(rig.store.pause_channel(Channel::Sms, &pause).await.unwrap());
    let resumed = rig.store.resume_channel(Channel::Sms, rig.now()).await;
    assert!(resumed.unwrap());
    rig.settle().await;
    let script = HttpScript::start(taken).await;
    run(&rig.teller("crm", &script.url()).await).await;
    let told = bodies(&script).into_iter();
    let mut told: Vec<String> = told
        .map(|body| {
            let data = &body["data"];
            let who = data
                .get("customer")
                .or_else(|| data.get("channel"))
                .unwrap();
            format!(
                "{} {}",
                body["type"].as_str().unwrap(),
                who.as_str().unwrap()
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "channel.paused sms",
            "channel.resumed sms",
            "interaction.conversion ana",
            "interaction.unsubscribed ana",
        ]
    );
}

#[tokio::test]
async fn nothing_is_written_down_that_nobody_wants_to_be_told() {
    let steps = [email("hello", ""), sms("text", "after: 1h")];
    let mut rig = Rig::with(&flow("f", LYON, "", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.advance("2h").await;
    rig.agree(&[wanted("crm", &["interaction.login"])]).await;
    rig.did("ana", Kind::Conversion).await;
    rig.customer("ben", "city=Lyon").await;
    rig.advance("2h").await;
    assert_eq!(rig.waiting().await, 0);
    rig.did("ben", Kind::Login).await;
    assert_eq!(rig.waiting().await, 1);
}

#[tokio::test]
async fn a_place_that_fails_is_asked_again_more_and_more_seldom_while_another_is_told() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let events = ["dispatch.accepted"];
    rig.agree(&[wanted("bad", &events), wanted("good", &events)])
        .await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let bad = HttpScript::start(|_| (500, vec![], "no")).await;
    let good = HttpScript::start(taken).await;
    let failing = rig.teller("bad", &bad.url()).await;
    let mut tries = Vec::new();
    let begun = rig.now();
    run(&failing).await;
    run(&rig.teller("good", &good.url()).await).await;
    assert_eq!(good.heard().len(), 1);
    tries.push(0);
    while rig.waiting().await > 0 {
        assert!(tries.len() < 20, "it is never given up");
        let due = rig.number("SELECT due FROM notices").await;
        let due = jiff::Timestamp::from_microsecond(due).unwrap();
        let before = bad.heard().len();
        rig.clock.set(due - jiff::SignedDuration::from_secs(1));
        run(&failing).await;
        assert_eq!(bad.heard().len(), before, "it is told before its time");
        rig.clock.set(due);
        run(&failing).await;
        tries.push(rig.now().duration_since(begun).as_secs());
    }
    let ids = ids(&bad);
    assert_eq!((tries.len(), ids.len()), (10, 10));
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let waits: Vec<i64> = tries.windows(2).map(|two| two[1] - two[0]).collect();
    let least = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (wait, least) in waits.iter().zip(least) {
        assert!((least..=least + least / 10 + 1).contains(wait), "{waits:?}");
    }
    let state = rig.webhook("bad").await;
    assert_eq!((state.taken, state.given_up), (0, 1));
    assert_eq!(state.failure.as_deref(), Some("HTTP 500: no"));
}

#[tokio::test]
async fn a_place_that_asks_for_time_gets_it() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    rig.agree(&[wanted("crm", &["dispatch.accepted"])]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let script = HttpScript::start(|_| (503, vec![("retry-after", "3600")], "")).await;
    run(&rig.teller("crm", &script.url()).await).await;
    let due = rig.number("SELECT due FROM notices").await;
    let due = jiff::Timestamp::from_microsecond(due).unwrap();
    let wait = due.duration_since(rig.now()).as_secs();
    assert!((3600..=3960).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_place_that_is_gone_is_told_nothing_until_its_settings_change() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let mut crm = wanted("crm", &["dispatch.accepted"]);
    rig.agree(std::slice::from_ref(&crm)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let gone = HttpScript::start(|_| (410, vec![], "")).await;
    let teller = rig.teller("crm", &gone.url()).await;
    run(&teller).await;
    assert!(rig.webhook("crm").await.rests);
    rig.customer("ben", "city=Lyon").await;
    rig.settle().await;
    rig.sleep("2d");
    run(&teller).await;
    rig.agree(std::slice::from_ref(&crm)).await;
    run(&rig.teller("crm", &gone.url()).await).await;
    assert_eq!((gone.heard().len(), rig.waiting().await), (1, 1));
    crm.settings = "second".to_owned();
    rig.agree(&[crm]).await;
    let back = HttpScript::start(taken).await;
    run(&rig.teller("crm", &back.url()).await).await;
    assert_eq!(ids(&back), ids(&gone));
}

#[tokio::test]
async fn what_was_told_and_not_settled_is_told_again_under_the_same_id() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    rig.agree(&[wanted("crm", &["dispatch.accepted"])]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let silent = HttpScript::start_broken(None).await;
    let dying = rig.teller("crm", &silent.url()).await;
    let limit = std::time::Duration::from_millis(300);
    let cut = tokio::time::timeout(limit, dying.run_once()).await;
    assert!(cut.is_err(), "the place answered");
    assert_eq!(rig.waiting().await, 1);
    let script = HttpScript::start(taken).await;
    let first = rig
        .number("SELECT count(*) FROM notices WHERE tries = 0")
        .await;
    assert_eq!(first, 1);
    run(&rig.teller("crm", &script.url()).await).await;
    let [id] = <[String; 1]>::try_from(ids(&script)).unwrap();
    let expected = format!(
        "dispatch_{:x}_",
        rig.number("SELECT enrollment_id FROM dispatches").await
    );
    assert!(
        id.starts_with(&expected) && id.ends_with("_accepted"),
        "{id}"
    );
}

#[tokio::test]
async fn of_a_customer_who_was_deleted_nothing_is_told() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let events = ["dispatch.accepted", "interaction.login"];
    rig.agree(&[wanted("crm", &events)]).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    rig.did("ana", Kind::Login).await;
    assert_eq!(rig.waiting().await, 2);
    let by = By::new(Actor::named("eva"), Source::CommandLine);
    let ana = rig.id("ana").await;
    rig.store
        .delete_customer(ana, &by, rig.now())
        .await
        .unwrap();
    assert_eq!(rig.waiting().await, 0);
    let script = HttpScript::start(taken).await;
    run(&rig.teller("crm", &script.url()).await).await;
    assert_eq!(script.heard().len(), 0);
}

#[tokio::test]
async fn what_waits_for_a_place_that_the_settings_no_longer_name_is_discarded_and_counted() {
    let mut rig = Rig::with(&flow("f", LYON, "", &[email("hello", "")])).await;
    let events = ["dispatch.accepted"];
    rig.agree(&[wanted("old", &events), wanted("new", &events)])
        .await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    let new = [wanted("new", &events)];
    let dropped = rig.store.set_webhooks(&new).await.unwrap();
    let dropped: Vec<(String, u64)> = dropped
        .into_iter()
        .map(|one| (one.name, one.discarded))
        .collect();
    assert_eq!(dropped, [("old".to_owned(), 1)]);
    assert_eq!(rig.waiting().await, 1);
    let backlog = rig.store.notices_waiting().await.unwrap();
    let number = rig.webhook("new").await.number;
    assert_eq!(backlog.keys().copied().collect::<Vec<_>>(), [number]);
    assert_eq!(backlog[&number].oldest, Some(rig.now()));
}
