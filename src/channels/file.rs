//! Owns the file gateway: each message becomes one file, `.eml` for e-mail and `.json` for the others.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;

use super::detail::clean;
use super::email::{House, compose};
use super::setup::{BadGateway, Setup};
use super::{Gateway, HandOver, Recalled};
use crate::domain::channel::Channel;
use crate::domain::dispatch::{DeferCause, Outcome};
use crate::domain::gateway::FileGateway;
use crate::domain::message::{Message, Rendered, RenderedPush, RenderedSms};

/// Writes under `FOLDER/YYYY-MM-DD/YYYYMMDD-HHMMSS-<dispatch id>.eml` (UTC, the message's own time).
pub struct Files {
    folder: PathBuf,
    house: House,
}

/// What a `.json` file says.
#[derive(Serialize)]
struct Note<'a> {
    id: String,
    channel: Channel,
    at: Timestamp,
    to: &'a str,
    customer: &'a str,
    flow: &'a str,
    step: &'a str,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Sms(&'a RenderedSms),
    Push(&'a RenderedPush),
}

impl Files {
    pub fn open(setup: &Setup<'_>, file: &FileGateway) -> Result<Self, BadGateway> {
        let house = match setup.config.channel {
            Channel::Email => House::open(setup)?,
            Channel::Sms | Channel::Push => House::default(),
        };
        Ok(Self {
            folder: setup.workspace.join(&file.folder),
            house,
        })
    }

    async fn write(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let (bytes, ending) = match self.content(message) {
            Ok(content) => content,
            Err(outcome) => return outcome,
        };
        let path = self.path(message, ending);
        match place(&path, bytes, hand_over).await {
            Ok(()) => Outcome::Accepted {
                gateway_id: None,
                detail: path.display().to_string(),
            },
            Err(Unplaced::Recalled(recalled)) => recalled.into(),
            Err(Unplaced::Failed(error)) => gateway_fault(&format!("{}: {error}", path.display())),
        }
    }

    fn content(&self, message: &Message) -> Result<(Vec<u8>, &'static str), Outcome> {
        let content = match &message.frozen.rendered {
            Rendered::Email(_) => {
                let mail = compose(message, &self.house)?;
                return Ok((mail.bytes, "eml"));
            }
            Rendered::Sms(sms) => Content::Sms(sms),
            Rendered::Push(push) => Content::Push(push),
        };
        let note = note(message, content);
        let bytes = serde_json::to_vec_pretty(&note).map_err(|error| gateway_fault(&error))?;
        Ok((bytes, "json"))
    }

    /// The same for the same message, so that a retry writes the same file.
    fn path(&self, message: &Message, ending: &str) -> PathBuf {
        let at = message.frozen.at;
        let name = format!("{}-{}.{ending}", at.strftime("%Y%m%d-%H%M%S"), message.id);
        let day = at.strftime("%Y-%m-%d").to_string();
        self.folder.join(day).join(name)
    }
}

impl Gateway for Files {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.write(message, hand_over))
    }
}

fn note<'a>(message: &'a Message, content: Content<'a>) -> Note<'a> {
    let frozen = &message.frozen;
    Note {
        id: message.id.to_string(),
        channel: frozen.rendered.channel(),
        at: frozen.at,
        to: &frozen.to,
        customer: &frozen.origin.customer,
        flow: &frozen.origin.flow,
        step: &frozen.origin.step,
        content,
    }
}

/// Half a file is never seen under the last name. No fsync: the files are a demonstration's outbox,
/// and the machine's own crash is what the hand-over mark is for.
async fn place(path: &Path, bytes: Vec<u8>, hand_over: &dyn HandOver) -> Result<(), Unplaced> {
    let part = path.with_extension("part");
    let folder = path.parent().unwrap_or(path).to_path_buf();
    let written = part.clone();
    tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(folder)?;
        std::fs::write(written, bytes)
    })
    .await
    .map_err(std::io::Error::other)??;
    hand_over.mark()?;
    Ok(tokio::fs::rename(part, path).await?)
}

/// Why a file did not get its last name.
#[derive(Debug, thiserror::Error)]
enum Unplaced {
    #[error(transparent)]
    Recalled(#[from] Recalled),
    #[error(transparent)]
    Failed(#[from] std::io::Error),
}

fn gateway_fault(why: &impl ToString) -> Outcome {
    Outcome::Deferred {
        detail: clean(&why.to_string()),
        retry_after: None,
        cause: DeferCause::Gateway,
    }
}
