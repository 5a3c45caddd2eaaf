//! Owns taking the bytes of a mail up to the final dot, of which the beginning is kept.

use std::io;

use smtp_proto::request::receiver::DataReceiver;

use super::wire::Wire;
use crate::channels::returns::reading::LONGEST;

/// What came between DATA and the final dot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Its beginning; reports stand there.
    Taken(Vec<u8>),
    TooBig,
    /// The other side was gone before the end, or does not come to one.
    Broken,
}

/// Reads to the final dot, without the dots that stand for others (RFC 5321 §4.5.2). A mail over `size` is read
/// on, so that it can be refused; one of twice that is not.
pub(super) async fn take(wire: &mut Wire, size: usize) -> io::Result<Body> {
    let (mut receiver, mut kept) = (DataReceiver::new(), Vec::new());
    // A mail of nothing ends with a dot on the first line.
    receiver.ingest(&mut b"\r\n".iter(), &mut kept);
    kept.clear();
    let mut taken = 0;
    loop {
        let mut bytes = wire.unread.iter();
        let is_whole = receiver.ingest(&mut bytes, &mut kept);
        let rest = bytes.as_slice().len();
        let used = wire.unread.len() - rest;
        wire.unread.drain(..used);
        taken += used;
        if is_whole {
            kept.truncate(LONGEST);
            let is_big = taken > size;
            return Ok(if is_big {
                Body::TooBig
            } else {
                Body::Taken(kept)
            });
        }
        // The last byte kept may be the end of the line before the dot, and is taken away again.
        kept.truncate(LONGEST + 1);
        if taken > size.saturating_mul(2) || !wire.more().await? {
            return Ok(Body::Broken);
        }
    }
}
