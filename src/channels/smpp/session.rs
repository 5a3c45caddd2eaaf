//! Owns one bound session: what is asked and answered, the life sign, and how it ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use rusmpp::pdus::{DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::bytes::Bytes;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use crate::channels::HandOver;
use crate::channels::tls::Duplex;

use super::centre::{Centre, Line};
use super::stage::{Cause, Failure, Stage};
use super::wire::{Frame, Frames, bytes};

/// More than the widest window: whoever leaves so much unread is not there any more.
const OUTBOX: usize = 2048;
/// The bind was the first.
const SECOND: u32 = 2;
/// SMPP 3.4 §3.2: numbers go up to here and begin again.
const LAST: u32 = 0x7FFF_FFFF;

/// Both sides may speak: requests of either, and answers in any order.
pub(super) struct Session {
    outbox: mpsc::Sender<Outgoing>,
    asked: Mutex<Asked>,
    heard: Mutex<Instant>,
    /// The centre has answered something: it not only lets us in.
    served: AtomicBool,
    ended: CancellationToken,
    response: Duration,
}

/// What the centre sent by itself, to be answered when it is stored.
pub(super) struct Told {
    pub(super) deliver: DeliverSm,
    pub(super) session: Arc<Session>,
    sequence: u32,
}

/// Where sessions bring what they are told.
#[derive(Clone)]
pub(super) struct Tell {
    pub(super) to: mpsc::Sender<Told>,
    /// Somebody listens: otherwise it is told again later, perhaps to another node.
    pub(super) is_heard: Arc<AtomicBool>,
}

struct Outgoing {
    bytes: Bytes,
    /// Of a request whose answer is awaited.
    sequence: Option<u32>,
}

struct Asked {
    next: u32,
    waiting: HashMap<u32, Waiting>,
    end: Option<Failure>,
}

struct Waiting {
    answer: oneshot::Sender<Result<Frame, Failure>>,
    written: bool,
}

/// Whoever gives up waiting is forgotten.
struct Forget<'a>(&'a Session, u32);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.asked().waiting.remove(&self.1);
    }
}

impl Session {
    /// Begins to read and write; `over` is called once when it has ended.
    pub(super) fn start(
        centre: &Centre,
        line: Line,
        tell: Tell,
        closing: CancellationToken,
        over: impl FnOnce(&Self, Failure) + Send + 'static,
    ) -> Arc<Self> {
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        let session = Arc::new(Self {
            outbox,
            asked: Mutex::new(Asked {
                next: SECOND,
                waiting: HashMap::new(),
                end: None,
            }),
            heard: Mutex::new(Instant::now()),
            served: AtomicBool::new(false),
            ended: CancellationToken::new(),
            response: centre.response,
        });
        let (enquire, unbind) = (centre.enquire_link, centre.timeouts.unbind);
        let own = Arc::clone(&session);
        tokio::spawn(async move {
            let Line { frames, writer } = line;
            let failure = tokio::select! {
                failure = own.read(frames, tell) => failure,
                failure = own.write(writer, outgoing) => failure,
                failure = own.keep(enquire, unbind, &closing) => failure,
            };
            own.end(&failure);
            over(&own, failure);
        });
        session
    }

    pub(super) fn is_over(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// Hands one part over and waits for the answer to it.
    pub(super) async fn submit(
        &self,
        part: SubmitSm,
        hand_over: Option<&dyn HandOver>,
    ) -> Result<Frame, Failure> {
        let frame = self.ask(part.into(), self.response, hand_over).await?;
        match (frame.id, frame.status) {
            (CommandId::GenericNack, status) => {
                Err(Failure::new(Stage::Submit, Cause::Nacked(status)))
            }
            (CommandId::SubmitSmResp, CommandStatus::EsmeRok) => Ok(frame),
            (CommandId::SubmitSmResp, status) => {
                Err(Failure::new(Stage::Submit, Cause::Said(status)))
            }
            (id, _) => {
                let words = format!("{id:?} came as its answer");
                Err(Failure::new(Stage::Submit, Cause::Unfit(words)))
            }
        }
    }

    /// Says whether what was told is stored; told again otherwise (SMPP 3.4 §4.6.2).
    pub(super) fn answer(&self, sequence: u32, status: CommandStatus) {
        self.reply(status, sequence, DeliverSmResp::default().into());
    }

    async fn ask(
        &self,
        pdu: Pdu,
        limit: Duration,
        hand_over: Option<&dyn HandOver>,
    ) -> Result<Frame, Failure> {
        let late = |stage| Failure::new(stage, Cause::Silent(limit));
        let room = match timeout(limit, self.outbox.reserve()).await {
            Ok(Ok(room)) => room,
            Ok(Err(_)) => return Err(self.why_over(Stage::Bound)),
            Err(_) => return Err(late(Stage::Bound)),
        };
        let (sequence, answer) = self.expect()?;
        let _forget = Forget(self, sequence);
        if let Some(hand_over) = hand_over {
            hand_over
                .mark()
                .map_err(|recalled| Failure::new(Stage::Bound, Cause::Recalled(recalled)))?;
        }
        room.send(Outgoing {
            bytes: bytes(CommandStatus::EsmeRok, sequence, pdu),
            sequence: Some(sequence),
        });
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.why_over(Stage::Submit)),
            // Should it still lie in the outbox, it is written later: nobody knows.
            Err(_) => Err(late(Stage::Submit)),
        }
    }

    fn expect(&self) -> Result<(u32, oneshot::Receiver<Result<Frame, Failure>>), Failure> {
        let mut asked = self.asked();
        if let Some(end) = &asked.end {
            return Err(end.at(Stage::Bound));
        }
        let sequence = asked.next;
        asked.next = if sequence >= LAST { 1 } else { sequence + 1 };
        let (answer, answered) = oneshot::channel();
        let written = false;
        asked.waiting.insert(sequence, Waiting { answer, written });
        Ok((sequence, answered))
    }

    fn why_over(&self, stage: Stage) -> Failure {
        let end = self.asked().end.as_ref().map(|end| end.at(stage));
        end.unwrap_or_else(|| Failure::lost(stage, &"the session has ended"))
    }

    async fn read(
        self: &Arc<Self>,
        mut frames: FramedRead<ReadHalf<Box<dyn Duplex>>, Frames>,
        tell: Tell,
    ) -> Failure {
        while let Some(frame) = frames.next().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(bad) => return Failure::lost(Stage::Bound, &bad),
            };
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            if frame.is_answer() {
                if let Some(failure) = self.answered(frame) {
                    return failure;
                }
            } else {
                self.asked_of_us(frame, &tell);
            }
        }
        Failure::lost(Stage::Bound, &"the centre closed the connection")
    }

    /// An answer that nobody waits for came too late, or to nothing that we asked.
    fn answered(&self, frame: Frame) -> Option<Failure> {
        self.served.store(true, Ordering::Relaxed);
        let waiting = self.asked().waiting.remove(&frame.sequence);
        match waiting {
            Some(waiting) => {
                drop(waiting.answer.send(Ok(frame)));
                None
            }
            // It cannot tell which of our requests it did not understand.
            None if frame.id == CommandId::GenericNack => {
                Some(Failure::new(Stage::Bound, Cause::Nacked(frame.status)))
            }
            None => {
                tracing::debug!(sequence = frame.sequence, id = ?frame.id, "nobody waits for this answer");
                None
            }
        }
    }

    fn asked_of_us(self: &Arc<Self>, frame: Frame, tell: &Tell) {
        let sequence = frame.sequence;
        match (frame.id, frame.pdu) {
            (CommandId::EnquireLink, _) => {
                self.reply(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp);
            }
            (CommandId::DeliverSm, Some(Pdu::DeliverSm(deliver))) => {
                let told = Told {
                    deliver,
                    session: Arc::clone(self),
                    sequence,
                };
                if !tell.is_heard.load(Ordering::Relaxed) || tell.to.try_send(told).is_err() {
                    self.answer(sequence, CommandStatus::EsmeRxTAppn);
                }
            }
            // It would be the same the next time.
            (CommandId::DeliverSm, _) => {
                tracing::warn!("the centre sent a deliver_sm that cannot be read: it is rejected");
                self.answer(sequence, CommandStatus::EsmeRxRAppn);
            }
            (CommandId::Unbind, _) => {
                self.reply(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp);
                self.end(&Failure::lost(
                    Stage::Bound,
                    &"the centre unbound the session",
                ));
            }
            // Neither is answered (SMPP 3.4 §4.1.7, §4.12.1).
            (CommandId::AlertNotification | CommandId::Outbind, _) => {}
            _ => self.reply(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack),
        }
    }

    fn reply(&self, status: CommandStatus, sequence: u32, pdu: Pdu) {
        let sent = self.outbox.try_send(Outgoing {
            bytes: bytes(status, sequence, pdu),
            sequence: None,
        });
        if sent.is_err() {
            self.end(&Failure::lost(Stage::Bound, &"the centre reads no answers"));
        }
    }

    async fn write(
        &self,
        mut writer: WriteHalf<Box<dyn Duplex>>,
        mut outgoing: mpsc::Receiver<Outgoing>,
    ) -> Failure {
        while let Some(Outgoing { bytes, sequence }) = outgoing.recv().await {
            self.is_written(sequence, true);
            let written = async {
                writer.write_all(&bytes).await?;
                writer.flush().await
            };
            match timeout(self.response, written).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    // Its last byte was not handed to the system.
                    self.is_written(sequence, false);
                    return Failure::lost(Stage::Bound, &error);
                }
                Err(_) => return Failure::new(Stage::Bound, Cause::Silent(self.response)),
            }
        }
        Failure::lost(Stage::Bound, &"the session was given up")
    }

    fn is_written(&self, sequence: Option<u32>, written: bool) {
        let mut asked = self.asked();
        let waiting = sequence.and_then(|sequence| asked.waiting.get_mut(&sequence));
        if let Some(waiting) = waiting {
            waiting.written = written;
        }
    }

    /// Asks for a life sign after each silence; takes leave when nobody needs the session any more.
    async fn keep(
        &self,
        enquire: Duration,
        unbind: Duration,
        closing: &CancellationToken,
    ) -> Failure {
        loop {
            let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            tokio::select! {
                () = closing.cancelled() => {
                    let farewell = self.ask(Pdu::Unbind, unbind, None).await;
                    drop(farewell);
                    return Failure::lost(Stage::Bound, &"the session was given up");
                }
                // The last answers may still be under way.
                () = self.ended.cancelled() => {
                    sleep(unbind).await;
                    return self.why_over(Stage::Bound);
                }
                () = sleep_until(heard + enquire) => {}
            }
            let now = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if now > heard {
                continue;
            }
            if let Err(failure) = self.ask(Pdu::EnquireLink, self.response, None).await
                && !self.is_over()
            {
                return Failure::lost(Stage::Bound, &format!("enquire_link: {}", words(&failure)));
            }
        }
    }

    /// Nothing more is handed over; what waits is told how far it had come.
    fn end(&self, failure: &Failure) {
        let waiting: Vec<Waiting> = {
            let mut asked = self.asked();
            asked.end.get_or_insert_with(|| failure.clone());
            asked.waiting.drain().map(|(_, waiting)| waiting).collect()
        };
        self.ended.cancel();
        for waiting in waiting {
            let stage = if waiting.written {
                Stage::Submit
            } else {
                Stage::Bound
            };
            drop(waiting.answer.send(Err(failure.at(stage))));
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn words(failure: &Failure) -> String {
    match &failure.cause {
        Cause::Silent(limit) => format!("no answer within {} s", limit.as_secs_f64()),
        _ => failure.detail(),
    }
}

impl Told {
    /// Says whether it is stored.
    pub(super) fn answer(&self, status: CommandStatus) {
        self.session.answer(self.sequence, status);
    }
}
