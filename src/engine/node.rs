//! Owns a node's round: its time renewed, buckets taken and given up, and what others left in them settled.

use std::sync::Arc;
use std::time::Duration;

use super::beat::Beat;
use super::duty::OWN_TIME;
use super::handover::Left;
use super::rescue::{Remains, Rescued, rescue};
use super::runtime::Engine;
use crate::domain::ids::{Incarnation, Stripes};
use crate::store::{Error, Result};

/// How often a node says that it is there, and looks who else is.
const ROUND: Duration = Duration::from_millis(500);

/// Keeps a node's standing among the others.
pub struct Node {
    engine: Arc<Engine>,
    /// What the last start on this machine left, and which one that was.
    left: Left,
    last: Option<Incarnation>,
}

impl Node {
    pub fn new(engine: Arc<Engine>, left: Left, last: Option<Incarnation>) -> Self {
        Self { engine, left, last }
    }

    /// Begins to work: for everything in a file, with the first round on a server.
    pub async fn begin(&self) -> Result<()> {
        if self.engine.store.is_shared() {
            self.run_once().await?;
        } else {
            self.settle(&Stripes::all()).await?;
        }
        // Not before: of what a start that ends here left unsettled, the next one finds the marks.
        if let Err(error) = self.engine.marks.begin_anew() {
            tracing::error!(%error, "cannot write a hand-over mark");
        }
        Ok(())
    }

    /// One round among the nodes on a server. One that takes longer than the node's time is of no use:
    /// the server is given up, with whatever else waits for it.
    pub async fn run_once(&self) -> Result<Beat> {
        if let Ok(done) = tokio::time::timeout(OWN_TIME, self.round()).await {
            return done;
        }
        self.engine.store.let_go();
        Err(Error::Away("the database does not answer".to_owned()))
    }

    async fn round(&self) -> Result<Beat> {
        let (duty, engine) = (&self.engine.duty, &self.engine);
        let round = duty.round(&engine.store, engine.incarnation).await?;
        let quiet = duty.quiet(&round.taken).await;
        if !quiet.is_empty() {
            self.settle(&quiet).await?;
            duty.add(&quiet);
            tracing::info!(stripes = quiet.len(), "took over buckets");
        }
        Ok(Beat::Within(ROUND))
    }

    async fn settle(&self, stripes: &Stripes) -> Result<Rescued> {
        let remains = Remains {
            left: &self.left,
            of: self.last,
        };
        let catalog = self.engine.catalog();
        let rescued = rescue(&self.engine, &catalog, stripes, &remains).await?;
        if rescued.released + rescued.uncertain > 0 {
            let (released, uncertain) = (rescued.released, rescued.uncertain);
            tracing::warn!(released, uncertain, "took over claims that others left");
        }
        Ok(rescued)
    }
}
