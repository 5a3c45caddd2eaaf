//! Owns the answers to requests that carried a key: one in flight at a time, and the first for repeats.

use jiff::{SignedDuration, Timestamp};

use super::db::Store;
use super::error::Result;
use super::instants::micros;
use super::sql::query;

const BEGIN: &str = "INSERT INTO request_answers (token, key, request, at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (token, key) DO UPDATE SET request = excluded.request, at = excluded.at, \
     status = NULL, answer = NULL \
     WHERE request_answers.at <= $5 \
     OR (request_answers.status IS NULL AND request_answers.at <= $6)";
const FOUND: &str = "SELECT request, status, answer FROM request_answers \
     WHERE token = $1 AND key = $2";
const ANSWERED: &str = "UPDATE request_answers SET status = $4, answer = $5 \
     WHERE token = $1 AND key = $2 AND at = $3 AND status IS NULL";
const ABANDON: &str =
    "DELETE FROM request_answers WHERE token = $1 AND key = $2 AND at = $3 AND status IS NULL";
const PRUNE: &str = "DELETE FROM request_answers WHERE at <= $1";

pub(super) const STATEMENTS: &[&str] = &[BEGIN, FOUND, ANSWERED, ABANDON, PRUNE];

/// For so long a repeat gets the first answer again.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// More than a request may take: who has not answered by then fell.
const IN_FLIGHT: SignedDuration = SignedDuration::from_mins(2);

/// Whose request it is, under which key, and when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    pub token: String,
    pub key: String,
    pub at: Timestamp,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub status: u16,
    /// Sealed: the store cannot read it.
    pub answer: Vec<u8>,
}

/// What is to be done with a request that carries a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// It is the first: carry it out.
    First,
    /// Another request had this key.
    Other,
    /// The first is being carried out.
    InFlight,
    Answered(KeptAnswer),
}

impl Store {
    /// Takes the key for this request, or says what became of the one that has it.
    pub async fn begin_request(&self, key: &RequestKey, request: &[u8]) -> Result<Repeat> {
        let mut tx = self.begin().await?;
        let begun = query(BEGIN)
            .bind(&key.token)
            .bind(&key.key)
            .bind(request)
            .bind(micros(key.at))
            .bind(micros(key.at - KEPT))
            .bind(micros(key.at - IN_FLIGHT));
        if begun.execute(&mut tx).await? > 0 {
            tx.commit().await?;
            return Ok(Repeat::First);
        }
        let found = query(FOUND).bind(&key.token).bind(&key.key);
        let found = found.fetch_optional(&mut tx).await?;
        let Some(row) = found else {
            // It was given up in this moment.
            return Ok(Repeat::InFlight);
        };
        let (was, status): (Vec<u8>, Option<u16>) = (row.try_get(0)?, row.try_get(1)?);
        let answer: Option<Vec<u8>> = row.try_get(2)?;
        Ok(match status {
            _ if was != request => Repeat::Other,
            None => Repeat::InFlight,
            Some(status) => Repeat::Answered(KeptAnswer {
                status,
                answer: answer.unwrap_or_default(),
            }),
        })
    }

    /// Keeps the answer for repeats.
    pub async fn keep_answer(&self, key: &RequestKey, answer: &KeptAnswer) -> Result<()> {
        let mut tx = self.begin().await?;
        query(ANSWERED)
            .bind(&key.token)
            .bind(&key.key)
            .bind(micros(key.at))
            .bind(answer.status)
            .bind(answer.answer.as_slice())
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Gives the key up: the request failed, and may be tried again.
    pub async fn abandon_request(&self, key: &RequestKey) -> Result<()> {
        let mut tx = self.begin().await?;
        query(ABANDON)
            .bind(&key.token)
            .bind(&key.key)
            .bind(micros(key.at))
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Lets go of answers that are past their time. How many.
    pub async fn prune_answers(&self, now: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let pruned = query(PRUNE)
            .bind(micros(now - KEPT))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(pruned)
    }
}
