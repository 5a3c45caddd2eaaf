//! Owns the SMPP gateway: text messages go to a message centre over bound sessions, and what it tells comes back on them.

mod assembly;
mod board;
mod centre;
mod ids;
mod letter;
mod listener;
mod pool;
mod session;
mod stage;
mod status;
mod text;
mod told;
mod verdict;
mod wire;

use futures_util::future::{BoxFuture, join};

use self::centre::Centre;
use self::letter::Stationery;
use self::listener::Listener;
use self::pool::Pool;
pub use self::stage::Timeouts;
use super::setup::{BadGateway, Setup};
use super::{Ear, Gateway, HandOver};
use crate::domain::dispatch::Outcome;
use crate::domain::gateway::{MessageIdForm, SmppGateway};
use crate::domain::message::Message;

/// One centre, at most `connections` sessions with it.
pub struct Smpp {
    pool: Pool,
    stationery: Stationery,
    listener: Listener,
    message_id: MessageIdForm,
}

impl Smpp {
    pub fn open(setup: &Setup<'_>, smpp: &SmppGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, smpp, Timeouts::default())
    }

    /// The same with timeouts of one's own.
    pub fn open_within(
        setup: &Setup<'_>,
        smpp: &SmppGateway,
        timeouts: Timeouts,
    ) -> Result<Self, BadGateway> {
        let centre = Centre::read(setup, smpp, timeouts)?;
        Ok(Self {
            pool: Pool::new(centre, setup.config.connections, smpp.window),
            stationery: Stationery::open(setup, smpp)?,
            listener: Listener::new(smpp.encoding, smpp.message_id, timeouts),
            message_id: smpp.message_id,
        })
    }

    async fn deliver(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let parts = match self.stationery.write(message) {
            Ok(parts) => parts,
            Err(unsendable) => return unsendable.into(),
        };
        let read_id = |id: &str| ids::in_response(self.message_id, id);
        let siblings = &self.listener.siblings;
        let carried = self.pool.carry(parts, hand_over, read_id, siblings);
        let (taken, result) = carried.await;
        match result {
            Ok(()) => taken.outcome(),
            Err(failure) => taken.broken(&failure),
        }
    }

    async fn hear(&self, ear: &dyn Ear) {
        let mut heard = self.pool.told().await;
        join(
            self.pool.attend(),
            self.listener.listen(&mut heard.told, ear),
        )
        .await;
    }
}

impl Gateway for Smpp {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.deliver(message, hand_over))
    }

    fn listen<'a>(&'a self, ear: &'a dyn Ear) -> Option<BoxFuture<'a, ()>> {
        Some(Box::pin(self.hear(ear)))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }

    /// A centre answers on the session that sent.
    fn listens_on_every_node(&self) -> bool {
        true
    }
}
