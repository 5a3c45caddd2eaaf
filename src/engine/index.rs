//! Owns making the index of the search, behind the changes and a little at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use super::beat::Beat;
use super::runtime::Engine;
use crate::store::Result;

/// So many customers are indexed in one transaction, which holds the writer for about 10 ms.
const TOGETHER: u32 = 256;
/// How long a change may wait until it is looked for. The store is asked so often, and not at every
/// change: those are mostly messages, which change no text.
const REST: Duration = Duration::from_millis(500);
/// While many are being added, they are indexed afterwards, but not put off for ever.
const MOST_RESTS: u32 = 120;

/// Indexes whoever waits for it.
pub struct Indexer {
    engine: Arc<Engine>,
    /// The newest range of new customers, and how often it was put off.
    newest: AtomicI64,
    rests: AtomicU32,
    /// Whether many have been indexed since the last rest.
    many: AtomicBool,
}

impl Indexer {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            newest: AtomicI64::new(0),
            rests: AtomicU32::new(0),
            many: AtomicBool::new(false),
        }
    }

    /// Some of those who wait.
    pub async fn run_once(&self) -> Result<Beat> {
        if !self.engine.duty.leads() {
            return Ok(Beat::Within(REST));
        }
        let (store, catalog) = (&self.engine.store, self.engine.catalog());
        store.search_by(&catalog.published).await?;
        let waiting = store.search_waiting().await?;
        self.engine
            .metrics
            .search_waiting
            .set(i64::try_from(waiting.customers).unwrap_or(i64::MAX));
        if waiting.ranges > 0 {
            self.many.store(true, Ordering::Relaxed);
        }
        if waiting.customers == 0 {
            if self.many.swap(false, Ordering::Relaxed) {
                store.sweep_texts().await?;
            }
            return Ok(Beat::Within(REST));
        }
        let ranges = self.is_quiet(waiting.newest);
        let done = store
            .index_search(&catalog.published, TOGETHER, ranges)
            .await?;
        Ok(if done == 0 {
            Beat::Within(REST)
        } else {
            Beat::Now
        })
    }

    /// Whether no more customers have been added in numbers since the last look.
    fn is_quiet(&self, newest: i64) -> bool {
        let before = self.newest.swap(newest, Ordering::Relaxed);
        let is_quiet = newest <= before || self.rests.load(Ordering::Relaxed) >= MOST_RESTS;
        if is_quiet {
            self.rests.store(0, Ordering::Relaxed);
        } else {
            self.rests.fetch_add(1, Ordering::Relaxed);
        }
        is_quiet
    }
}
