//! Owns one part of a file of lines about customers: what it tells, and how far the import is, in one
//! transaction.

use std::collections::BTreeSet;

use super::customer_upsert::Upserted;
use super::db::Store;
use super::error::Result;
use super::import_pages::{self, ImportPage};
use super::interactions;
use super::job_holds::JobStanding;
use super::occurrences::{self, Telling};
use super::tx::Tx;
use super::unsubscribing::{self, GivenUp};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::occurrence::Placed;

/// What some rows of a file tell.
#[derive(Debug, Clone, Default)]
pub struct ToldLines {
    /// Without an id: news unless the history tells them already.
    pub did: Vec<Interaction>,
    /// Under ids: news unless they were told under the same.
    pub told: Vec<Placed>,
    /// News unless it was given up before, or taken back since.
    pub gave_up: Vec<GivenUp>,
}

/// What they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinesStep {
    pub news: u64,
    pub standing: JobStanding,
}

impl ToldLines {
    fn len(&self) -> usize {
        self.did.len() + self.told.len() + self.gave_up.len()
    }

    /// Those of whom something changes that the gate asks about.
    fn barred(&self) -> BTreeSet<CustomerId> {
        let dismissals = self.told.iter().map(|one| &one.line);
        let dismissals = dismissals.filter(|line| line.kind == Kind::Dismissal);
        let gave_up = self.gave_up.iter().map(|one| one.customer);
        dismissals
            .map(|line| line.customer)
            .chain(gave_up)
            .collect()
    }
}

impl Store {
    /// Writes what the lines tell that is not known yet and moves the import on, if they are of one; or
    /// neither. Of a hold that was lost nothing is written.
    pub async fn import_lines(
        &self,
        lines: &ToldLines,
        how: Telling,
        page: Option<&ImportPage<'_>>,
    ) -> Result<LinesStep> {
        let barred: Vec<CustomerId> = lines.barred().into_iter().collect();
        let mut tx = if barred.is_empty() {
            self.begin().await?
        } else {
            self.write_about(&barred).await?
        };
        let news = write(&mut tx, lines, how).await?;
        if how.is_trial {
            tx.rollback().await?;
            tx = self.begin().await?;
        }
        let standing = match page {
            None => JobStanding::GoOn,
            Some(page) => {
                let upserted = Upserted {
                    created: news,
                    updated: 0,
                    unchanged: lines.len() as u64 - news,
                };
                import_pages::advance(&mut tx, page, upserted).await?
            }
        };
        if standing == JobStanding::Lost {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        Ok(LinesStep { news, standing })
    }
}

async fn write(tx: &mut Tx, lines: &ToldLines, how: Telling) -> Result<u64> {
    let gave_up = unsubscribing::give_up(tx, &lines.gave_up, how.now).await?;
    let did = interactions::insert_new(tx, &lines.did).await?;
    let told = occurrences::insert_new(tx, &lines.told, how).await?;
    let told = told.into_iter().filter(|is_news| *is_news).count();
    Ok(gave_up + (did + told) as u64)
}
