//! Owns numbers that a process has taken from a server and not yet used.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// What is left of the block of each counter.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<HashMap<String, Range<i64>>>);

impl Blocks {
    /// Numbers in a row, the first of them; none: not so many are left.
    pub(super) fn take(&self, name: &str, count: i64) -> Option<i64> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.get_mut(name)?;
        if block.end - block.start < count {
            return None;
        }
        let first = block.start;
        block.start += count;
        Some(first)
    }

    pub(super) fn put(&self, name: &str, left: Range<i64>) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.insert(name.to_owned(), left);
    }
}
