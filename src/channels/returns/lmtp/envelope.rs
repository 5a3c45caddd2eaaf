//! Owns the envelope of a mail that is brought: who sent it, and to which of our addresses it comes.

use crate::domain::return_path::{ReturnPath, Returned};

use super::reply::{NO_SUCH, RECIPIENT_FINE, Reply, TOO_MANY};

/// From MAIL to the end of the mail.
#[derive(Debug)]
pub(super) struct Envelope {
    /// Nobody sent it (`<>`): it is a report.
    pub(super) is_from_nobody: bool,
    /// Each that was taken, in order: each is answered.
    pub(super) to: Vec<Returned>,
}

impl Envelope {
    pub(super) fn new(from: &str) -> Self {
        Self {
            is_from_nobody: from.is_empty(),
            to: Vec::new(),
        }
    }

    /// Takes a recipient. One without our seal is nobody: no bounce can be made up for somebody else.
    pub(super) fn add(&mut self, address: &str, path: &ReturnPath, most: usize) -> Reply {
        if self.to.len() >= most {
            return TOO_MANY;
        }
        match path.read(address) {
            to @ (Returned::Of(_) | Returned::Bare) => {
                self.to.push(to);
                RECIPIENT_FINE
            }
            Returned::Forged | Returned::Elsewhere => NO_SUCH,
        }
    }
}
