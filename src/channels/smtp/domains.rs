//! Owns how much mail goes to a recipient's domain at once and in a time, and how long a domain is left alone that asks for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use crate::channels::detail::clean;
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::gateway::{DomainLimit, SmtpGateway};

/// A turn so near is waited for; for one that is further off the mail goes back, and others take its slot.
const NEAR: Duration = Duration::from_secs(2);
/// When to come again where all connections of a domain are in use.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a domain is left alone that said it is busy; each further time twice as long.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_hours(1);
/// So many domains are remembered before those are forgotten of which there is nothing to know.
const REMEMBERED: usize = 4096;

/// The limits of the configuration, and where each domain stands.
pub(super) struct Domains {
    limits: BTreeMap<String, DomainLimit>,
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// One domain.
struct Place {
    connections: Option<Arc<Semaphore>>,
    /// From one mail to the next.
    every: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The next free instant of the pace.
    free: Instant,
    /// The instant that the last mail was told which was sent back.
    told: Instant,
    /// How long it was last left alone.
    rest: Duration,
    rests_until: Instant,
}

/// A mail on its way to a domain.
pub(super) struct Pass {
    place: Arc<Place>,
    _connection: Option<OwnedSemaphorePermit>,
}

/// What the answer to a mail says of the recipient's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Takes,
    /// It asks to be left alone for a while.
    Busy,
    /// Nothing.
    Unknown,
}

/// It is not the turn of a mail yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotYet {
    domain: String,
    why: &'static str,
    wait: Duration,
}

impl From<NotYet> for Outcome {
    fn from(not_yet: NotYet) -> Self {
        let NotYet { domain, why, wait } = not_yet;
        Self::Deferred {
            detail: clean(&format!("{domain}: {why}")),
            retry_after: Some(wait),
            cause: DeferCause::Throttled,
        }
    }
}

impl Domains {
    pub(super) fn new(smtp: &SmtpGateway) -> Self {
        Self {
            limits: smtp.domains.clone(),
            places: Mutex::default(),
        }
    }

    /// Waits for the turn of a mail to `domain`, if it is near.
    pub(super) async fn enter(&self, domain: &str) -> Result<Pass, NotYet> {
        let domain = domain.to_ascii_lowercase();
        let place = self.place(&domain);
        match place.enter().await {
            Ok(connection) => Ok(Pass {
                place,
                _connection: connection,
            }),
            Err((why, wait)) => Err(NotYet { domain, why, wait }),
        }
    }

    fn place(&self, domain: &str) -> Arc<Place> {
        let named = self.limits.get(domain);
        let limit = named.or_else(|| self.limits.get(DomainLimit::OTHERS));
        let limit = limit.copied().unwrap_or_default();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= REMEMBERED && !places.contains_key(domain) {
            let now = Instant::now();
            places.retain(|_, place| Arc::strong_count(place) > 1 || !place.is_idle(now));
        }
        let place = places.entry(domain.to_owned());
        Arc::clone(place.or_insert_with(|| Arc::new(Place::new(limit))))
    }
}

impl Pass {
    /// Takes in what the answer said of the domain.
    pub(super) fn hear(&self, mood: Mood) {
        let mut state = self.place.state();
        match mood {
            Mood::Takes => state.rest = Duration::ZERO,
            Mood::Busy => {
                let now = Instant::now();
                // Those that were on their way together say it once.
                if state.rests_until <= now {
                    state.rest = (state.rest * 2).clamp(FIRST_REST, LONGEST_REST);
                    state.rests_until = now + state.rest;
                }
            }
            Mood::Unknown => {}
        }
    }
}

impl Place {
    fn new(limit: DomainLimit) -> Self {
        let now = Instant::now();
        let connections = limit.connections.map(|count| count.max(1) as usize);
        Self {
            connections: connections.map(|count| Arc::new(Semaphore::new(count))),
            every: limit
                .pace
                .map(|pace| Duration::from_secs_f64(1.0 / pace.per_second().max(1e-6))),
            state: Mutex::new(State {
                free: now,
                told: now,
                rest: Duration::ZERO,
                rests_until: now,
            }),
        }
    }

    /// A connection's place at the mail's turn, else why not, and when to come again.
    async fn enter(&self) -> Result<Option<OwnedSemaphorePermit>, (&'static str, Duration)> {
        let rests = |state: &State| state.rests_until.duration_since(Instant::now());
        let rest = rests(&self.state());
        if !rest.is_zero() {
            return Err(("it asked to be left alone for a while", rest));
        }
        let connection = match &self.connections {
            None => None,
            Some(connections) => {
                let free = timeout(NEAR, Arc::clone(connections).acquire_owned()).await;
                let full = |()| ("all its connections are in use", AGAIN);
                Some(free.map_err(|_| full(()))?.map_err(|_| full(()))?)
            }
        };
        let turn = self.turn();
        sleep_until(turn.map_err(|wait| ("its pace is kept", wait))?).await;
        Ok(connection)
    }

    /// The instant of the pace, else how far off there is one: for each mail that asks another.
    fn turn(&self) -> Result<Instant, Duration> {
        let now = Instant::now();
        let Some(every) = self.every else {
            return Ok(now);
        };
        let mut state = self.state();
        let turn = state.free.max(now);
        if turn.duration_since(now) <= NEAR {
            state.free = turn + every;
            return Ok(turn);
        }
        state.told = state.told.max(turn) + every;
        Err(state.told.duration_since(now))
    }

    fn is_idle(&self, now: Instant) -> bool {
        let state = self.state();
        state.rests_until <= now && state.free <= now
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gateway::{Pace, Secretive, SmtpSecurity};

    fn domains(limits: &[(&str, DomainLimit)]) -> Domains {
        let limits = limits.iter();
        Domains::new(&SmtpGateway {
            host: Secretive("relay.test".to_owned()),
            port: Secretive("25".to_owned()),
            security: SmtpSecurity::None,
            username: None,
            password: None,
            ca_file: None,
            domains: limits
                .map(|(domain, limit)| ((*domain).to_owned(), *limit))
                .collect(),
        })
    }

    fn connections(count: u32) -> DomainLimit {
        DomainLimit {
            connections: Some(count),
            pace: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_held_up_without_a_limit() {
        let domains = domains(&[("big.test", connections(1))]);
        let _first = domains.enter("small.test").await.unwrap();
        let _second = domains.enter("small.test").await.unwrap();
        let _big = domains.enter("BIG.test").await.unwrap();
        assert!(domains.enter("big.test").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_domain_whose_connections_are_in_use_lets_others_go() {
        let domains = domains(&[("*", connections(1))]);
        let first = domains.enter("a.test").await.unwrap();
        let begun = Instant::now();
        let late = domains.enter("a.test").await.err().unwrap();
        assert_eq!((late.wait, begun.elapsed()), (AGAIN, NEAR));
        assert!(domains.enter("b.test").await.is_ok());
        drop(first);
        assert!(domains.enter("a.test").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_is_kept_and_each_mail_that_is_sent_back_is_told_another_time() {
        let pace = Pace {
            messages: 1,
            per_seconds: 2,
        };
        let limit = DomainLimit {
            connections: None,
            pace: Some(pace),
        };
        let domains = domains(&[("a.test", limit)]);
        let begun = Instant::now();
        for seconds in [0, 2] {
            domains.enter("a.test").await.unwrap();
            assert_eq!(begun.elapsed(), Duration::from_secs(seconds));
        }
        let both = tokio::join!(domains.enter("a.test"), domains.enter("a.test"));
        assert!(both.0.is_ok());
        assert_eq!(both.1.err().unwrap().wait, Duration::from_secs(6));
        let next = tokio::join!(domains.enter("a.test"), domains.enter("a.test"));
        assert_eq!(next.1.err().unwrap().wait, Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_domain_is_left_alone_longer_each_time_until_it_takes_mail() {
        let domains = domains(&[("*", DomainLimit::default())]);
        let wait = async || domains.enter("a.test").await;
        let (one, other) = (wait().await.unwrap(), wait().await.unwrap());
        one.hear(Mood::Busy);
        other.hear(Mood::Busy);
        assert_eq!(wait().await.err().unwrap().wait, FIRST_REST);
        assert!(domains.enter("b.test").await.is_ok());
        tokio::time::advance(FIRST_REST).await;
        wait().await.unwrap().hear(Mood::Busy);
        assert_eq!(wait().await.err().unwrap().wait, FIRST_REST * 2);
        tokio::time::advance(FIRST_REST * 2).await;
        wait().await.unwrap().hear(Mood::Takes);
        wait().await.unwrap().hear(Mood::Busy);
        assert_eq!(wait().await.err().unwrap().wait, FIRST_REST);
    }
}
