//! Owns the record of the revision that awaits approval: there is one at most, and what is published ends it.

use super::error::Result;
use super::meta;
use super::sql::{query, query_scalar};
use super::tx::Tx;
use crate::domain::approval::{Approved, Awaiting};
use crate::domain::ids::RevisionNo;

pub(super) const KEY: &str = "awaiting_approval";
const FORGET: &str = "DELETE FROM meta WHERE key = $1";

pub(super) const STATEMENTS: &[&str] = &[FORGET];

/// The number of what is published now, and who agreed to it. What waited does so no more.
pub(super) async fn settle(
    tx: &mut Tx,
    latest: Option<RevisionNo>,
    (hash, definitions): (&str, i64),
) -> Result<(RevisionNo, Option<Approved>)> {
    let awaiting = known(tx).await?;
    let number = next(latest, awaiting.as_ref());
    let Some(awaiting) = awaiting else {
        return Ok((number, None));
    };
    query(FORGET).bind(KEY).execute(tx).await?;
    if awaiting.is_of(hash, definitions) {
        return Ok((awaiting.revision, awaiting.approved));
    }
    Ok((number, None))
}

/// A number that no other revision had, nor was shown with.
pub(super) fn next(latest: Option<RevisionNo>, awaiting: Option<&Awaiting>) -> RevisionNo {
    let highest = latest.max(awaiting.map(|awaiting| awaiting.revision));
    RevisionNo(highest.map_or(1, |highest| highest.0 + 1))
}

pub(super) async fn known(tx: &mut Tx) -> Result<Option<Awaiting>> {
    let text: Option<String> = query_scalar(meta::GET).bind(KEY).fetch_optional(tx).await?;
    text.map(|text| meta::read(KEY, &text)).transpose()
}

pub(super) async fn write(tx: &mut Tx, awaiting: &Awaiting) -> Result<()> {
    let text = meta::written(KEY, awaiting)?;
    query(meta::SET).bind(KEY).bind(text).execute(tx).await?;
    Ok(())
}
