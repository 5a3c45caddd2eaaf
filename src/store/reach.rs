//! Owns how many customers a change of a segment would let into a flow, or take out of it: only counted.

use super::bind::Bind;
use super::db::Store;
use super::enrollments::EntryRule;
use super::error::Result;
use super::instants::micros;
use super::segment_frame::{Frame, Within};
use super::segment_sql::compile;
use super::sql::{composed, query_scalar};
use crate::domain::ids::NameNo;
use crate::domain::segment::Condition;

impl Store {
    /// How many would come into a segment that they are not in yet.
    pub async fn newcomers(
        &self,
        segment: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let own = format!("{NOT_MEMBER} AND ");
        self.counted_by(
            "customers AS c WHERE c.bucket BETWEEN 0 AND 1023",
            &own,
            [segment],
            condition,
            frame,
        )
        .await
    }

    /// How many of them would enter a flow.
    pub async fn entrants(
        &self,
        (segment, flow): (NameNo, NameNo),
        rule: EntryRule,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let bars = match rule {
            EntryRule::Once => String::new(),
            EntryRule::Requalification => " AND e.status < 10".to_owned(),
            EntryRule::LastEntryBefore(at) => {
                format!(" AND (e.status < 10 OR e.started_at >= {})", micros(at))
            }
        };
        let own = format!(
            "{NOT_MEMBER} AND c.status = 0 AND NOT EXISTS (SELECT 1 FROM enrollments AS e \
             WHERE e.bucket = c.bucket AND e.customer_id = c.customer_id AND e.flow = $2{bars}) AND "
        );
        let from = "customers AS c WHERE c.bucket BETWEEN 0 AND 1023";
        self.counted_by(from, &own, [segment, flow], condition, frame)
            .await
    }

    /// How many would leave a segment that they are in.
    pub async fn leavers(
        &self,
        segment: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let from = "memberships AS m JOIN customers AS c ON c.bucket = m.bucket \
             AND c.customer_id = m.customer_id WHERE m.bucket BETWEEN 0 AND 1023 AND m.segment = $1";
        let out = Condition::Not(Box::new(condition.clone()));
        self.counted_by(from, "", [segment], &out, frame).await
    }

    /// How many of those who would leave a segment are in a flow.
    pub async fn leavers_in_flow(
        &self,
        (segment, flow): (NameNo, NameNo),
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let from = "memberships AS m JOIN customers AS c ON c.bucket = m.bucket \
             AND c.customer_id = m.customer_id JOIN enrollments AS e ON e.bucket = m.bucket \
             AND e.customer_id = m.customer_id AND e.flow = $2 AND e.status < 10 \
             WHERE m.bucket BETWEEN 0 AND 1023 AND m.segment = $1";
        let out = Condition::Not(Box::new(condition.clone()));
        self.counted_by(from, "", [segment, flow], &out, frame)
            .await
    }

    /// How many in a flow meet a condition, counted from their entry.
    pub async fn meeting_in_flow(
        &self,
        flow: NameNo,
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let predicate = compile(condition, frame, 2, Within::Enrollment)?;
        let sql = format!(
            "@everywhere(people)SELECT count(*) FROM enrollments AS e JOIN customers AS c \
             ON c.bucket = e.bucket AND c.customer_id = e.customer_id \
             WHERE e.bucket BETWEEN 0 AND 1023 AND e.flow = $1 AND e.status < 10 AND ({})",
            predicate.sql
        );
        let row = composed(sql, [Bind::Int(flow.into())], predicate.binds);
        let row = row.fetch_one(self.read()).await?;
        row.try_get::<i64>(0).map(i64::unsigned_abs)
    }

    /// How many are in a flow, or wait to be let in.
    pub async fn live_in(&self, flow: NameNo) -> Result<u64> {
        let count: i64 = query_scalar(LIVE)
            .bind(flow.0)
            .fetch_one(self.read())
            .await?;
        Ok(count.unsigned_abs())
    }

    async fn counted_by<const N: usize>(
        &self,
        from: &str,
        own: &str,
        names: [NameNo; N],
        condition: &Condition,
        frame: &Frame<'_>,
    ) -> Result<u64> {
        let predicate = compile(condition, frame, N + 1, Within::Customer)?;
        let sql = format!(
            "@everywhere(people)SELECT count(*) FROM {from} AND {own}({})",
            predicate.sql
        );
        let names = names.map(|name| Bind::Int(name.into()));
        let row = composed(sql, names, predicate.binds);
        let row = row.fetch_one(self.read()).await?;
        row.try_get::<i64>(0).map(i64::unsigned_abs)
    }
}

const NOT_MEMBER: &str = "NOT EXISTS (SELECT 1 FROM memberships AS m WHERE m.bucket = c.bucket \
     AND m.segment = $1 AND m.customer_id = c.customer_id)";
const LIVE: &str = "@everywhere(people)SELECT count(*) FROM enrollments \
     WHERE bucket BETWEEN 0 AND 1023 AND flow = $1 AND status < 10";

pub(super) const STATEMENTS: &[&str] = &[LIVE];
