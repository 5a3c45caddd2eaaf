//! Owns a reader of which only so much may be read at a time, so that one endless row cannot fill the
//! memory.

use std::io::{self, Read};

pub(super) struct Rationed<R> {
    inner: R,
    ration: usize,
    left: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {} KiB belong together here", .0 / 1024)]
struct RationSpent(usize);

impl<R> Rationed<R> {
    pub(super) fn new(inner: R, ration: usize) -> Self {
        Self {
            inner,
            ration,
            left: ration,
        }
    }

    pub(super) fn renew(&mut self) {
        self.left = self.ration;
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.inner
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(RationSpent(self.ration)));
        }
        let length = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(length);
        Ok(length)
    }
}

/// Whether it was the ration that ended the reading.
pub(super) fn is_spent(error: &io::Error) -> bool {
    let cause = error.get_ref();
    cause.is_some_and(|cause| cause.downcast_ref::<RationSpent>().is_some())
}
