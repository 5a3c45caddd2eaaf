//! Owns where mail that came back comes in: a listener for mail servers, a maildir, or both.

use std::path::PathBuf;

use futures_util::future::join;

use super::desk::Desk;
use super::limits::Limits;
use super::lmtp::{self, Place};
use super::maildir::Maildir;
use crate::channels::Ear;
use crate::domain::return_path::ReturnPath;

/// What reads the mail that comes back to one return path.
#[derive(Debug, Clone)]
pub struct Intake {
    pub path: ReturnPath,
    /// Where mail servers bring it.
    pub lmtp: Option<Place>,
    /// Where one puts it.
    pub maildir: Option<PathBuf>,
    pub limits: Limits,
}

impl Intake {
    /// Takes mail and brings what it tells, until it is dropped.
    pub async fn listen(&self, ear: &dyn Ear) {
        let desk = Desk {
            path: &self.path,
            ear,
            limits: self.limits,
        };
        let servers = async {
            if let Some(place) = &self.lmtp {
                lmtp::listen(place, &desk).await;
            }
        };
        let files = async {
            if let Some(path) = &self.maildir {
                Maildir::new(path.clone()).watch(&desk).await;
            }
        };
        join(servers, files).await;
    }
}
