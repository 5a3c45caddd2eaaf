//! Owns the passing of time: who is moved over an edge by it, and when that happens next.

use jiff::Timestamp;

use super::bind::Bind;
use super::db::Store;
use super::dirty::again;
use super::error::{Error, Result};
use super::instants::{instant, micros};
use super::segment_edges::Edge;
use super::segment_frame::{Frame, Now, Scale};
use super::sql::composed;
use super::sql::query;
use super::tx::{On, Tx};
use crate::domain::ids::{CustomerId, NameNo};

const PASSED: &str = "UPDATE segment_states SET watermark = $2 WHERE segment = $1";
const NEXT: &str = "UPDATE segment_states SET next_edge = $2 WHERE segment = $1";
/// A change only ever brings an edge nearer; further away it gets when it was met.
const NEARER: &str = "UPDATE segment_states SET next_edge = $2 WHERE segment = $1 \
     AND (next_edge IS NULL OR next_edge > $2)";

pub(super) const STATEMENTS: &[&str] = &[PASSED, NEXT, NEARER];

/// The most edges asked at once (a PostgreSQL function takes 100 arguments).
const TOGETHER: usize = 90;

impl Store {
    /// Marks the customers whom the time since `since` has moved over one of a segment's edges, and
    /// remembers up to when that is done and when it is to be done next. How many it marked.
    pub async fn pass_time(
        &self,
        segment: NameNo,
        edges: &[Edge],
        frame: &Frame<'_>,
        since: Timestamp,
    ) -> Result<u64> {
        let mut tx = self.write_leading(0..0).await?;
        // First: whoever brings the next edge nearer meanwhile waits for this, and looks then.
        query(PASSED)
            .bind(segment.0)
            .bind(micros(frame.now))
            .execute(&mut tx)
            .await?;
        let mut marked = 0;
        for (edge, (low, high)) in crossed(edges, frame, since) {
            let marking = query(marking(edge)).bind(low).bind(high);
            let marking = marking.bind(edge.touches.bits());
            marked += marking.execute(&mut tx).await?;
        }
        let next = next(&mut tx, edges, frame).await?;
        query(NEXT)
            .bind(segment.0)
            .bind(next.map(micros))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(marked)
    }

    /// The customers whom the time since `since` has moved over one of these edges.
    pub async fn touched(
        &self,
        edges: &[Edge],
        frame: &Frame<'_>,
        since: Timestamp,
    ) -> Result<Vec<CustomerId>> {
        let mut touched = Vec::new();
        for (edge, (low, high)) in crossed(edges, frame, since) {
            let owners = format!("@everywhere(upkeep){}", edge.axis.owners());
            let owners = query(owners).bind(low).bind(high);
            for row in owners.fetch_all(self.read()).await? {
                touched.push(CustomerId(row.try_get(1)?));
            }
        }
        touched.sort_unstable();
        touched.dedup();
        Ok(touched)
    }

    /// When time alone moves somebody over one of these edges next, at the earliest; none: never.
    pub async fn next_edge(&self, edges: &[Edge], frame: &Frame<'_>) -> Result<Option<Timestamp>> {
        next(self.read(), edges, frame).await
    }
}

/// Brings a segment's next edge nearer, if what has changed did that.
pub(super) async fn bring_nearer(
    tx: &mut Tx,
    segment: NameNo,
    edges: &[Edge],
    frame: &Frame<'_>,
) -> Result<()> {
    let Some(next) = next(&mut *tx, edges, frame).await? else {
        return Ok(());
    };
    query(NEARER)
        .bind(segment.0)
        .bind(micros(next))
        .execute(tx)
        .await?;
    Ok(())
}

/// Each edge with what it has met since then.
fn crossed<'e>(
    edges: &'e [Edge],
    frame: &Frame<'_>,
    since: Timestamp,
) -> impl Iterator<Item = (&'e Edge, (i64, i64))> {
    let before = Now::of(&Frame {
        now: since,
        ..*frame
    });
    let after = Now::of(frame);
    edges.iter().flat_map(move |edge| {
        let ranges = edge.crossed(&before, &after).into_iter();
        let ranges = ranges.filter(|(low, high)| low < high);
        ranges.map(move |range| (edge, range))
    })
}

fn marking(edge: &Edge) -> String {
    format!(
        "INSERT INTO dirty (bucket, customer_id, mark, what) \
         SELECT t.bucket, t.customer_id, 1, CAST($3 AS BIGINT) FROM ({owners}) AS t WHERE true{again}",
        owners = edge.axis.owners(),
        again = again!(),
    )
}

async fn next<'c>(
    on: impl Into<On<'c>>,
    edges: &[Edge],
    frame: &Frame<'_>,
) -> Result<Option<Timestamp>> {
    let now = Now::of(frame);
    let mut next: Vec<i64> = Vec::new();
    if edges.iter().any(Edge::is_of_days) {
        let tomorrow = now.today.tomorrow().unwrap_or(now.today);
        next.push(now.begin(tomorrow, Scale::Instants));
    }
    let instants: Vec<&Edge> = edges.iter().filter(|edge| !edge.is_of_days()).collect();
    if !instants.is_empty() {
        next.extend(first_of(on.into(), &instants, &now).await?);
    }
    next.into_iter().min().map(instant).transpose()
}

/// When each edge meets the first instant ahead of it.
async fn first_of(on: On<'_>, edges: &[&Edge], now: &Now) -> Result<Vec<i64>> {
    let one = |(edge, n): (&&Edge, usize)| format!("({})", edge.axis.first(n));
    let of_some = |edges: &[&Edge], first: usize| {
        let each: Vec<String> = edges.iter().zip(first..).map(one).collect();
        format!("@array({})", each.join(", "))
    };
    let arrays = edges.chunks(TOGETHER).enumerate();
    let arrays: Vec<String> = arrays
        .map(|(n, some)| of_some(some, n * TOGETHER + 1))
        .collect();
    let ahead: Vec<Bind> = edges.iter().map(|e| Bind::Int(e.ahead(now))).collect();
    let sql = format!("@everywhere(waiting)SELECT @array({})", arrays.join(", "));
    let answer: String = composed(sql, None, ahead).fetch_one(on).await?.try_get(0)?;
    let found: Vec<Vec<Option<i64>>> = serde_json::from_str(&answer)
        .map_err(|error| Error::Corrupt(format!("edges cannot be read: {error}")))?;
    let found = found.into_iter().flatten().zip(edges);
    Ok(found
        .filter_map(|(at, edge)| Some(at?.saturating_add(edge.offset())))
        .collect())
}
