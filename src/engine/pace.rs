//! Owns the pace of a channel at the hand-over: the instants at which its messages go, one after the other.
//!
//! It is the virtual scheduling of ITU-T I.371: who comes late takes the next free instant, and what was
//! missed is lost. So nothing late is ever a burst, however long a commit took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::gateway::Pace;

/// So much of the pace may be claimed and wait for its instants: they are used while more is being claimed.
const AHEAD: Duration = Duration::from_millis(250);
/// What was missed by less than this is made up for: timers wake a millisecond or two late.
const LATE: Duration = Duration::from_millis(15);

/// The messages of a channel that wait for their instants.
#[derive(Debug)]
pub(super) struct Line {
    /// From one instant to the next.
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The next free instant.
    free: Instant,
    waiting: u32,
}

/// One message in the line, until its turn has come.
#[derive(Debug)]
pub(super) struct Waiting {
    line: Arc<Line>,
    is_over: bool,
}

impl Line {
    pub(super) fn new(pace: Pace) -> Arc<Self> {
        let span = u128::from(pace.per_seconds.max(1)) * 1_000_000_000;
        let every = span.div_ceil(u128::from(pace.messages.max(1)));
        let state = State {
            free: Instant::now(),
            waiting: 0,
        };
        Arc::new(Self {
            every: Duration::from_nanos(u64::try_from(every).unwrap_or(u64::MAX)),
            state: Mutex::new(state),
        })
    }

    /// How many more may be claimed now; a few are not worth it where the line holds many: none.
    pub(super) fn room(&self) -> u32 {
        let now = Instant::now();
        if !self.rests(now).is_zero() {
            return 0;
        }
        let ahead = (now + AHEAD).saturating_duration_since(self.next(now));
        self.instants(ahead)
    }

    /// How long nothing may be claimed.
    pub(super) fn rests(&self, now: Instant) -> Duration {
        let worth_it = self.instants(AHEAD).div_ceil(2);
        let last = self.next(now) + self.every * (worth_it - 1);
        last.saturating_duration_since(now + AHEAD)
    }

    /// So many are about to be claimed.
    pub(super) fn join(&self, messages: u32) {
        self.state().waiting += messages;
    }

    /// So many were not claimed after all.
    pub(super) fn leave(&self, messages: u32) {
        self.state().waiting -= messages;
    }

    /// One of those that joined.
    pub(super) fn one(self: &Arc<Self>) -> Waiting {
        Waiting {
            line: Arc::clone(self),
            is_over: false,
        }
    }

    /// The instant of who would come now.
    fn next(&self, now: Instant) -> Instant {
        let state = self.state();
        state.free.max(now) + self.every * state.waiting
    }

    /// How many messages sleep until their instants, that none comes late: whoever sleeps wakes at a whole
    /// millisecond, and perhaps at the next.
    pub(super) fn sleepers(&self) -> u32 {
        self.instants(LATE)
    }

    /// How many instants a span holds, one at either end.
    fn instants(&self, span: Duration) -> u32 {
        let after_the_first = span.as_nanos() / self.every.as_nanos().max(1);
        u32::try_from(after_the_first + 1).unwrap_or(u32::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Waits for the message's instant.
    pub(super) async fn turn(&mut self) {
        let now = Instant::now();
        let at = self.take(now);
        if at > now {
            tokio::time::sleep_until(at).await;
        }
    }

    fn take(&mut self, now: Instant) -> Instant {
        let mut state = self.line.state();
        let at = state.free.max(now.checked_sub(LATE).unwrap_or(now));
        state.free = at + self.line.every;
        state.waiting -= u32::from(!self.is_over);
        self.is_over = true;
        at
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.line.leave(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    fn per_second(messages: u32) -> Arc<Line> {
        Line::new(Pace {
            messages,
            per_seconds: 1,
        })
    }

    fn claimed(line: &Arc<Line>) -> Vec<Waiting> {
        let room = line.room();
        line.join(room);
        (0..room).map(|_| line.one()).collect()
    }

    /// Hands all over at once, as tasks of their own: when each went.
    async fn handed_over(messages: Vec<Waiting>) -> Vec<Instant> {
        let turns = messages.into_iter().map(|mut message| {
            tokio::spawn(async move {
                message.turn().await;
                Instant::now()
            })
        });
        let turns: Vec<_> = turns.collect();
        let mut times = Vec::new();
        for turn in turns {
            times.push(turn.await.unwrap());
        }
        times
    }

    fn most_in(times: &[Instant], span: Duration) -> usize {
        let within = |from: usize| {
            let later = times[from..].iter();
            later.take_while(|at| **at - times[from] < span).count()
        };
        (0..times.len()).map(within).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn messages_go_evenly_though_commits_take_long() {
        let line = per_second(1_000);
        let (begun, mut times) = (Instant::now(), Vec::new());
        let mut going = tokio::task::JoinSet::new();
        for commit in 0..60 {
            let messages = claimed(&line);
            let takes = match commit {
                20 => 300,
                40 => 900,
                _ => 20,
            };
            tokio::time::sleep(Duration::from_millis(takes)).await;
            going.spawn(handed_over(messages));
        }
        while let Some(went) = going.join_next().await {
            times.extend(went.unwrap());
        }
        times.sort();
        assert!(times.len() > 1_500, "{}", times.len());
        let most = most_in(&times, TENTH);
        assert!((99..=116).contains(&most), "{most}");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn with_enough_to_send_the_pace_is_kept_to_the_percent() {
        let line = per_second(5_000);
        let begun = Instant::now();
        let mut going = tokio::task::JoinSet::new();
        let mut sent = 0;
        while sent < 50_000 {
            let messages = claimed(&line);
            sent += messages.len();
            going.spawn(handed_over(messages));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        while let Some(went) = going.join_next().await {
            went.unwrap();
        }
        let wanted = f64::from(u32::try_from(sent).unwrap()) / 5_000.0;
        let ratio = begun.elapsed().as_secs_f64() / wanted;
        assert!((0.99..1.01).contains(&ratio), "{ratio}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_pace_lets_one_be_claimed_shortly_before_its_instant() {
        let line = Line::new(Pace {
            messages: 6,
            per_seconds: 60,
        });
        handed_over(claimed(&line)).await;
        assert_eq!(line.room(), 0);
        let rests = line.rests(Instant::now());
        assert_eq!(rests, Duration::from_millis(9_750));
        tokio::time::advance(rests).await;
        assert_eq!(line.room(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_handed_over_leaves_its_place_to_others() {
        let line = per_second(100);
        let messages = claimed(&line);
        assert_eq!((messages.len(), line.room()), (26, 0));
        drop(messages);
        assert_eq!(line.room(), 26);
    }
}
