//! Owns the latest answer of each customer to "how likely is it that you would recommend us?".

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::among::numbers;
use super::db::Store;
use super::dialect::{ids, listed, rows};
use super::error::Result;
use super::instants::{instant, micros};
use super::listing::{json, listed};
use super::sql::query;
use super::tx::{On, Tx};
use crate::domain::ids::CustomerId;
use crate::domain::nps::{LastNps, NpsAnswer};

/// The later one counts; of one instant the lower, so that it does not matter which comes first.
const KEEP: &str = concat!(
    "INSERT INTO nps_answers (bucket, customer_id, at, score, comment, question) \
     SELECT c.bucket, c.customer_id, j.at, j.score, j.comment, j.question FROM ",
    rows!(id BIGINT 0, at BIGINT 1, score BIGINT 2, comment TEXT 3, question TEXT 4),
    " AS j CROSS JOIN customers AS c WHERE c.bucket = j.id >> 48 AND c.customer_id = j.id \
     ON CONFLICT (bucket, customer_id) DO UPDATE SET at = excluded.at, score = excluded.score, \
     comment = excluded.comment, question = excluded.question \
     WHERE excluded.at > nps_answers.at \
     OR (excluded.at = nps_answers.at AND excluded.score < nps_answers.score)"
);
const OF: &str = concat!(
    listed!("a.customer_id, a.at, a.score, a.comment, a.question"),
    ids!(),
    " AS k CROSS JOIN nps_answers AS a WHERE a.bucket = k.bucket AND a.customer_id = k.id"
);

pub(super) const STATEMENTS: &[&str] = &[KEEP, OF];

/// A customer's number, the instant, the score, the comment, the question.
type Answered = (i64, i64, u8, Option<String>, Option<String>);

impl Store {
    /// The latest answers of those of the customers who gave any.
    pub async fn nps_of(&self, customers: &[CustomerId]) -> Result<HashMap<CustomerId, LastNps>> {
        of(customers, self.read()).await
    }
}

async fn of<'c>(
    customers: &[CustomerId],
    on: impl Into<On<'c>>,
) -> Result<HashMap<CustomerId, LastNps>> {
    let rows: Vec<Answered> = listed(query(OF).bind(numbers(customers)), on).await?;
    let read = |(id, at, score, comment, question): Answered| {
        let answer = NpsAnswer {
            score,
            comment,
            question,
        };
        let at = instant(at)?;
        Ok((CustomerId(id), LastNps { answer, at }))
    };
    rows.into_iter().map(read).collect()
}

/// Keeps the latest of these and of what is there.
pub(super) async fn keep<'a>(
    tx: &mut Tx,
    answers: impl Iterator<Item = (CustomerId, Timestamp, &'a NpsAnswer)>,
) -> Result<()> {
    let mut latest: BTreeMap<CustomerId, (Timestamp, &NpsAnswer)> = BTreeMap::new();
    for (customer, at, answer) in answers {
        let of = latest.entry(customer).or_insert((at, answer));
        if (at, Reverse(answer.score)) > (of.0, Reverse(of.1.score)) {
            *of = (at, answer);
        }
    }
    if latest.is_empty() {
        return Ok(());
    }
    let row = |(id, (at, answer)): (&CustomerId, &(Timestamp, &NpsAnswer))| {
        let (comment, question) = (answer.comment.clone(), answer.question.clone());
        (id.0, micros(*at), answer.score, comment, question)
    };
    let rows: Vec<Answered> = latest.iter().map(row).collect();
    query(KEEP).bind(json(&rows)).execute(tx).await?;
    Ok(())
}

/// The other one's answer counts for both, if it is the later one.
pub(super) async fn carry(tx: &mut Tx, from: CustomerId, into: CustomerId) -> Result<()> {
    let answers = of(&[from], &mut *tx).await?;
    let answer = answers.get(&from);
    keep(tx, answer.iter().map(|last| (into, last.at, &last.answer))).await
}
