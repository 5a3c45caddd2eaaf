//! Owns what anybody would work out with pen and paper: one customer's way through one flow, hour by hour.
//!
//! It shares nothing with the engine: no store, no batches, no due times that are moved, no SQL.

use std::collections::BTreeSet;

/// Hours since the start.
pub(super) type Hour = u32;

const MAX_LATENESS: Hour = 72;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Email,
    Sms,
    /// A waiting place.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) id: &'static str,
    pub(super) after: Hour,
    pub(super) by: By,
    /// Sent only to those with five points or more.
    pub(super) asks: bool,
    pub(super) exits_on_skip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    AtEveryReturn,
    Every(Hour),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) steps: Vec<Step>,
    pub(super) again: Again,
    pub(super) exits_on_leaving: bool,
    pub(super) exits_on_conversion: bool,
    pub(super) freezes: bool,
}

impl Flow {
    fn place(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }

    fn timing(&self) -> Vec<(&'static str, Hour)> {
        let steps = self.steps.iter();
        steps.map(|step| (step.id, step.after)).collect()
    }

    fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Where those go who wait at a step of `was` that is no more.
    fn instead_of(&self, was: &Self, gone: &str) -> Option<&'static str> {
        let place = was.place(gone).unwrap();
        for later in &was.steps[place + 1..] {
            if self.step(later.id).is_some() {
                return Some(later.id);
            }
        }
        for passed in was.steps[..place].iter().rev() {
            if let Some(place) = self.place(passed.id) {
                return self.steps.get(place + 1).map(|step| step.id);
            }
        }
        (place == 0).then(|| self.steps[0].id)
    }
}

/// What happens to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Comes,
    Goes,
    Points(u8),
    Converts,
    Unsubscribes,
    SmsOff,
    LosesEmail,
    GetsEmail,
}

#[derive(Debug)]
struct Run {
    since: Hour,
    at: &'static str,
    /// When the step before was finished.
    from: Hour,
    due: Hour,
    /// When the step was meant: before `due` when an edit made it earlier than it can be.
    meant: Hour,
    had: BTreeSet<&'static str>,
    /// Where to go from a step that is gone.
    then: Option<&'static str>,
    /// How the step spoke when the customer was timed.
    by: By,
}

/// One customer and one flow.
#[derive(Debug)]
pub(super) struct Oracle {
    flow: Flow,
    is_in: bool,
    points: u8,
    /// The reasons for which nothing, or nothing on a channel, is sent.
    bars: BTreeSet<&'static str>,
    run: Option<Run>,
    entries: u32,
    last: Option<Hour>,
    /// When it is looked whether the customer enters again.
    look: Option<Hour>,
    /// What happened: the hour and a line.
    pub(super) told: Vec<(Hour, String)>,
}

impl Oracle {
    pub(super) fn new(flow: Flow) -> Self {
        Self {
            flow,
            is_in: false,
            points: 0,
            bars: BTreeSet::new(),
            run: None,
            entries: 0,
            last: None,
            look: None,
            told: Vec::new(),
        }
    }

    fn tell(&mut self, now: Hour, line: impl Into<String>) {
        self.told.push((now, line.into()));
    }

    /// Lives until an hour, that included.
    pub(super) fn live(&mut self, until: Hour) {
        loop {
            let due = self.run.as_ref().map(|run| run.due);
            let look = self.look.filter(|_| self.run.is_none());
            let Some(next) = due.into_iter().chain(look).min().filter(|at| *at <= until) else {
                return;
            };
            if due == Some(next) {
                self.take_step(next);
            } else {
                self.look = None;
                if self.is_in {
                    self.enter(next);
                }
            }
        }
    }

    pub(super) fn happens(&mut self, now: Hour, event: Event) {
        self.live(now);
        match event {
            Event::Comes if !self.is_in => {
                self.is_in = true;
                self.may_enter(now);
            }
            Event::Goes => {
                self.is_in = false;
                if self.flow.exits_on_leaving {
                    self.exit(now, "left_segment");
                }
            }
            Event::Converts if self.flow.exits_on_conversion && self.counts(now) => {
                self.exit(now, "exit_condition");
            }
            Event::Comes | Event::Converts => {}
            Event::Points(points) => self.points = points,
            Event::Unsubscribes => drop(self.bars.insert("unsubscribed_everything")),
            Event::SmsOff => drop(self.bars.insert("channel_off")),
            Event::LosesEmail => drop(self.bars.insert("address_missing")),
            Event::GetsEmail => drop(self.bars.remove("address_missing")),
        }
        self.live(now);
    }

    /// What ended a run is done before the next one, even if it follows at once.
    fn counts(&self, now: Hour) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.since < now || self.entries == 1)
    }

    fn may_enter(&mut self, now: Hour) {
        let may = match (self.flow.again, self.last) {
            _ if self.run.is_some() => false,
            (_, None) | (Again::AtEveryReturn, _) => true,
            (Again::Never, Some(_)) => false,
            (Again::Every(span), Some(last)) => now >= last + span,
        };
        if may {
            self.enter(now);
        }
    }

    fn enter(&mut self, now: Hour) {
        self.tell(now, "enters");
        self.entries += 1;
        self.last = Some(now);
        self.look = None;
        let first = self.flow.steps[0].clone();
        self.run = Some(Run {
            since: now,
            at: first.id,
            from: now,
            due: now + first.after,
            meant: now + first.after,
            had: BTreeSet::new(),
            then: None,
            by: first.by,
        });
    }

    fn exit(&mut self, now: Hour, reason: &str) {
        if self.run.is_some() {
            self.tell(now, format!("f exited {reason}"));
            self.end(now);
        }
    }

    fn end(&mut self, now: Hour) {
        let run = self.run.take().unwrap();
        if let Again::Every(span) = self.flow.again {
            self.look = Some((run.since + span).max(now));
        }
    }

    /// To a step, or to the end.
    fn go(&mut self, now: Hour, to: Option<&'static str>) {
        let Some(step) = to.and_then(|to| self.flow.step(to)).cloned() else {
            self.tell(now, "f completed");
            self.end(now);
            return;
        };
        let run = self.run.as_mut().unwrap();
        (run.at, run.by, run.then) = (step.id, step.by, None);
        (run.from, run.due, run.meant) = (now, now + step.after, now + step.after);
    }

    fn take_step(&mut self, now: Hour) {
        let run = self.run.as_ref().unwrap();
        let (at, by, then) = (run.at, run.by, run.then);
        let Some(place) = self.flow.place(at) else {
            if by != By::Nothing && self.run.as_mut().unwrap().had.insert(at) {
                self.tell(now, format!("{at} withheld step_removed"));
            }
            return self.go(now, then);
        };
        let step = self.flow.steps[place].clone();
        let next = self.flow.steps.get(place + 1).map(|step| step.id);
        if step.by == By::Nothing || run.had.contains(at) {
            return self.go(now, next);
        }
        self.run.as_mut().unwrap().had.insert(at);
        match self.obstacle(now, &step) {
            None => self.tell(now, format!("{at} sent")),
            Some(reason) => {
                self.tell(now, format!("{at} withheld {reason}"));
                if step.exits_on_skip {
                    return self.exit(now, "skipped");
                }
            }
        }
        self.go(now, next);
    }

    fn obstacle(&self, now: Hour, step: &Step) -> Option<&'static str> {
        let meant = self.run.as_ref().unwrap().meant;
        let barred = |by: By, reason| (step.by == by).then(|| self.bars.get(reason).copied())?;
        let of_all = self.bars.get("unsubscribed_everything").copied();
        let asked = (step.asks && self.points < 5).then_some("send_condition_false");
        let late = (now > meant + MAX_LATENESS).then_some("late");
        barred(By::Sms, "channel_off")
            .or(of_all)
            .or(asked)
            .or_else(|| barred(By::Email, "address_missing"))
            .or(late)
    }

    /// Other files are in force.
    pub(super) fn edited(&mut self, now: Hour, flow: &Flow) {
        self.live(now);
        let was = std::mem::replace(&mut self.flow, flow.clone());
        let Some(run) = self.run.as_mut() else {
            return;
        };
        match flow.step(run.at) {
            Some(step) => {
                run.then = None;
                if !self.flow.freezes && was.timing() != flow.timing() {
                    run.by = step.by;
                    run.meant = run.from + step.after;
                    run.due = run.meant.max(now);
                }
            }
            None if was.step(run.at).is_some() => run.then = flow.instead_of(&was, run.at),
            // The step to go to is gone as well: they go on as those do who wait there.
            None => {
                let gone = run.then.filter(|then| flow.step(then).is_none());
                run.then = match gone {
                    Some(gone) => flow.instead_of(&was, gone),
                    None => run.then,
                };
            }
        }
        self.live(now);
    }
}
