//! Owns one test from its start to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::happening;
use super::recorder::{Keeps, Recorder, recorded};
use super::timeline::{self, Line};
use super::trouble::Trouble;
use crate::clock::{Clock as _, ManualClock};
use crate::domain::flow::FlowStatus;
use crate::domain::revision::{NameKind, Revision};
use crate::domain::scenario::{Edit, Event, Happening, Scenario};
use crate::engine::Stepped;
use crate::store::{self, NewRevision, Pause, Published, Store};
use crate::workspace::{self, Sources, render};

const STORE: &str = "sqlite://simulation.db";
/// A test without an end that never comes to rest is broken off.
const LONGEST: SignedDuration = SignedDuration::from_hours(400 * 24);
const PUBLIC_URL: &str = "https://example.invalid";

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub timeline: Vec<Line>,
    pub ended: Timestamp,
}

/// Plays a test on a store of its own, which is gone afterwards.
pub async fn play(sources: &Sources, scenario: &Scenario) -> Result<Played, Trouble> {
    let folder = TempDir::with_prefix("drumbeat-")?;
    let store = Store::open(STORE, folder.path()).await?;
    let mut stage = Stage::open(store.clone(), sources.clone(), scenario).await?;
    let played = stage.play(scenario).await;
    drop(stage);
    store.close().await;
    played
}

struct Stage {
    store: Store,
    clock: Arc<ManualClock>,
    recorder: Arc<Recorder>,
    sources: Sources,
    flows: Option<Vec<String>>,
    published: Published,
    engine: Stepped,
}

impl Stage {
    async fn open(store: Store, sources: Sources, scenario: &Scenario) -> Result<Self, Trouble> {
        let clock = Arc::new(ManualClock::new(scenario.start));
        let recorder = Recorder::new(Keeps::Everybodys);
        let flows = scenario.flows.clone();
        let revision = revision(&sources, flows.as_deref(), "the workspace")?;
        let published = publish(&store, &revision, sources.hash(), clock.now()).await?;
        let work = (published.clone(), recorder.outlets(&revision));
        let engine = Stepped::begin(store.clone(), Arc::clone(&clock), PUBLIC_URL, work).await?;
        Ok(Self {
            store,
            clock,
            recorder,
            sources,
            flows,
            published,
            engine,
        })
    }

    async fn play(&mut self, scenario: &Scenario) -> Result<Played, Trouble> {
        // The flows are active when the customers come.
        self.engine.settle().await?;
        let people = &scenario.customers;
        happening::set(&self.store, &self.published, people, scenario.start).await?;
        for event in &scenario.events {
            self.engine.run_until(event.at.max(scenario.start)).await?;
            self.happen(event).await?;
        }
        match scenario.until {
            Some(until) => self.engine.run_until(until.max(self.clock.now())).await?,
            None => self.run_out(scenario.start + LONGEST).await?,
        }
        let messages = self.recorder.messages();
        let customers = customers_of(scenario);
        let timeline = timeline::of(&self.store, &self.published, &customers, &messages).await?;
        Ok(Played {
            timeline,
            ended: self.clock.now(),
        })
    }

    /// Until nobody waits any more.
    async fn run_out(&mut self, limit: Timestamp) -> Result<(), Trouble> {
        let flows = self.published.revision.flows.values();
        let mut scheduled = flows.filter(|flow| flow.entry.schedule.is_some());
        if let Some(flow) = scheduled.find(|flow| flow.status == FlowStatus::Active) {
            return Err(Trouble::Scheduled(flow.id.clone()));
        }
        self.engine.settle().await?;
        while !self.engine.is_idle().await? {
            match self.engine.next().await? {
                Some(next) if next <= limit => self.engine.run_until(next).await?,
                Some(_) => return Err(Trouble::Endless),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn happen(&mut self, event: &Event) -> Result<(), Trouble> {
        let now = self.clock.now();
        match &event.what {
            Happening::Set(person) => {
                let people = std::slice::from_ref(person);
                happening::set(&self.store, &self.published, people, now).await?;
            }
            Happening::Customer(customer, what) => {
                let what = (customer.as_str(), what);
                happening::to_customer(&self.store, &self.published, what, now).await?;
            }
            Happening::Pause(flow) => {
                let number = self.published.numbers.number(NameKind::Flow, flow);
                let number = number.ok_or_else(|| Trouble::NoFlow(flow.clone()))?;
                let pause = Pause {
                    at: now,
                    by: "test".to_owned(),
                    reason: None,
                };
                self.store.pause_flow(number, &pause).await?;
            }
            Happening::Resume(flow) => {
                let number = self.published.numbers.number(NameKind::Flow, flow);
                let number = number.ok_or_else(|| Trouble::NoFlow(flow.clone()))?;
                self.store.resume_flow(number, now).await?;
            }
            Happening::Edit(edit) => self.edit(edit).await?,
        }
        self.engine.settle().await?;
        Ok(())
    }

    async fn edit(&mut self, edit: &Edit) -> Result<(), Trouble> {
        self.sources = edited(&self.sources, edit)?;
        let revision = revision(&self.sources, self.flows.as_deref(), &edit.file)?;
        let hash = self.sources.hash();
        self.published = publish(&self.store, &revision, hash, self.clock.now()).await?;
        let outlets = self.recorder.outlets(&revision);
        self.engine.install(self.published.clone(), outlets).await?;
        Ok(())
    }
}

/// What the files say, with channels that remember; flows that do not take part are drafts.
fn revision(
    sources: &Sources,
    flows: Option<&[String]>,
    edited: &str,
) -> Result<Revision, Trouble> {
    let checked = workspace::check_flows(sources);
    let Some(revision) = checked.revision else {
        return Err(Trouble::Edited {
            file: edited.to_owned(),
            said: render::text(sources, &checked.diagnostics, false),
        });
    };
    let mut revision = recorded(revision);
    for flow in revision.flows.values_mut() {
        if flows.is_some_and(|flows| !flows.contains(&flow.id)) {
            flow.status = FlowStatus::Draft;
        }
    }
    Ok(revision)
}

async fn publish(
    store: &Store,
    revision: &Revision,
    hash: &str,
    at: Timestamp,
) -> store::Result<Published> {
    let new = NewRevision {
        revision,
        hash,
        commit: None,
        sources: Vec::new(),
        at,
    };
    store.publish(new).await
}

fn edited(sources: &Sources, edit: &Edit) -> Result<Sources, Trouble> {
    let mut files = Vec::new();
    for (path, bytes) in sources.files() {
        let path = path.display().to_string();
        if path != edit.file {
            files.push((path, bytes.to_vec()));
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        if !text.contains(&edit.replace) {
            return Err(Trouble::NotThere {
                file: edit.file.clone(),
                replace: edit.replace.clone(),
            });
        }
        let text = text.replacen(&edit.replace, &edit.with, 1);
        files.push((path, text.into_bytes()));
    }
    let hash = format!("{} {} {}", sources.hash(), edit.file, edit.with);
    Ok(Sources::published(files, hash, None))
}

/// Everybody of whom the test speaks.
fn customers_of(scenario: &Scenario) -> Vec<String> {
    let from_the_start = scenario.customers.iter().map(|person| person.id.clone());
    let later = scenario
        .events
        .iter()
        .filter_map(|event| match &event.what {
            Happening::Set(person) => Some(person.id.clone()),
            _ => None,
        });
    let all: BTreeSet<String> = from_the_start.chain(later).collect();
    all.into_iter().collect()
}
