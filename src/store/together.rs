//! Owns the group commit: what several have to write is one transaction, with one flush to the disk.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::claims::{self, Decided, Lease};
use super::db::Store;
use super::error::Result;
use super::holding::Holding;
use super::nodes::Grip;
use super::outcomes::Settled;
use super::settlements;
use super::tx::{Care, Tx};
use crate::domain::ids::{Bucket, EnrollmentId};

/// What a loop has to write.
#[derive(Debug, Clone)]
pub enum Work {
    /// What was decided about due enrollments. With `marks`, those whose run has ended are looked at
    /// again, because a segment asks who is in a flow.
    Decided {
        decided: Arc<Vec<Decided>>,
        lease: Lease,
        marks: bool,
        now: Timestamp,
    },
    /// Outcomes. With `marks`, those who were written to or whose run has ended are looked at again,
    /// because a segment asks about it.
    Settled {
        settled: Arc<Vec<Settled>>,
        marks: bool,
        now: Timestamp,
    },
}

/// The enrollments that a work claimed.
pub type Claimed = Vec<EnrollmentId>;

impl Store {
    /// Writes all of it in one transaction, or nothing; for each work, what it claimed. Rows of buckets
    /// that another node holds by now are left out.
    pub async fn write_together(&self, works: &[Work]) -> Result<Vec<Claimed>> {
        let buckets: BTreeSet<Bucket> = works.iter().flat_map(Work::buckets).collect();
        let Holding { mut tx, lost } = self.write_held(buckets.clone(), Grip::Shared).await?;
        let works: Cow<'_, [Work]> = if lost.is_empty() {
            Cow::Borrowed(works)
        } else {
            Cow::Owned(works.iter().map(|work| work.without(&lost)).collect())
        };
        if let Some(claimed) = write(&mut tx, &works, Care::Whole).await? {
            tx.commit().await?;
            return Ok(claimed);
        }
        tx.rollback().await?;
        let Holding { mut tx, lost } = self.write_held(buckets, Grip::Shared).await?;
        let works: Vec<Work> = works.iter().map(|work| work.without(&lost)).collect();
        let claimed = write(&mut tx, &works, Care::Each).await?;
        tx.commit().await?;
        Ok(claimed.unwrap_or_default())
    }
}

async fn write(tx: &mut Tx, works: &[Work], care: Care) -> Result<Option<Vec<Claimed>>> {
    let mut all = Vec::with_capacity(works.len());
    for work in works {
        match work.write(tx, care).await? {
            Some(claimed) => all.push(claimed),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

impl Work {
    fn buckets(&self) -> Vec<Bucket> {
        match self {
            Self::Decided { decided, .. } => {
                decided.iter().map(|row| row.enrollment.bucket()).collect()
            }
            Self::Settled { settled, .. } => {
                settled.iter().map(|row| row.enrollment.bucket()).collect()
            }
        }
    }

    /// The same without the rows of these buckets.
    fn without(&self, lost: &BTreeSet<Bucket>) -> Self {
        let mut work = self.clone();
        if lost.is_empty() {
            return work;
        }
        match &mut work {
            Self::Decided { decided, .. } => {
                Arc::make_mut(decided).retain(|row| !lost.contains(&row.enrollment.bucket()));
            }
            Self::Settled { settled, .. } => {
                Arc::make_mut(settled).retain(|row| !lost.contains(&row.enrollment.bucket()));
            }
        }
        work
    }

    async fn write(&self, tx: &mut Tx, care: Care) -> Result<Option<Claimed>> {
        match self {
            Self::Decided {
                decided,
                lease,
                marks,
                now,
            } => {
                if *marks {
                    claims::mark_ended(tx, decided).await?;
                }
                claims::decide(tx, decided, *lease, *now, care).await
            }
            Self::Settled {
                settled,
                marks,
                now,
            } => {
                let whole = settlements::settle(tx, settled, *marks, *now, care).await?;
                Ok(whole.then(Vec::new))
            }
        }
    }
}
