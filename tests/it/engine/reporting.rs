//! Owns the tests of a flow's report: what it counts, what it compares, and that its totals are the sum of
//! everybody's history.

use std::collections::BTreeMap;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Fault;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::subscription::Scope;
use drumbeat::engine::flow_report::{FlowReport, MessageReport};
use drumbeat::store::HistoryLine;
use proptest::prelude::*;

use super::outbox::{refused, uncertain};
use super::rig::Rig;
use super::written::{LYON, any, email, flow, sms};

const BODY: &str = "text: \"{{ organization.postal_address }} {{ unsubscribe_url }}\"";

impl Rig {
    async fn report(&self) -> FlowReport {
        let catalog = self.engine().catalog();
        let flow = &catalog.revision().flows["f"];
        let report = FlowReport::read(&self.store, &catalog.published, flow, self.now());
        report.await.unwrap()
    }

    async fn answered(&self, customer: &str, kind: Kind, step: &str) {
        let mut line = Interaction::new(self.id(customer).await, self.now(), kind);
        line.channel = Some(Channel::Email);
        line.flow = Some("f".to_owned());
        line.step = Some(step.to_owned());
        self.store.record(&[line]).await.unwrap();
    }
}

#[tokio::test]
async fn each_step_says_what_became_of_it() {
    let goal = "goal: { when: { did: conversion } }";
    let steps = [email("hello", ""), sms("text", "after: 2d")];
    let mut rig = Rig::with(&flow("f", LYON, goal, &steps)).await;
    for id in ["ana", "bo", "cy", "di"] {
        rig.customer(id, "city=Lyon").await;
    }
    let category = Scope {
        category: Some("news".to_owned()),
        ..Scope::default()
    };
    rig.unsubscribe("di", &category).await;
    rig.outbox
        .answers(Channel::Email, [refused(Fault::Message)]);
    rig.advance("1h").await;
    let mut reader = "";
    for id in ["ana", "bo", "cy"] {
        if rig.ledger(id).await == ["hello sent"] {
            reader = id;
        }
    }
    for kind in [Kind::EmailOpened, Kind::EmailOpened, Kind::EmailClicked] {
        rig.answered(reader, kind, "hello").await;
    }
    rig.did(reader, Kind::Conversion).await;
    rig.settle().await;
    let report = rig.report().await;
    let hello = &report.steps[0];
    assert_eq!((hello.entered, hello.waiting), (4, 0));
    let expected = MessageReport {
        sent: 2,
        failed: 1,
        withheld: BTreeMap::from([("unsubscribed_category", 1)]),
        opened: 1,
        clicked: 1,
        converted: 1,
        ..MessageReport::default()
    };
    assert_eq!(hello.messages, expected);
    let text = &report.steps[1];
    assert_eq!((text.entered, text.waiting), (4, 4));
    assert_eq!((report.entered, report.waiting), (4, 4));
    let goal = report.goal.unwrap();
    assert_eq!((goal.reached, goal.before_any_message), (1, 0));
    assert_eq!((goal.messaged.people, goal.held_out.people), (3, 0));
    assert_eq!(goal.uplift, None);
}

#[tokio::test]
async fn variants_are_counted_apart_and_the_held_out_beside_the_messaged() {
    let keys = "goal: { when: { did: conversion } }\nentry: { holdout: 40% }";
    let step =
        format!("email: {{ subject: A, {BODY}, variants: {{ a: {{}}, b: {{ subject: B }} }} }}");
    let mut rig = Rig::with(&flow("f", LYON, keys, &[any("offer", &step)])).await;
    let ids: Vec<String> = (0..60).map(|n| format!("c{n:02}")).collect();
    for id in &ids {
        rig.customer(id, "city=Lyon").await;
    }
    rig.advance("1h").await;
    for id in &ids {
        let history = rig.history(id).await;
        if history.iter().any(|line| line.kind == "email-sent") {
            rig.did(id, Kind::Conversion).await;
        }
    }
    rig.settle().await;
    let report = rig.report().await;
    let goal = report.goal.unwrap();
    assert_eq!(goal.messaged.people + goal.held_out.people, 60);
    assert_eq!(goal.messaged.reached, goal.messaged.people);
    assert_eq!(goal.held_out.reached, 0);
    assert!(goal.uplift.unwrap().low > 0.5, "{goal:?}");
    let step = &report.steps[0];
    let held_out = step.messages.withheld["holdout"];
    assert_eq!(held_out, goal.held_out.people);
    let variants: BTreeMap<_, _> = step
        .parts
        .iter()
        .filter_map(|part| Some((part.variant.clone()?, &part.messages)))
        .collect();
    let sent: u64 = variants.values().map(|messages| messages.sent).sum();
    assert_eq!((variants.len(), sent), (2, 60 - held_out));
    assert!(
        variants
            .values()
            .all(|m| m.converted == m.sent && m.sent > 5)
    );
}

#[derive(Debug, Clone)]
enum Act {
    Pass(u8),
    Lives(usize, bool),
    Reacts(usize, Kind, &'static str),
    Converts(usize),
    Unsubscribes(usize),
    GatewayRefuses,
    GatewayIsSilent,
}

const PEOPLE: usize = 8;

fn act() -> impl Strategy<Value = Act> {
    let who = 0..PEOPLE;
    let step = prop_oneof![Just("one"), Just("two"), Just("three")];
    let kind = prop_oneof![
        Just(Kind::EmailOpened),
        Just(Kind::EmailClicked),
        Just(Kind::PushOpened)
    ];
    prop_oneof![
        6 => (1..40_u8).prop_map(Act::Pass),
        4 => (who.clone(), prop::bool::ANY).prop_map(|(who, lyon)| Act::Lives(who, lyon)),
        6 => (who.clone(), kind, step).prop_map(|(who, kind, step)| Act::Reacts(who, kind, step)),
        3 => who.clone().prop_map(Act::Converts),
        1 => who.prop_map(Act::Unsubscribes),
        1 => Just(Act::GatewayRefuses),
        1 => Just(Act::GatewayIsSilent),
    ]
}

fn name(who: usize) -> String {
    format!("c{who}")
}

impl Rig {
    async fn act(&mut self, act: &Act) {
        match act {
            Act::Pass(hours) => self.advance(&format!("{hours}h")).await,
            Act::Lives(who, lyon) => {
                let city = if *lyon { "city=Lyon" } else { "city=Rome" };
                self.set(&name(*who), city).await;
            }
            Act::Reacts(who, kind, step) => self.answered(&name(*who), *kind, step).await,
            Act::Converts(who) => self.did(&name(*who), Kind::Conversion).await,
            Act::Unsubscribes(who) => {
                let (id, by) = (self.id(&name(*who)).await, super::people::by());
                let all = Scope::default();
                let changed = self.store.unsubscribe(id, &all, &by, self.now());
                changed.await.unwrap();
            }
            Act::GatewayRefuses => self
                .outbox
                .answers(Channel::Email, [refused(Fault::Message)]),
            Act::GatewayIsSilent => self.outbox.answers(Channel::Email, [uncertain()]),
        }
    }
}

async fn run(acts: &[Act]) {
    let keys = "entry: { reentry: every-requalification, holdout: 30% }\n\
        exit: { on-leaving-segment: true }\ngoal: { when: { did: conversion }, within: 6d }";
    let varied = format!(
        "after: 1d, email: {{ subject: A, {BODY}, variants: {{ a: {{}}, b: {{ subject: B }} }} }}"
    );
    let steps = [
        email("one", "after: 1h"),
        any("two", &varied),
        sms("three", "after: 2d"),
    ];
    let mut rig = Rig::with(&flow("f", LYON, keys, &steps)).await;
    for who in 0..PEOPLE {
        rig.customer(&name(who), "city=Lyon").await;
    }
    rig.settle().await;
    for act in acts {
        // No two things happen at one instant.
        rig.sleep("1s");
        rig.act(act).await;
    }
    rig.settle().await;
    let report = rig.report().await;
    let mut summed = Summed::default();
    for who in 0..PEOPLE {
        summed.add(rig.history(&name(who)).await);
    }
    summed.is(&report);
}

/// What the histories of customers say, line by line.
#[derive(Debug, Default)]
struct Summed {
    entered: u64,
    completed: u64,
    exited: u64,
    before_any_message: u64,
    steps: BTreeMap<String, MessageReport>,
}

impl Summed {
    /// Asserts that the report counts these, and nothing else.
    fn is(mut self, report: &FlowReport) {
        let goal = report.goal.as_ref().unwrap();
        assert_eq!(report.entered, self.entered);
        assert_eq!(report.completed, self.completed);
        assert_eq!(report.exited.values().sum::<u64>(), self.exited);
        assert_eq!(goal.before_any_message, self.before_any_message);
        for step in &report.steps {
            let MessageReport {
                delivered: 0,
                bounced: 0,
                open: 0,
                ..
            } = step.messages
            else {
                panic!("{step:?}");
            };
            let found = self.steps.remove(&step.step).unwrap_or_default();
            assert_eq!(step.messages, found, "{}", step.step);
            let mut parts = MessageReport::default();
            for part in &step.parts {
                parts += &part.messages;
            }
            assert!(step.parts.is_empty() || parts == found);
        }
        self.steps.remove("");
        assert_eq!(self.steps.len(), 0);
    }

    fn add(&mut self, history: Vec<HistoryLine>) {
        // Of the run that is going on: what was sent and may be answered, and what was answered how.
        let mut out: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for line in history {
            let step = line.step.clone().unwrap_or_default();
            let of_step = self.steps.entry(step.clone()).or_default();
            match line.kind.as_str() {
                "entered-flow" => {
                    self.entered += 1;
                    out.clear();
                }
                "completed-flow" => self.completed += 1,
                "exited-flow" => self.exited += 1,
                "reached-goal" if line.step.is_none() => self.before_any_message += 1,
                "reached-goal" => of_step.converted += 1,
                "email-sent" | "sms-sent" => {
                    of_step.sent += 1;
                    out.insert(step, (false, false));
                }
                "email-uncertain" => {
                    of_step.uncertain += 1;
                    out.insert(step, (false, false));
                }
                "email-refused" => of_step.failed += 1,
                "email-withheld" | "sms-withheld" => {
                    let detail = line.detail.unwrap();
                    let reason = detail["reason"].as_str().unwrap();
                    let reason = drumbeat::domain::dispatch::Reason::parse(reason).unwrap();
                    *of_step.withheld.entry(reason.as_str()).or_default() += 1;
                }
                "email-opened" | "push-opened" => {
                    if let Some((opened, _)) = out.get_mut(&step).filter(|(opened, _)| !opened) {
                        *opened = true;
                        of_step.opened += 1;
                    }
                }
                "email-clicked" => {
                    if let Some((_, clicked)) = out.get_mut(&step).filter(|(_, clicked)| !clicked) {
                        *clicked = true;
                        of_step.clicked += 1;
                    }
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_the_sum_of_histories(acts in prop::collection::vec(act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&acts));
    }
}
