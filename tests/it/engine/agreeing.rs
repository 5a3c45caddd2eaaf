//! Owns the proof that the engine does what a naive walk of one customer through one flow comes to: flows,
//! customers, what happens to them and edits of the flows are left to chance.

use std::fmt::Write as _;

use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::Switch;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::subscription::Scope;
use jiff::Timestamp;

use super::oracle::{Again, By, Event, Flow, Hour, Oracle, Step};
use super::people::{by, ledger_line};
use super::rig::{Rig, START};
use super::written::{any, email, flow, sms};
use crate::chaos::{Chance, chance, is_long};

/// So many cases are played by one engine at once: none has to do with another.
const AT_ONCE: usize = 50;
const BATCHES: usize = 6;
const BATCHES_LONG: usize = 200;
const PEOPLE: usize = 4;
const IDS: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];
/// Things happen in the first ones, and everything is over by the last.
const EVENTFUL: Hour = 240;
const END: Hour = 480;
/// All times are multiples of it: what falls due together is done together.
const GRID: Hour = 6;

#[derive(Debug, Clone)]
enum Act {
    Happens(usize, Event),
    Edited(Flow),
}

/// One flow with its customers, whom no other flow wants.
#[derive(Debug)]
struct Case {
    id: String,
    flow: Flow,
    /// By the hour; no two at once.
    acts: Vec<(Hour, Act)>,
}

fn one_of<T: Copy>(chance: &mut Chance, of: &[T]) -> T {
    of[usize::try_from(chance.below(of.len() as u64)).unwrap()]
}

fn one_in(chance: &mut Chance, many: u64) -> bool {
    chance.below(many) == 0
}

fn step(chance: &mut Chance, id: &'static str) -> Step {
    let by = one_of(chance, &[By::Email, By::Email, By::Sms, By::Nothing]);
    let speaks = by != By::Nothing;
    Step {
        id,
        after: one_of(chance, &[0, 6, 6, 24, 24, 48, 96]),
        by,
        asks: speaks && one_in(chance, 4),
        exits_on_skip: speaks && one_in(chance, 4),
    }
}

/// Another step than those that there are.
fn new_step(chance: &mut Chance, steps: &[Step]) -> Step {
    let is_free = |id: &&str| steps.iter().all(|step| step.id != *id);
    let free: Vec<&'static str> = IDS.into_iter().filter(is_free).collect();
    let id = one_of(chance, &free);
    step(chance, id)
}

fn a_flow(chance: &mut Chance) -> Flow {
    let mut steps = Vec::new();
    for _ in 0..=chance.below(4) {
        steps.push(new_step(chance, &steps));
    }
    let again = [Again::Never, Again::AtEveryReturn, Again::Every(48)];
    Flow {
        steps,
        again: one_of(chance, &again),
        exits_on_leaving: one_in(chance, 2),
        exits_on_conversion: one_in(chance, 2),
        freezes: one_in(chance, 4),
    }
}

fn edit(chance: &mut Chance, flow: &mut Flow) {
    let steps = &mut flow.steps;
    let place = usize::try_from(chance.below(steps.len() as u64)).unwrap();
    match chance.below(7) {
        0 | 1 => steps[place].after = one_of(chance, &[0, 6, 24, 48, 96]),
        2 if steps.len() > 1 => drop(steps.remove(place)),
        3 if steps.len() < IDS.len() => steps.insert(place, new_step(chance, steps)),
        4 if steps.len() < IDS.len() => steps.push(new_step(chance, steps)),
        5 => steps.swap(0, place),
        6 => steps[place] = new_step(chance, &steps[..0]).renamed(steps[place].id),
        _ => steps.rotate_left(place),
    }
}

impl Step {
    fn renamed(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    fn written(&self) -> String {
        let mut keys = format!("after: {}h", self.after);
        if self.asks {
            keys += ", if: { field: points, at-least: 5 }";
        }
        if self.exits_on_skip {
            keys += ", on-skip: exit";
        }
        match self.by {
            By::Email => email(self.id, &keys),
            By::Sms => sms(self.id, &keys),
            By::Nothing => any(self.id, &keys),
        }
    }
}

fn an_event(chance: &mut Chance) -> Event {
    match chance.below(16) {
        0..=5 => Event::Comes,
        6..=8 => Event::Goes,
        9 => Event::Points(7),
        10 => Event::Points(2),
        11 => Event::Converts,
        12 => Event::LosesEmail,
        13 => Event::GetsEmail,
        14 => Event::SmsOff,
        _ => Event::Unsubscribes,
    }
}

fn a_case(chance: &mut Chance, number: usize) -> Case {
    let first = a_flow(chance);
    let mut now = first.clone();
    let mut acts = Vec::new();
    let mut hour = 0;
    while hour < EVENTFUL {
        hour += GRID * (1 + Hour::try_from(chance.below(6)).unwrap());
        let act = if one_in(chance, 4) {
            edit(chance, &mut now);
            Act::Edited(now.clone())
        } else {
            let who = usize::try_from(chance.below(PEOPLE as u64)).unwrap();
            Act::Happens(who, an_event(chance))
        };
        acts.push((hour, act));
    }
    Case {
        id: format!("f{number}"),
        flow: first,
        acts,
    }
}

impl Case {
    fn customer(&self, who: usize) -> String {
        format!("{}-{who}", self.id)
    }

    fn path(&self) -> String {
        format!("flows/{}.yaml", self.id)
    }

    fn written(&self, of: &Flow) -> String {
        let mut keys = match of.again {
            Again::Never => String::new(),
            Again::AtEveryReturn => "entry: { reentry: every-requalification }\n".to_owned(),
            Again::Every(hours) => format!("entry: {{ reentry: every {}d }}\n", hours / 24),
        };
        let exits = [
            (of.exits_on_leaving, "on-leaving-segment: true"),
            (of.exits_on_conversion, "when: { did: conversion }"),
        ];
        let exits: Vec<&str> = exits
            .into_iter()
            .filter_map(|(is, key)| is.then_some(key))
            .collect();
        if !exits.is_empty() {
            let _ = writeln!(keys, "exit: {{ {} }}", exits.join(", "));
        }
        if of.freezes {
            keys += "on-edit: freeze\n";
        }
        let steps: Vec<String> = of.steps.iter().map(Step::written).collect();
        flow(
            &self.id,
            &format!("{{ field: city, is: {} }}", self.id),
            &keys,
            &steps,
        )
    }

    fn expected(&self) -> Vec<Vec<(Hour, String)>> {
        let walked = (0..PEOPLE).map(|who| {
            let mut oracle = Oracle::new(self.flow.clone());
            for (hour, act) in &self.acts {
                match act {
                    Act::Happens(whom, event) if *whom == who => oracle.happens(*hour, *event),
                    Act::Happens(..) => {}
                    Act::Edited(flow) => oracle.edited(*hour, flow),
                }
            }
            oracle.live(END);
            let mut told = oracle.told;
            told.retain(|(hour, _)| *hour <= END);
            told.sort();
            told
        });
        walked.collect()
    }

    /// What differs, with all that led to it.
    fn told(&self, who: usize, came: &[(Hour, String)], expected: &[(Hour, String)]) -> String {
        let mut text = self.written(&self.flow);
        for (hour, act) in &self.acts {
            match act {
                Act::Happens(whom, event) if *whom == who => {
                    let _ = writeln!(text, "{hour}: {event:?}");
                }
                Act::Happens(..) => {}
                Act::Edited(flow) => {
                    let _ = writeln!(text, "{hour}: {}", steps_of(flow));
                }
            }
        }
        format!("{text}\ncame     {came:?}\nexpected {expected:?}")
    }

    async fn came(&self, rig: &Rig, who: usize) -> Vec<(Hour, String)> {
        let start: Timestamp = START.parse().unwrap();
        let lines = rig.history(&self.customer(who)).await;
        let told = lines.iter().filter_map(|line| {
            let text = match line.kind.as_str() {
                "entered-flow" => "enters".to_owned(),
                _ => ledger_line(line)?,
            };
            let text = match text.strip_prefix(&format!("{} ", self.id)) {
                Some(rest) => format!("f {rest}"),
                None => text,
            };
            let hour = line.at.duration_since(start).as_hours();
            Some((Hour::try_from(hour).unwrap(), text))
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        told
    }
}

fn steps_of(flow: &Flow) -> String {
    let steps = flow.steps.iter().map(|step| {
        let Step { id, after, by, .. } = step;
        format!("{id} {after}h {by:?}")
    });
    steps.collect::<Vec<_>>().join(", ")
}

async fn happens(rig: &Rig, customer: &str, city: &str, event: Event) {
    let (id, now) = (rig.id(customer).await, rig.now());
    match event {
        Event::Comes => rig.set(customer, &format!("city={city}")).await,
        Event::Goes => rig.set(customer, "city=Rome").await,
        Event::Points(points) => rig.set(customer, &format!("points={points}")).await,
        Event::Converts => rig.did(customer, Kind::Conversion).await,
        Event::LosesEmail => rig.set(customer, "email=").await,
        Event::GetsEmail => {
            rig.set(customer, &format!("email={customer}@bank.example"))
                .await;
        }
        Event::SmsOff => {
            let sms = Switch::Channel(Channel::Sms);
            rig.store
                .set_switch(id, sms, false, &by(), now)
                .await
                .map(drop)
                .unwrap();
        }
        Event::Unsubscribes => {
            let all = Scope::EVERYTHING;
            rig.store
                .unsubscribe(id, &all, &by(), now)
                .await
                .map(drop)
                .unwrap();
        }
    }
}

async fn play(cases: &[Case]) {
    let files: Vec<_> = cases
        .iter()
        .map(|case| (case.path(), case.written(&case.flow)))
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let mut rig = Rig::start(&files).await;
    for case in cases {
        for who in 0..PEOPLE {
            rig.customer(&case.customer(who), "city=Rome, points=0")
                .await;
        }
    }
    rig.settle().await;
    let mut acts: Vec<(Hour, &Case, &Act)> = Vec::new();
    for case in cases {
        acts.extend(case.acts.iter().map(|(hour, act)| (*hour, case, act)));
    }
    acts.sort_by_key(|(hour, ..)| *hour);
    let mut now = 0;
    for at_once in acts.chunk_by(|one, other| one.0 == other.0) {
        rig.advance(&format!("{}h", at_once[0].0 - now)).await;
        now = at_once[0].0;
        let mut is_edited = false;
        for (_, case, act) in at_once {
            match act {
                Act::Happens(who, event) => {
                    happens(&rig, &case.customer(*who), &case.id, *event).await;
                }
                Act::Edited(flow) => {
                    rig.write(&case.path(), &case.written(flow));
                    is_edited = true;
                }
            }
        }
        if is_edited {
            rig.publish().await;
        }
        rig.settle().await;
    }
    rig.advance(&format!("{}h", END - now)).await;
    for case in cases {
        for (who, expected) in case.expected().into_iter().enumerate() {
            let came = case.came(&rig, who).await;
            assert!(came == expected, "{}", case.told(who, &came, &expected));
        }
    }
}

#[tokio::test]
async fn whatever_happens_the_engine_does_what_a_naive_walk_comes_to() {
    let mut chance = chance();
    let batches = if is_long() { BATCHES_LONG } else { BATCHES };
    for _ in 0..batches {
        let cases: Vec<Case> = (0..AT_ONCE)
            .map(|number| a_case(&mut chance, number))
            .collect();
        play(&cases).await;
    }
}
