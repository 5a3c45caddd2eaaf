//! Owns what becomes of those who wait: where they move, when they are due, and what goes out at once.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::candidate::Candidate;
use super::outcome::{FlowImpact, Moved, Spread, add};
use crate::domain::channel::Channel;
use crate::domain::enrollment;
use crate::domain::flow::{Flow, FlowStatus, OnEdit, Step};
use crate::domain::gate::Verdict;
use crate::domain::ids::{BUCKETS, NameNo};
use crate::domain::revision::Revision;
use crate::engine::catalog::FlowPlan;
use crate::engine::foretell::foretell_all;
use crate::store::{Due, Result, Store, Wait};

/// Buckets that are read at once.
const STRIDE: u16 = 64;
/// Messages that the gate is asked about at once.
const BATCH: usize = 1_000;

/// Who stands at which step of a flow.
type Standing = BTreeMap<NameNo, u64>;

/// Looks at everybody who waits in the flows that are concerned.
pub(super) async fn look(
    store: &Store,
    candidate: &Candidate,
    was: &Revision,
    flows: &mut [FlowImpact],
    now: Timestamp,
) -> Result<()> {
    let catalog = &candidate.catalog;
    let mut looks: BTreeMap<NameNo, Look<'_>> = BTreeMap::new();
    for (place, impact) in flows.iter().enumerate() {
        let number = candidate.flow(&impact.flow);
        let plan = number.and_then(|number| catalog.flows.get(&number));
        let before = was.flows.get(&impact.flow);
        if let (Some(plan), Some(before), true) = (plan, before, impact.live > 0) {
            looks.insert(plan.number, Look::new(place, plan, before));
        }
    }
    let numbers: Vec<NameNo> = looks.keys().copied().collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let zone_field = &catalog.revision().policy.zone_field;
    let mut at_once: Vec<Due> = Vec::new();
    let mut begin = 0;
    while begin < BUCKETS {
        let end = (begin + STRIDE).min(BUCKETS);
        for wait in store.waits(&numbers, zone_field, begin..end).await? {
            if let Some(look) = looks.get_mut(&wait.due.flow) {
                at_once.extend(look.at(candidate, &mut flows[look.place], &wait, now));
            }
        }
        begin = end;
    }
    for look in looks.values() {
        look.finish(store, candidate, &mut flows[look.place])
            .await?;
    }
    for dues in at_once.chunks(BATCH) {
        let told = foretell_all(store, (catalog, &candidate.states), dues, now).await?;
        for (due, verdict) in dues.iter().zip(told) {
            if let Some(look) = looks.get(&due.flow) {
                flows[look.place].tell(verdict);
            }
        }
    }
    Ok(())
}

/// One flow while it is looked at.
struct Look<'a> {
    place: usize,
    plan: &'a FlowPlan,
    before: &'a Flow,
    /// Those who wait are timed anew.
    retimes: bool,
    standing: Standing,
    spread: BTreeMap<i64, (u64, u64)>,
}

impl<'a> Look<'a> {
    fn new(place: usize, plan: &'a FlowPlan, before: &'a Flow) -> Self {
        let timed = |flow: &Flow| -> Vec<_> {
            let steps = flow.steps.iter();
            steps
                .map(|step| (step.id.clone(), step.when.clone(), step.at))
                .collect()
        };
        let is_active = plan.flow.status == FlowStatus::Active;
        Self {
            retimes: is_active
                && plan.flow.on_edit == OnEdit::Recompute
                && timed(before) != timed(&plan.flow),
            place,
            plan,
            before,
            standing: Standing::new(),
            spread: BTreeMap::new(),
        }
    }

    /// Notes one who waits; the row as it would be, if it is due at once and was not.
    fn at(
        &mut self,
        candidate: &Candidate,
        impact: &mut FlowImpact,
        wait: &Wait,
        now: Timestamp,
    ) -> Option<Due> {
        *self.standing.entry(wait.due.step).or_default() += 1;
        if !self.retimes {
            return None;
        }
        let step = self.plan.step(wait.due.step)?;
        let catalog = &candidate.catalog;
        let zone = catalog.zone_named(wait.zone.as_deref());
        let timing = enrollment::retime(&step.step, wait.due.anchor, catalog.reckoning(&zone));
        if timing.provisional {
            // Its own date is asked when it is looked at, whatever the files say.
            return None;
        }
        let (was, is) = (wait.due.due, timing.planned);
        match is.cmp(&was) {
            Ordering::Less => impact.sooner += 1,
            Ordering::Greater => impact.later += 1,
            Ordering::Equal => return None,
        }
        let day = |at: Timestamp| (at.duration_since(now).as_hours() / 24).max(0);
        self.spread.entry(day(was)).or_default().0 += 1;
        self.spread.entry(day(is)).or_default().1 += 1;
        let is_sudden = is <= now && was > now && !wait.is_parked;
        is_sudden.then(|| Due {
            due: is,
            planned: is,
            lane: step.step.lane(),
            ..wait.due.clone()
        })
    }

    async fn finish(
        &self,
        store: &Store,
        candidate: &Candidate,
        impact: &mut FlowImpact,
    ) -> Result<()> {
        impact.spread = self
            .spread
            .iter()
            .map(|(day, (before, after))| Spread {
                day: *day,
                before: *before,
                after: *after,
            })
            .collect();
        self.moves(candidate, impact);
        self.never(candidate, impact);
        self.twice(store, candidate, impact).await
    }

    fn moves(&self, candidate: &Candidate, impact: &mut FlowImpact) {
        let catalog = &candidate.catalog;
        for gone in self.gone() {
            let number = catalog.published.numbers.step(&self.before.id, &gone.id);
            let people = number.and_then(|number| self.standing.get(&number));
            let (Some(number), Some(people)) = (number, people) else {
                continue;
            };
            let to = catalog.successors.get(&number).copied().flatten();
            let to = to.and_then(|to| self.plan.step(to));
            impact.moves.push(Moved {
                from: gone.id.clone(),
                to: to.map(|to| to.step.id.clone()),
                people: *people,
            });
        }
    }

    fn gone(&self) -> impl Iterator<Item = &Step> {
        let steps = self.before.steps.iter();
        steps.filter(|step| self.plan.flow.step(&step.id).is_none())
    }

    /// Where somebody goes on in the new order who stands at a step of the old one.
    fn place_of(&self, candidate: &Candidate, at: NameNo) -> usize {
        let here = |number: NameNo| {
            self.plan
                .steps
                .iter()
                .position(|step| step.number == number)
        };
        let successor = || candidate.catalog.successors.get(&at).copied().flatten();
        let found = here(at).or_else(|| successor().and_then(here));
        found.unwrap_or(self.plan.steps.len())
    }

    /// A step that was ahead, or is new, and is behind them now.
    fn never(&self, candidate: &Candidate, impact: &mut FlowImpact) {
        let numbers = &candidate.catalog.published.numbers;
        let old = |number: NameNo| {
            let mut steps = self.before.steps.iter();
            steps.position(|step| numbers.step(&self.before.id, &step.id) == Some(number))
        };
        for (at, people) in &self.standing {
            let here = self.place_of(candidate, *at);
            let stood = old(*at);
            for step in self.plan.steps.iter().take(here) {
                let was = old(step.number);
                let was_ahead = was.is_none_or(|was| stood.is_some_and(|stood| was >= stood));
                if was_ahead && !step.actions.is_empty() {
                    add(&mut impact.never, step.step.id.clone(), *people);
                }
            }
        }
    }

    /// A step that says what one said that is gone, and is ahead of those who had that.
    async fn twice(
        &self,
        store: &Store,
        candidate: &Candidate,
        impact: &mut FlowImpact,
    ) -> Result<()> {
        let numbers = &candidate.catalog.published.numbers;
        for gone in self.gone().filter(|gone| !gone.actions.is_empty()) {
            let Some(number) = numbers.step(&self.before.id, &gone.id) else {
                continue;
            };
            for (place, step) in self.plan.steps.iter().enumerate() {
                let is_new = self.before.step(&step.step.id).is_none();
                if !is_new || step.step.actions != gone.actions {
                    continue;
                }
                let standing = self.standing.keys().copied();
                let behind: Vec<NameNo> = standing
                    .filter(|at| self.place_of(candidate, *at) <= place)
                    .collect();
                let people = store.sent_before(&behind, number).await?;
                add(&mut impact.twice, step.step.id.clone(), people);
            }
        }
        Ok(())
    }
}

impl FlowImpact {
    fn tell(&mut self, verdict: Option<(Channel, Verdict)>) {
        let at_once = &mut self.at_once;
        at_once.people += 1;
        match verdict {
            None => at_once.go_on += 1,
            Some((channel, Verdict::Send)) => add(&mut at_once.sent, channel, 1),
            Some((_, Verdict::Hold { .. })) => at_once.held += 1,
            Some((_, Verdict::Withhold(reason) | Verdict::Exit(reason, _))) => {
                add(&mut at_once.withheld, reason.as_str(), 1);
            }
        }
    }
}
