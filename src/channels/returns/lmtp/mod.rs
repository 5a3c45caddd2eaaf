//! Owns listening for mail servers that bring what came back (LMTP, RFC 2033).

mod body;
mod envelope;
mod place;
mod reply;
mod session;
mod wire;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep, timeout};

use self::place::{Door, Stream};
use self::session::Session;
use super::desk::Desk;
use crate::domain::lmtp_place::LmtpPlace;

/// Listens until it is dropped; every conversation ends with it.
pub(super) async fn listen(place: &LmtpPlace, desk: &Desk<'_>) {
    loop {
        match place::open(place).await {
            Ok(door) => attend(&door, desk).await,
            Err(error) => tracing::error!(%place, %error, "nobody can bring mail that came back"),
        }
        sleep(desk.limits.round).await;
    }
}

/// Talks to all who come, until nobody can come any more.
async fn attend(door: &Door, desk: &Desk<'_>) {
    tracing::info!(place = %door, "listening for mail that came back");
    let mut talks = FuturesUnordered::new();
    loop {
        let has_room = talks.len() < desk.limits.connections;
        tokio::select! {
            Some(()) = talks.next(), if !talks.is_empty() => {}
            came = door.accept(), if has_room => match came {
                Ok(stream) => talks.push(talk(stream, desk)),
                Err(error) => {
                    tracing::warn!(%error, "a mail server could not be let in");
                    return;
                }
            },
        }
    }
}

async fn talk(stream: Stream, desk: &Desk<'_>) {
    let talking = Session::new(stream, desk).run();
    match timeout(desk.limits.conversation, talking).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a conversation with a mail server ended early"),
        Err(_) => tracing::debug!("a conversation with a mail server took too long"),
    }
}
