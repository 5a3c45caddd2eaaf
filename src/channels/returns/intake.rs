//! Owns where mail that came back comes in: a listener for mail servers, a maildir, or both.

use std::path::PathBuf;

use futures_util::future::join;

use super::desk::Desk;
use super::limits::Limits;
use super::lmtp;
use super::maildir::Maildir;
use crate::channels::Ear;
use crate::channels::email::return_path;
use crate::channels::setup::{BadGateway, Setup};
use crate::domain::lmtp_place::LmtpPlace;
use crate::domain::return_path::ReturnPath;

/// What reads the mail that comes back to one return path.
#[derive(Debug, Clone)]
pub struct Intake {
    pub path: ReturnPath,
    /// Where mail servers bring it.
    pub lmtp: Option<LmtpPlace>,
    /// Where one puts it.
    pub maildir: Option<PathBuf>,
    pub limits: Limits,
}

impl Intake {
    /// None: nothing that comes back is read here.
    pub fn open(setup: &Setup<'_>) -> Result<Option<Self>, BadGateway> {
        let (Some(returns), Some(path)) = (&setup.config.email.returns, return_path(setup)?) else {
            return Ok(None);
        };
        let lmtp = setup.optional(returns.lmtp.as_ref(), |text| {
            let text = setup.text("returns.lmtp", text)?;
            let place = LmtpPlace::read(&text).map_err(|bad| setup.bad("returns.lmtp", &bad))?;
            Ok(place.within(setup.workspace))
        })?;
        let maildir = setup.optional(returns.maildir.as_ref(), |text| {
            let text = setup.text("returns.maildir", text)?;
            Ok(setup.workspace.join(text))
        })?;
        let is_read = lmtp.is_some() || maildir.is_some();
        Ok(is_read.then(|| Self {
            path,
            lmtp,
            maildir,
            limits: Limits::default(),
        }))
    }

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
