//! Owns the claim: what was decided about a batch of due enrollments is written in one transaction.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::domain::channel::Channel;
use crate::domain::dispatch::{DispatchState, Reason};
use crate::domain::enrollment::{EnrollmentStatus, HeldBecause};
use crate::domain::ids::{CustomerId, EnrollmentId, Incarnation, NameNo, RevisionNo};
use crate::domain::touched::Touched;

use super::dialect::{ids, rows};
use super::dirty;
use super::error::Result;
use super::instants::micros;
use super::listing::json;
use super::moves::{Move, MoveRow, apply_moves};
use super::sql::{query, query_scalar};
use super::still::still;
use super::suppressions;
use super::tx::{Care, Tx};
use super::withholding::{self, Withheld};

/// What was decided about a due enrollment, with what it was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub enrollment: EnrollmentId,
    pub customer: CustomerId,
    pub step: NameNo,
    /// The due time that was seen; a row that moved since stays as it is.
    pub due: Timestamp,
    /// The customer's mark that was seen; a claim that saw an older one does not take place.
    pub consent_rev: i64,
    /// The mark of all suppressions that was seen; after an older one the address is asked for again.
    pub suppression_rev: i64,
    pub decision: Decision,
}

/// Who claims, and until when it is believed to be at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub incarnation: Incarnation,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Claim {
        channel: Channel,
        /// Where the message goes; an address that was suppressed meanwhile is not claimed for.
        address: String,
        attempt: u32,
        first_at: Timestamp,
        /// Which of several ways to say it.
        variant: Option<NameNo>,
    },
    Hold {
        until: Timestamp,
        because: HeldBecause,
    },
    /// The step's time was computed anew.
    Retime {
        planned: Timestamp,
        revision: RevisionNo,
    },
    Withhold {
        channel: Channel,
        reason: Reason,
        then: Move,
    },
    /// A waiting place is over, or a removed step is left.
    Pass(Move),
}

impl Decided {
    fn seen(&self) -> (i64, i32, i64) {
        (self.enrollment.0, self.step.0, micros(self.due))
    }
}

/// Claims those whose customer's consent is still as it was seen.
macro_rules! claim {
    () => {
        concat!(
            "UPDATE enrollments SET status = $2, held = NULL, due = $3 FROM ",
            rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, rev BIGINT 3),
            " AS j WHERE ",
            still!(),
            " AND EXISTS (SELECT 1 FROM customers AS c WHERE c.bucket = enrollments.bucket \
             AND c.customer_id = enrollments.customer_id AND c.consent_rev = j.rev)"
        )
    };
}

/// A dispatch that was there before.
macro_rules! retaken {
    () => {
        "state = excluded.state, attempt = excluded.attempt, incarnation = excluded.incarnation, \
         at = excluded.at, detail = NULL, reason = NULL"
    };
}

const CLAIM: &str = claim!();
const CLAIM_SOME: &str = concat!(claim!(), " RETURNING enrollment_id");
/// The dispatches of first attempts: what is not in the enrollment is the same for all.
const FIRST: &str = concat!(
    "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, attempt, incarnation, \
     first_at, at) SELECT e.bucket, e.enrollment_id, e.step, e.lane, $2, 1, $3, $4, $4 FROM ",
    ids!(),
    " AS k CROSS JOIN enrollments AS e WHERE e.bucket = k.bucket AND e.enrollment_id = k.id \
     ON CONFLICT (bucket, enrollment_id, step) DO UPDATE SET ",
    retaken!()
);
const AGAIN: &str = concat!(
    "INSERT INTO dispatches (bucket, enrollment_id, step, channel, state, attempt, incarnation, \
     first_at, at) SELECT j.id >> 48, j.id, j.step, j.channel, $2, j.attempt, $3, j.first_at, $4 FROM ",
    rows!(id BIGINT 0, step BIGINT 1, channel BIGINT 2, attempt BIGINT 3, first_at BIGINT 4),
    " AS j WHERE true ON CONFLICT (bucket, enrollment_id, step) DO UPDATE SET ",
    retaken!()
);
const HOLD: &str = concat!(
    "UPDATE enrollments SET due = j.until, held = j.because FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, until BIGINT 3, because BIGINT 4),
    " AS j WHERE ",
    still!()
);
const RETIME: &str = concat!(
    "UPDATE enrollments SET due = j.planned, planned = j.planned, timed_revision = j.revision, \
     held = NULL FROM ",
    rows!(id BIGINT 0, step BIGINT 1, due BIGINT 2, planned BIGINT 3, revision BIGINT 4),
    " AS j WHERE ",
    still!()
);
const SAID: &str = concat!(
    "UPDATE dispatches SET variant = j.variant FROM ",
    rows!(id BIGINT 0, step BIGINT 1, variant BIGINT 2),
    " AS j WHERE dispatches.bucket = j.id >> 48 AND dispatches.enrollment_id = j.id \
     AND dispatches.step = j.step"
);
pub(super) const STATEMENTS: &[&str] = &[CLAIM, CLAIM_SOME, FIRST, AGAIN, HOLD, RETIME, SAID];

/// Writes what was decided. The enrollments that were claimed: a row that moved since it was read, or
/// whose customer's consent did, or whose address was suppressed, is left as it is and stays due.
/// None, when not all could be claimed that had to be.
pub(super) async fn decide(
    tx: &mut Tx,
    decided: &[Decided],
    lease: Lease,
    now: Timestamp,
    care: Care,
) -> Result<Option<Vec<EnrollmentId>>> {
    let claims = Claims::of(tx, decided).await?;
    let claimed = match care {
        Care::Whole if claims.take_all(tx, lease).await? => claims.all(),
        Care::Whole => return Ok(None),
        Care::Each => claims.take_some(tx, lease).await?,
    };
    claims.note(tx, &claimed, lease, now).await?;
    put_off(tx, decided).await?;
    withholding::withhold(tx, &withheld(decided), lease.incarnation, now).await?;
    pass(tx, decided, now).await?;
    Ok(Some(claimed))
}

/// The claims of a batch, as the statements take them.
struct Claims {
    /// Id, step, due, consent mark.
    rows: Vec<(i64, i32, i64, i64)>,
    dispatches: HashMap<EnrollmentId, Attempt>,
    /// Id, step, variant.
    variants: HashMap<EnrollmentId, (i64, i32, i32)>,
}

/// Id, step, channel, attempt, first tried at.
type Attempt = (i64, i32, i64, u32, i64);

impl Claims {
    async fn of(tx: &mut Tx, decided: &[Decided]) -> Result<Self> {
        let suppressed = newly_suppressed(tx, decided).await?;
        let mut claims = Self {
            rows: Vec::new(),
            dispatches: HashMap::new(),
            variants: HashMap::new(),
        };
        for row in decided {
            let Decision::Claim {
                channel,
                address,
                attempt,
                first_at,
                variant,
            } = &row.decision
            else {
                continue;
            };
            if !suppressed.is_empty() && suppressed.contains(&(*channel, address.clone())) {
                continue;
            }
            let (id, step, due) = row.seen();
            claims.rows.push((id, step, due, row.consent_rev));
            let dispatch = (id, step, channel.number(), *attempt, micros(*first_at));
            claims.dispatches.insert(row.enrollment, dispatch);
            if let Some(variant) = variant {
                claims
                    .variants
                    .insert(row.enrollment, (id, step, variant.0));
            }
        }
        Ok(claims)
    }

    fn all(&self) -> Vec<EnrollmentId> {
        self.rows.iter().map(|row| EnrollmentId(row.0)).collect()
    }

    /// Whether all could be taken; if not, the transaction is of no use.
    async fn take_all(&self, tx: &mut Tx, lease: Lease) -> Result<bool> {
        if self.rows.is_empty() {
            return Ok(true);
        }
        let taken = query(CLAIM)
            .bind(json(&self.rows))
            .bind(EnrollmentStatus::Sending.number())
            .bind(micros(lease.until))
            .execute(&mut *tx)
            .await?;
        Ok(taken == self.rows.len() as u64)
    }

    /// Takes those that can be; which they are.
    async fn take_some(&self, tx: &mut Tx, lease: Lease) -> Result<Vec<EnrollmentId>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let taken: Vec<i64> = query_scalar(CLAIM_SOME)
            .bind(json(&self.rows))
            .bind(EnrollmentStatus::Sending.number())
            .bind(micros(lease.until))
            .fetch_all(&mut *tx)
            .await?;
        Ok(taken.into_iter().map(EnrollmentId).collect())
    }

    async fn note(
        &self,
        tx: &mut Tx,
        taken: &[EnrollmentId],
        lease: Lease,
        now: Timestamp,
    ) -> Result<()> {
        let dispatches = taken.iter().filter_map(|id| self.dispatches.get(id));
        let is_first =
            |(.., attempt, first_at): &Attempt| *attempt == 1 && *first_at == micros(now);
        let (first, again): (Vec<&Attempt>, Vec<&Attempt>) =
            dispatches.partition(|row| is_first(row));
        let first: Vec<i64> = first.into_iter().map(|row| row.0).collect();
        for (sql, rows, count) in [
            (FIRST, json(&first), first.len()),
            (AGAIN, json(&again), again.len()),
        ] {
            if count > 0 {
                query(sql)
                    .bind(rows)
                    .bind(DispatchState::Claimed.number())
                    .bind(lease.incarnation.0)
                    .bind(micros(now))
                    .execute(&mut *tx)
                    .await?;
            }
        }
        let variants = taken.iter().filter_map(|id| self.variants.get(id));
        let variants: Vec<_> = variants.collect();
        if !variants.is_empty() {
            query(SAID).bind(json(&variants)).execute(&mut *tx).await?;
        }
        Ok(())
    }
}

/// Those of the addresses that were suppressed after they were looked at.
async fn newly_suppressed(tx: &mut Tx, decided: &[Decided]) -> Result<HashSet<(Channel, String)>> {
    let claims: Vec<(i64, (Channel, &str))> = decided
        .iter()
        .filter_map(|row| match &row.decision {
            Decision::Claim {
                channel, address, ..
            } => Some((row.suppression_rev, (*channel, address.as_str()))),
            _ => None,
        })
        .collect();
    let Some(seen) = claims.iter().map(|(seen, _)| *seen).min() else {
        return Ok(HashSet::new());
    };
    if suppressions::kept_mark(tx).await? == seen {
        return Ok(HashSet::new());
    }
    let addresses: Vec<_> = claims.into_iter().map(|(_, address)| address).collect();
    suppressions::among(&addresses, &mut *tx).await
}

/// Has those looked at again whose run was decided to end. It comes first, as whoever looks at marks
/// locks them before it ends a run.
pub(super) async fn mark_ended(tx: &mut Tx, decided: &[Decided]) -> Result<()> {
    let ended = decided.iter().filter(|row| match &row.decision {
        Decision::Withhold { then, .. } | Decision::Pass(then) => then.ends(),
        Decision::Claim { .. } | Decision::Hold { .. } | Decision::Retime { .. } => false,
    });
    dirty::mark_each(tx, ended.map(|row| (row.customer, Touched::IN_FLOW))).await
}

async fn put_off(tx: &mut Tx, decided: &[Decided]) -> Result<()> {
    let (mut held, mut retimed) = (Vec::new(), Vec::new());
    for row in decided {
        let (id, step, due) = row.seen();
        match &row.decision {
            Decision::Hold { until, because } => {
                held.push((id, step, due, micros(*until), because.number()));
            }
            Decision::Retime { planned, revision } => {
                retimed.push((id, step, due, micros(*planned), revision.0));
            }
            _ => {}
        }
    }
    if !held.is_empty() {
        query(HOLD).bind(json(&held)).execute(&mut *tx).await?;
    }
    if !retimed.is_empty() {
        query(RETIME).bind(json(&retimed)).execute(&mut *tx).await?;
    }
    Ok(())
}

fn withheld(decided: &[Decided]) -> Vec<Withheld<'_>> {
    let withheld = decided.iter().filter_map(|row| match &row.decision {
        Decision::Withhold {
            channel,
            reason,
            then,
        } => Some(Withheld {
            enrollment: row.enrollment,
            step: row.step,
            due: row.due,
            channel: *channel,
            reason: *reason,
            then,
        }),
        _ => None,
    });
    withheld.collect()
}

async fn pass(tx: &mut Tx, decided: &[Decided], now: Timestamp) -> Result<()> {
    let mut moves = Vec::new();
    for row in decided {
        if let Decision::Pass(then) = &row.decision {
            moves.push(MoveRow::new(row.enrollment, row.step, Some(row.due), then));
        }
    }
    if !moves.is_empty() {
        apply_moves(tx, &moves, now).await?;
    }
    Ok(())
}
