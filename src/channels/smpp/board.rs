//! Owns which sessions there are: who has room, how much each may carry, and when a new one is tried.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::session::Session;
use super::stage::{Failure, Timeouts};

/// The places for sessions, and who waits for one.
pub(super) struct Board {
    places: Mutex<Vec<Place>>,
    window: u32,
    timeouts: Timeouts,
    /// There may be room.
    pub(super) room: Notify,
    /// A session began or ended.
    pub(super) turned: Notify,
}

#[derive(Default)]
struct Place {
    state: State,
    /// Messages that are with it.
    load: u32,
    /// How many it may have: fewer after the centre said that it is too fast.
    allowed: u32,
    /// Since then.
    taken: u32,
    calm_until: Option<Instant>,
    failures: u32,
    rest_until: Option<Instant>,
}

#[derive(Default)]
enum State {
    #[default]
    Closed,
    Opening,
    Bound(Arc<Session>),
}

/// What whoever needs a session finds.
pub(super) enum Found {
    Seat(Seat),
    /// This place is to be opened, by whoever found it.
    Open(usize),
    /// There is none free now, perhaps until then.
    Wait(Option<Instant>),
    /// None can be had before then.
    Down(Failure, Instant),
}

/// The right to have one message with a session.
pub(super) struct Seat {
    board: Arc<Board>,
    place: usize,
    pub(super) session: Arc<Session>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.board.places();
        if let Some(place) = places.get_mut(self.place) {
            place.load = place.load.saturating_sub(1);
        }
        drop(places);
        self.board.room.notify_one();
    }
}

impl Board {
    pub(super) fn new(sessions: u32, window: u32, timeouts: Timeouts) -> Arc<Self> {
        let places = (0..sessions.max(1)).map(|_| Place::default()).collect();
        Arc::new(Self {
            places: Mutex::new(places),
            window: window.max(1),
            timeouts,
            room: Notify::new(),
            turned: Notify::new(),
        })
    }

    /// Room in a bound session; another is opened only when those that there are have none.
    pub(super) fn seat(self: &Arc<Self>, last: &Mutex<Option<Failure>>) -> Found {
        let now = Instant::now();
        let mut places = self.places();
        for (at, place) in places.iter_mut().enumerate() {
            if let State::Bound(session) = &place.state
                && !session.is_over()
                && place.load < place.allowed
                && place.calm_until.is_none_or(|until| until <= now)
            {
                let session = Arc::clone(session);
                place.load += 1;
                return Found::Seat(Seat {
                    board: Arc::clone(self),
                    place: at,
                    session,
                });
            }
        }
        let calm = places.iter().filter_map(|place| place.calm_until);
        let calm = calm.filter(|until| *until > now).min();
        open(&mut places, now, calm, last)
    }

    /// The same for whoever only wants one session to be there.
    pub(super) fn attend(&self, last: &Mutex<Option<Failure>>) -> Found {
        let mut places = self.places();
        if places.iter().any(Place::is_bound) {
            return Found::Wait(None);
        }
        open(&mut places, Instant::now(), None, last)
    }

    pub(super) fn has_session(&self) -> bool {
        let places = self.places();
        places
            .iter()
            .any(|place| matches!(place.state, State::Bound(_)))
    }

    pub(super) fn bound(&self, at: usize, session: Arc<Session>) {
        if let Some(place) = self.places().get_mut(at) {
            // It may have ended before this was said.
            place.state = if session.is_over() {
                State::Closed
            } else {
                State::Bound(session)
            };
            place.allowed = self.window;
            place.calm_until = None;
            place.rest_until = None;
        }
        self.turn();
    }

    /// A session could not be had, or has ended. One that had served is opened again at once.
    pub(super) fn closed(&self, at: usize, had_served: bool) {
        if let Some(place) = self.places().get_mut(at) {
            place.state = State::Closed;
            if had_served {
                place.failures = 0;
                place.rest_until = None;
            } else {
                let rest = self.rest(place.failures);
                place.failures = place.failures.saturating_add(1);
                place.rest_until = Some(Instant::now() + rest);
            }
        }
        self.turn();
    }

    fn turn(&self) {
        self.room.notify_waiters();
        self.turned.notify_waiters();
    }

    /// Full jitter, so that nodes that lost the centre together do not come back together.
    fn rest(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX);
        let most = self.timeouts.first_rest.saturating_mul(factor);
        let mut byte = [u8::MAX];
        // Without chance the rest is the longest.
        if rand::fill(&mut byte).is_err() {
            byte = [u8::MAX];
        }
        most.min(self.timeouts.longest_rest) * u32::from(byte[0]) / u32::from(u8::MAX)
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn is_bound(&self) -> bool {
        matches!(&self.state, State::Bound(session) if !session.is_over())
    }
}

/// One is opened at a time: those who wait for it may all find room in it.
fn open(
    places: &mut [Place],
    now: Instant,
    calm: Option<Instant>,
    last: &Mutex<Option<Failure>>,
) -> Found {
    let opening = places
        .iter()
        .any(|place| matches!(place.state, State::Opening));
    if opening {
        return Found::Wait(calm);
    }
    let is_rested = |place: &Place| place.rest_until.is_none_or(|until| until <= now);
    let free = places
        .iter()
        .position(|place| matches!(place.state, State::Closed) && is_rested(place));
    if let Some(at) = free {
        places[at].state = State::Opening;
        return Found::Open(at);
    }
    let rest = places.iter().filter_map(|place| place.rest_until).min();
    let last = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match (places.iter().any(Place::is_bound), last, rest) {
        (false, Some(failure), Some(rest)) => Found::Down(failure, rest),
        // One is about to be seen as ended, or all are full.
        _ => Found::Wait(calm),
    }
}

impl Seat {
    /// The centre took a message: a session that was slowed down may carry more again.
    pub(super) fn taken(&self) {
        let mut places = self.board.places();
        let Some(place) = places.get_mut(self.place) else {
            return;
        };
        place.taken += 1;
        if place.allowed < self.board.window && place.taken >= place.allowed {
            place.allowed += 1;
            place.taken = 0;
            drop(places);
            self.board.room.notify_one();
        }
    }

    /// The centre asked for less: half as many at once, after a pause.
    pub(super) fn throttled(&self) {
        let mut places = self.board.places();
        let Some(place) = places.get_mut(self.place) else {
            return;
        };
        let now = Instant::now();
        // Those that were under way together are one complaint.
        if place.calm_until.is_none_or(|until| until <= now) {
            place.allowed = (place.allowed / 2).max(1);
            place.calm_until = Some(now + self.board.timeouts.pause);
        }
        place.taken = 0;
    }
}
