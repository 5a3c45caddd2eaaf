//! Owns the connections on which gateways tell news: each gateway has one, on the node that leads, or on
//! every node where its news come only to whoever sent; and the asking where none come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use std::panic::AssertUnwindSafe;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::channel::Channel;
use crate::engine::{Engine, Inquirer, Listener, Outlet, Pulse, beat};

/// How soon a change of gateways or of the leading node is followed.
const ROUND: Duration = Duration::from_secs(1);
/// A gateway that stopped listening by itself is asked again after this.
const REST: Duration = Duration::from_secs(5);

/// A gateway that is listened to.
struct Ears {
    outlet: Arc<Outlet>,
    task: JoinHandle<()>,
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens to the gateways that run, until stopped.
pub(super) async fn listen(engine: Arc<Engine>, stop: CancellationToken) {
    let mut heard: BTreeMap<Channel, Ears> = BTreeMap::new();
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = rounds.tick() => follow(&engine, &mut heard),
        }
    }
    drop(heard);
    take_leave(&engine).await;
}

/// Sessions with gateways end as these expect it.
async fn take_leave(engine: &Engine) {
    let outlets = engine.outlets();
    join_all(outlets.values().map(|outlet| outlet.gateway.close())).await;
}

/// Asks gateways about messages of which nobody knows, until stopped: an answer that is not waited for is
/// asked for again.
pub(super) async fn inquire(engine: Arc<Engine>, stop: CancellationToken) {
    let inquirer = Arc::new(Inquirer::new(engine));
    let round = move || {
        let inquirer = Arc::clone(&inquirer);
        async move { inquirer.run_once().await }
    };
    let asking = beat("inquire", Pulse::silent(), stop.clone(), round);
    stop.run_until_cancelled(asking).await;
}

/// Leaves those who are gone or another node's, and begins with those who are new.
fn follow(engine: &Arc<Engine>, heard: &mut BTreeMap<Channel, Ears>) {
    let outlets = engine.outlets();
    let leads = engine.duty.leads();
    let is_ours = |outlet: &Outlet| leads || outlet.gateway.listens_on_every_node();
    heard.retain(|channel, ears| {
        let current = outlets.get(channel);
        let is_same = current.is_some_and(|outlet| Arc::ptr_eq(outlet, &ears.outlet));
        is_same && is_ours(&ears.outlet)
    });
    for (channel, outlet) in outlets.iter() {
        if is_ours(outlet) && !heard.contains_key(channel) {
            let ear = Listener::new(Arc::clone(engine), *channel);
            let ears = Ears {
                outlet: Arc::clone(outlet),
                task: tokio::spawn(attend(Arc::clone(outlet), ear)),
            };
            heard.insert(*channel, ears);
        }
    }
}

/// Listens again whenever the gateway stops; one that never listens is left alone.
async fn attend(outlet: Arc<Outlet>, ear: Listener) {
    let channel = outlet.config.channel;
    while let Some(listening) = outlet.gateway.listen(&ear) {
        if AssertUnwindSafe(listening).catch_unwind().await.is_err() {
            tracing::error!(%channel, "the adapter failed while it was listening");
        } else {
            tracing::warn!(%channel, "the gateway's adapter stopped listening");
        }
        tokio::time::sleep(REST).await;
    }
}
