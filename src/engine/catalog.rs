//! Owns the current revision as the engine uses it: every name a number, every template compiled, once per revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::watched::Watched;
use crate::domain::address::COUNTRY;
use crate::domain::by_hand;
use crate::domain::calendar::{self, Reckoning};
use crate::domain::campaign::Active;
use crate::domain::channel::{Channel, Lane};
use crate::domain::communication::Communication;
use crate::domain::customer::Customer;
use crate::domain::device::DeviceKind;
use crate::domain::draw::draw;
use crate::domain::enrollment::{self, ExitReason};
use crate::domain::flow::{Action, Flow, OnSkip, Reentry, Step};
use crate::domain::ids::{NameNo, RevisionNo};
use crate::domain::revision::{NameKind, Revision};
use crate::domain::subscription::Belonging;
use crate::domain::template::Templates;
use crate::domain::timing::{Otherwise, WaitFor};
use crate::domain::touched::Touched;
use crate::store::{Frame, Move, Published, Wanted};

/// Of what is timed when it is first looked at: revisions are numbered from 1.
pub(super) const UNTIMED: RevisionNo = RevisionNo(0);
/// What is sent by hand asks for no segment: names are numbered from 1.
const NO_SEGMENT: NameNo = NameNo(0);

/// A published revision, ready to be executed.
#[derive(Debug)]
pub struct Catalog {
    pub published: Arc<Published>,
    pub zone: TimeZone,
    pub templates: Templates,
    /// What is read of a customer to write to them.
    pub wanted: Wanted,
    pub flows: BTreeMap<NameNo, FlowPlan>,
    /// The communications that a person may send at once, each a flow of one step.
    by_hand: BTreeMap<NameNo, FlowPlan>,
    /// Where the people of removed steps go.
    pub successors: BTreeMap<NameNo, Option<NameNo>>,
    /// What segments and exit conditions ask about.
    pub asks: Touched,
    /// Whether they ask about what we send, or who is in a flow.
    pub marks_sends: bool,
    /// Whether they ask who is in a flow.
    pub marks_flows: bool,
}

/// A flow with its numbers.
#[derive(Debug)]
pub struct FlowPlan {
    pub number: NameNo,
    pub segment: NameNo,
    pub flow: Flow,
    pub steps: Vec<StepPlan>,
    pub watched: Watched,
}

/// A step with what it may send.
#[derive(Debug)]
pub struct StepPlan {
    pub number: NameNo,
    pub step: Step,
    /// In the order of choice.
    pub actions: Vec<ActionPlan>,
    /// What of a customer can change when the step comes.
    pub watches: Touched,
}

/// What a step may send on one channel, with what the gate asks about it.
#[derive(Debug)]
pub struct ActionPlan {
    pub channel: Channel,
    pub content: Communication,
    /// The flow's place and, for a reused communication, its campaign's.
    pub belongs: Vec<Belonging>,
    pub is_service: bool,
    /// The days on which the reused communication's campaign is active.
    pub active: Active,
    /// The reused communication's campaign, whose link scope governs.
    pub campaign: Option<NameNo>,
    /// Whether its message may carry a "not interested" link.
    pub dismissable: bool,
}

impl StepPlan {
    pub fn on(&self, channel: Channel) -> Option<&ActionPlan> {
        self.actions.iter().find(|action| action.channel == channel)
    }
}

impl Catalog {
    pub fn new(published: Published, successors: Vec<(NameNo, Option<NameNo>)>) -> Arc<Self> {
        let revision = &published.revision;
        let numbers = &published.numbers;
        let flows = revision.flows.values().filter_map(|flow| {
            let segment = numbers.number(NameKind::Segment, &flow.segment)?;
            flow_plan(&published, flow, segment)
        });
        let flows: BTreeMap<NameNo, FlowPlan> = flows.map(|plan| (plan.number, plan)).collect();
        let by_hand = by_hand::flows(revision);
        let by_hand = by_hand.filter_map(|flow| flow_plan(&published, &flow, NO_SEGMENT));
        let by_hand = by_hand.map(|plan| (plan.number, plan)).collect();
        let mut asks = Touched::NOTHING;
        for plan in flows.values() {
            asks |= plan.watched.asks();
            for step in &plan.steps {
                asks |= step.watches;
            }
        }
        let sends = Touched::ACTIVITY | Touched::DISPATCHES | Touched::IN_FLOW;
        let templates = Templates::new(revision);
        Arc::new(Self {
            zone: revision.time_zone(),
            wanted: wanted(revision, &templates),
            templates,
            flows,
            by_hand,
            successors: successors.into_iter().collect(),
            asks,
            marks_sends: asks.meets(sends),
            marks_flows: asks.meets(Touched::IN_FLOW),
            published: Arc::new(published),
        })
    }

    /// The flow of a number, or the communication that is sent by hand.
    pub fn plan(&self, number: NameNo) -> Option<&FlowPlan> {
        self.flows
            .get(&number)
            .or_else(|| self.by_hand.get(&number))
    }

    pub fn revision(&self) -> &Revision {
        &self.published.revision
    }

    pub fn number(&self) -> RevisionNo {
        self.published.number
    }

    /// Which devices messages of this channel go to; none: they go to an address.
    pub fn devices(&self, channel: Channel) -> Option<DeviceKind> {
        let config = self.revision().channels.get(&channel)?;
        config.gateway.devices()
    }

    pub fn frame(&self, now: Timestamp) -> Frame<'_> {
        Frame {
            revision: &self.published.revision,
            numbers: &self.published.numbers,
            now,
        }
    }

    /// The zone a customer lives in: their own if it is known, else the workspace's.
    pub fn zone_of(&self, customer: &Customer) -> TimeZone {
        self.zone_named(customer.text(&self.revision().policy.zone_field))
    }

    /// How days are counted in a zone.
    pub fn reckoning<'a>(&'a self, zone: &'a TimeZone) -> Reckoning<'a> {
        Reckoning {
            zone,
            holidays: &self.revision().policy.holidays,
        }
    }

    pub fn zone_named(&self, name: Option<&str>) -> TimeZone {
        name.and_then(calendar::zone_named)
            .unwrap_or_else(|| self.zone.clone())
    }
}

/// What messages name, where they go, and the customer's zone and language.
fn wanted(revision: &Revision, templates: &Templates) -> Wanted {
    let policy = &revision.policy;
    let channels = revision.channels.values();
    let addresses = channels.map(|channel| channel.address_field.as_str());
    // Numbers without a country code are read by it.
    let has_sms = revision.channels.contains_key(&Channel::Sms);
    let countries = has_sms.then_some(COUNTRY);
    let consents = revision.channels.values();
    let consents = consents.filter_map(|channel| channel.tracking.consent_field.as_deref());
    let names = templates.names().iter();
    let named = names.filter_map(|name| name.strip_prefix("customer."));
    let steps = revision.flows.values().flat_map(|flow| &flow.steps);
    let dates = steps.filter_map(|step| step.when.field());
    let fields: BTreeSet<&str> = addresses
        .chain(dates)
        .chain(countries)
        .chain(named)
        .chain(consents)
        .chain([policy.zone_field.as_str(), policy.language_field.as_str()])
        .collect();
    let mut model = revision.data_model.clone();
    model
        .fields
        .retain(|field| fields.contains(field.identifier.as_str()));
    Wanted {
        tags: fields.contains("tags"),
        model,
    }
}

fn flow_plan(published: &Published, flow: &Flow, segment: NameNo) -> Option<FlowPlan> {
    let numbers = &published.numbers;
    Some(FlowPlan {
        number: numbers.number(NameKind::Flow, &flow.id)?,
        segment,
        flow: flow.clone(),
        watched: Watched::of(flow, &published.revision),
        steps: flow
            .steps
            .iter()
            .filter_map(|step| step_plan(published, flow, step))
            .collect(),
    })
}

fn step_plan(published: &Published, flow: &Flow, step: &Step) -> Option<StepPlan> {
    let actions = step.actions.iter();
    Some(StepPlan {
        number: published.numbers.step(&flow.id, &step.id)?,
        step: step.clone(),
        actions: actions
            .map(|action| action_plan(published, flow, action))
            .collect(),
        watches: watches(step, &published.revision),
    })
}

fn watches(step: &Step, revision: &Revision) -> Touched {
    let field = step.when.field().map(Touched::field);
    let wait = step.when.wait_for().map(|wait| wait.until.asks(revision));
    field.or(wait).unwrap_or(Touched::NOTHING)
}

fn action_plan(published: &Published, flow: &Flow, action: &Action) -> ActionPlan {
    let (revision, numbers) = (&published.revision, &published.numbers);
    let channel = action.content.channel();
    let reused = action.reuses.as_ref();
    let reused = reused.and_then(|reuse| revision.campaigns.get(&reuse.campaign));
    let place = |id: &str, category: &Option<String>, group: &Option<String>| Belonging {
        campaign: id.to_owned(),
        category: category.clone(),
        group: group.clone(),
        channel,
    };
    let mut belongs = vec![place(&flow.id, &flow.category, &flow.group)];
    belongs.extend(reused.map(|reused| place(&reused.id, &reused.category, &reused.group)));
    let governing = reused.map_or(flow.category.as_deref(), |reused| {
        reused.category.as_deref()
    });
    ActionPlan {
        channel,
        content: action.content.clone(),
        belongs,
        is_service: revision.policy.is_service(governing) || by_hand::is_answer(&flow.id),
        active: reused.map(|reused| reused.active).unwrap_or_default(),
        campaign: reused.and_then(|reused| numbers.number(NameKind::Campaign, &reused.id)),
        dismissable: reused.map_or(flow.dismissable, |reused| reused.dismissable),
    }
}

impl FlowPlan {
    pub fn step(&self, number: NameNo) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.number == number)
    }

    fn step_named(&self, id: &str) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.step.id == id)
    }

    /// Where an enrollment goes when the step `finished` was sent or skipped at `at`.
    pub fn advance(&self, finished: &StepPlan, at: Walk<'_>) -> Move {
        match enrollment::advance(&self.flow, &finished.step.id, at.now, at.reckoning) {
            Some(next) => self.to(&next, at).unwrap_or_else(|| self.complete(at)),
            None => self.complete(at),
        }
    }

    /// Where an enrollment goes when a message of the step was not sent.
    pub fn skip(&self, skipped: &StepPlan, at: Walk<'_>) -> Move {
        match skipped.step.on_skip {
            OnSkip::Advance => self.advance(skipped, at),
            OnSkip::Exit => self.exit(ExitReason::Skipped, at),
        }
    }

    /// Where an enrollment goes when what a step waited for did not happen in time.
    pub fn give_up(&self, wait: &WaitFor, waited: &StepPlan, at: Walk<'_>) -> Move {
        match &wait.otherwise {
            Otherwise::Next => self.advance(waited, at),
            Otherwise::Exit => self.exit(ExitReason::WaitExpired, at),
            Otherwise::Step(id) => match self.step_named(id) {
                Some(step) => self.jump(step, at),
                None => self.advance(waited, at),
            },
        }
    }

    /// Straight to a step, not to the one that follows.
    pub fn jump(&self, to: &StepPlan, at: Walk<'_>) -> Move {
        let timing = enrollment::retime(&to.step, at.now, at.reckoning);
        let next = enrollment::Next {
            step: &to.step,
            timing,
        };
        self.to(&next, at).unwrap_or_else(|| self.complete(at))
    }

    /// Whether the customer is never sent this: in the flow's holdout, or in the control group, which
    /// counts neither for services nor for what a person sends.
    pub fn holds_out(&self, catalog: &Catalog, action: &ActionPlan, customer: &Customer) -> bool {
        let (who, flow) = (customer.external_id.as_str(), self.flow.id.as_str());
        let group = catalog.revision().policy.control_group;
        let by_person = self.segment == NO_SEGMENT;
        let controlled = !action.is_service && !by_person;
        let holdout = self.flow.entry.holdout;
        (controlled && group > 0 && draw(&["control-group", who]) < group)
            || (holdout > 0 && draw(&["holdout", who, flow]) < holdout)
    }

    /// Which of several ways to say it this customer is told.
    pub fn variant_of<'a>(
        &self,
        step: &StepPlan,
        action: &'a ActionPlan,
        customer: &Customer,
    ) -> Option<&'a str> {
        let (flow, step) = (self.flow.id.as_str(), step.step.id.as_str());
        let variant = action
            .content
            .variant_for(&customer.external_id, flow, step);
        variant.map(|variant| variant.id.as_str())
    }

    pub fn complete(&self, at: Walk<'_>) -> Move {
        Move::Completed {
            look_again: self.look_again(at),
        }
    }

    pub fn exit(&self, reason: ExitReason, at: Walk<'_>) -> Move {
        Move::Exited {
            reason,
            look_again: self.look_again(at),
        }
    }

    fn to(&self, next: &enrollment::Next<'_>, at: Walk<'_>) -> Option<Move> {
        Some(Move::To {
            step: self.step_named(&next.step.id)?.number,
            lane: next.step.lane(),
            anchor: next.timing.anchor,
            planned: next.timing.planned,
            revision: if next.timing.provisional {
                UNTIMED
            } else {
                at.revision
            },
        })
    }

    /// When the customer may enter again, if the flow lets them after a time.
    fn look_again(&self, at: Walk<'_>) -> Option<Timestamp> {
        if self.flow.entry.schedule.is_some() {
            return None;
        }
        match self.flow.entry.reentry {
            Reentry::Once | Reentry::EveryRequalification => None,
            Reentry::Every(span) => Some(calendar::after(at.started_at, span, at.reckoning.zone)),
        }
    }

    /// The first step and its lane.
    pub fn entrance(&self) -> Option<(NameNo, Lane)> {
        self.steps
            .first()
            .map(|first| (first.number, first.step.lane()))
    }
}

/// When and where a customer takes a step.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    pub now: Timestamp,
    pub reckoning: Reckoning<'a>,
    pub started_at: Timestamp,
    pub revision: RevisionNo,
}
