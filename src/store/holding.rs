//! Owns who may write for which buckets: a node for those it holds, people for any, one at a time.
//!
//! In a file there is one writer at a time, and all of this comes down to its turn.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::Ordering;

use super::db::Store;
use super::error::{Error, Result};
use super::nodes::{self, Grip};
use super::tx::Tx;
use crate::domain::ids::{Bucket, CustomerId, Incarnation};

/// The bucket whose holder does the work that is done once for all.
const LEADING: Bucket = Bucket(0);

/// A transaction that keeps buckets, and those it wanted that another node holds now.
pub(super) struct Holding {
    pub(super) tx: Tx,
    pub(super) lost: BTreeSet<Bucket>,
}

impl Store {
    /// As which node this process runs on a server, once it has joined.
    pub(super) fn node(&self) -> Option<Incarnation> {
        let node = self.node.load(Ordering::Relaxed);
        (node != 0).then_some(Incarnation(node))
    }

    /// Begins to write for buckets that this node holds. What it no longer holds is not to be written.
    pub(super) async fn write_held(
        &self,
        buckets: impl IntoIterator<Item = Bucket>,
        grip: Grip,
    ) -> Result<Holding> {
        let mut tx = self.begin().await?;
        let mut lost = BTreeSet::new();
        if let (Tx::Postgres(_), Some(node)) = (&tx, self.node()) {
            let kept = nodes::keep(&mut tx, buckets, grip).await?;
            let others = kept.into_iter().filter(|(_, owner)| *owner != Some(node));
            lost.extend(others.map(|(bucket, _)| bucket));
        }
        Ok(Holding { tx, lost })
    }

    /// Begins to change what the gate asks about: nobody claims a message to these customers meanwhile.
    pub(super) async fn write_about(&self, customers: &[CustomerId]) -> Result<Tx> {
        self.write_alone(customers.iter().map(|id| id.bucket()))
            .await
    }

    /// Begins to write for buckets, whoever holds them, and nobody else does meanwhile.
    pub(super) async fn write_alone(
        &self,
        buckets: impl IntoIterator<Item = Bucket>,
    ) -> Result<Tx> {
        let mut tx = self.begin().await?;
        if let Tx::Postgres(_) = &tx {
            nodes::keep(&mut tx, buckets, Grip::Sweeping).await?;
        }
        Ok(tx)
    }

    /// Begins to write what one node does for all, and for these buckets nobody else does meanwhile.
    pub(super) async fn write_leading(&self, buckets: Range<u16>) -> Result<Tx> {
        let buckets = buckets.map(Bucket).chain([LEADING]);
        let Holding { tx, lost } = self.write_held(buckets, Grip::Sweeping).await?;
        if lost.contains(&LEADING) {
            return Err(Error::Conflict("another node leads now".to_owned()));
        }
        Ok(tx)
    }
}
