//! Owns the sessions of a gateway: which carries a message, when one is opened, and that one is there to listen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusmpp::Pdu;
use rusmpp::pdus::SubmitSm;
use tokio::sync::{Mutex as Turn, MutexGuard, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::channels::HandOver;

use super::board::{Board, Found, Seat};
use super::centre::Centre;
use super::ids::Siblings;
use super::session::{Session, Tell, Told};
use super::stage::{Cause, Failure, Stage};
use super::status::{Meaning, meaning};
use super::verdict::Taken;
use super::wire::Frame;

/// What sessions were told and nobody has stored yet.
const UNHEARD: usize = 1024;

/// At most so many sessions as the channel has connections. Dropping it unbinds them.
pub(super) struct Pool {
    parts: Arc<Parts>,
    told: Turn<mpsc::Receiver<Told>>,
    _closing: DropGuard,
}

/// What each session's task has of the pool.
struct Parts {
    centre: Centre,
    board: Arc<Board>,
    last: Mutex<Option<Failure>>,
    tell: Tell,
    closing: CancellationToken,
}

impl Pool {
    pub(super) fn new(centre: Centre, sessions: u32, window: u32) -> Self {
        let (to, told) = mpsc::channel(UNHEARD);
        let is_heard = Arc::new(AtomicBool::new(false));
        let closing = CancellationToken::new();
        let board = Board::new(sessions, window, centre.timeouts);
        Self {
            _closing: closing.clone().drop_guard(),
            parts: Arc::new(Parts {
                centre,
                board,
                last: Mutex::new(None),
                tell: Tell { to, is_heard },
                closing,
            }),
            told: Turn::new(told),
        }
    }

    /// Hands the parts over one after the other: what was refused before anything was taken may be
    /// tried again as a whole. The mark is set before the first, since each part reaches the phone
    /// by itself.
    pub(super) async fn carry(
        &self,
        parts: Vec<SubmitSm>,
        hand_over: &dyn HandOver,
        read_id: impl Fn(&str) -> String,
        siblings: &Siblings,
    ) -> (Taken, Result<(), Failure>) {
        let mut taken = Taken {
            ids: Vec::with_capacity(parts.len()),
            parts: parts.len(),
        };
        let patience = Instant::now() + self.parts.centre.response;
        for part in parts {
            let first = taken.ids.is_empty().then_some(hand_over);
            let frame = match first {
                Some(_) => self.submit(part, first).await,
                None => self.insist(part, patience).await,
            };
            match frame {
                Ok(frame) => {
                    taken.ids.push(message_id(&frame).map(|id| read_id(&id)));
                    siblings.remember(&taken.ids);
                }
                Err(failure) => return (taken, Err(failure)),
            }
        }
        (taken, Ok(()))
    }

    /// A further part that was certainly not taken is submitted again for a while: a message of
    /// which the phone has the half helps nobody.
    async fn insist(&self, part: SubmitSm, patience: Instant) -> Result<Frame, Failure> {
        loop {
            let failure = match self.submit(part.clone(), None).await {
                Ok(frame) => return Ok(frame),
                Err(failure) => failure,
            };
            let may_pass = match &failure.cause {
                Cause::Said(status) => matches!(
                    meaning(*status),
                    Meaning::Throttled | Meaning::Centre | Meaning::Later
                ),
                _ => failure.stage < Stage::Submit,
            };
            let pause = self.parts.centre.timeouts.pause;
            if !may_pass || Instant::now() + pause > patience {
                return Err(failure);
            }
            sleep(pause).await;
        }
    }

    async fn submit(
        &self,
        part: SubmitSm,
        hand_over: Option<&dyn HandOver>,
    ) -> Result<Frame, Failure> {
        let seat = self.seat().await?;
        let answer = seat.session.submit(part, hand_over).await;
        match &answer {
            Ok(_) => seat.taken(),
            Err(failure) => {
                if let Cause::Said(status) = failure.cause
                    && meaning(status) == Meaning::Throttled
                {
                    seat.throttled();
                }
            }
        }
        answer
    }

    async fn seat(&self) -> Result<Seat, Failure> {
        let board = &self.parts.board;
        loop {
            let room = board.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match board.seat(&self.parts.last) {
                Found::Seat(seat) => return Ok(seat),
                Found::Open(at) => Parts::open(&self.parts, at),
                Found::Down(failure, _) => return Err(failure),
                Found::Wait(None) => room.await,
                Found::Wait(Some(until)) => drop(timeout_at(until, room).await),
            }
        }
    }

    /// Keeps a session bound for as long as it is polled: what the centre has to tell comes to it.
    pub(super) async fn attend(&self) {
        let board = &self.parts.board;
        loop {
            let turned = board.turned.notified();
            tokio::pin!(turned);
            turned.as_mut().enable();
            match board.attend(&self.parts.last) {
                Found::Open(at) => Parts::open(&self.parts, at),
                Found::Down(_, until) => {
                    tokio::select! {
                        () = turned => {}
                        () = sleep_until(until) => {}
                    }
                }
                Found::Wait(_) | Found::Seat(_) => turned.await,
            }
        }
    }

    /// Unbinds every session, and waits until they are gone or had the time for it.
    pub(super) async fn close(&self) {
        self.parts.closing.cancel();
        let board = &self.parts.board;
        let gone = async {
            loop {
                let turned = board.turned.notified();
                tokio::pin!(turned);
                turned.as_mut().enable();
                if !board.has_session() {
                    return;
                }
                turned.await;
            }
        };
        let patience = self.parts.centre.timeouts.unbind.saturating_mul(2);
        drop(timeout_at(Instant::now() + patience, gone).await);
    }

    /// What the centre tells, in turn: one listens at a time.
    pub(super) async fn told(&self) -> Heard<'_> {
        let told = self.told.lock().await;
        let is_heard = &self.parts.tell.is_heard;
        is_heard.store(true, Ordering::Relaxed);
        Heard { told, is_heard }
    }
}

/// Says that somebody listens for as long as it lives.
pub(super) struct Heard<'a> {
    pub(super) told: MutexGuard<'a, mpsc::Receiver<Told>>,
    is_heard: &'a AtomicBool,
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        self.is_heard.store(false, Ordering::Relaxed);
    }
}

impl Parts {
    /// In a task of its own, so that whoever needed the session may give up without ending it.
    fn open(parts: &Arc<Self>, at: usize) {
        let own = Arc::clone(parts);
        tokio::spawn(async move {
            let opened = tokio::select! {
                opened = own.centre.open() => opened,
                () = own.closing.cancelled() => return,
            };
            match opened {
                Ok(line) => {
                    let over = Arc::clone(&own);
                    let session = Session::start(
                        &own.centre,
                        line,
                        own.tell.clone(),
                        own.closing.clone(),
                        move |session, failure| over.closed(at, session.has_served(), failure),
                    );
                    own.board.bound(at, session);
                }
                Err(failure) => own.closed(at, false, failure),
            }
        });
    }

    fn closed(&self, at: usize, had_served: bool, failure: Failure) {
        if !self.closing.is_cancelled() {
            tracing::warn!(
                why = failure.detail(),
                "there is no session with the message centre"
            );
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        self.board.closed(at, had_served);
    }
}

fn message_id(frame: &Frame) -> Option<String> {
    match &frame.pdu {
        Some(Pdu::SubmitSmResp(answer)) if !answer.message_id().is_empty() => {
            Some(answer.message_id().as_str().to_owned())
        }
        _ => None,
    }
}
