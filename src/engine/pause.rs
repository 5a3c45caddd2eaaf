//! Owns pausing and resuming by people: of a flow or a channel, each change with its line in the audit.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::ids::NameNo;
use crate::store::{Pause, Result, Store};

/// What is paused or resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Flow(String, NameNo),
    Channel(Channel),
}

impl Target {
    /// `flow` or `channel`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flow(..) => "flow",
            Self::Channel(_) => "channel",
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Flow(name, _) => name,
            Self::Channel(channel) => channel.as_str(),
        }
    }
}

/// Stops claims and entries until somebody resumes. `false`: it was paused already.
pub async fn pause(
    store: &Store,
    target: &Target,
    reason: Option<&str>,
    by: &By,
    at: Timestamp,
) -> Result<bool> {
    let pause = Pause {
        at,
        by: by.actor.to_string(),
        reason: reason.map(str::to_owned),
    };
    let changed = match target {
        Target::Flow(_, number) => store.pause_flow(*number, &pause).await?,
        Target::Channel(channel) => store.pause_channel(*channel, &pause).await?,
    };
    if changed {
        audit(store, "pause", target, reason, by, at).await?;
    }
    Ok(changed)
}

/// Lets it go on. `false`: it was not paused.
pub async fn resume(store: &Store, target: &Target, by: &By, at: Timestamp) -> Result<bool> {
    let changed = match target {
        Target::Flow(_, number) => store.resume_flow(*number, at).await?,
        Target::Channel(channel) => store.resume_channel(*channel, at).await?,
    };
    if changed {
        audit(store, "resume", target, None, by, at).await?;
    }
    Ok(changed)
}

async fn audit(
    store: &Store,
    what: &str,
    target: &Target,
    reason: Option<&str>,
    by: &By,
    at: Timestamp,
) -> Result<()> {
    let mut detail = json!({ target.kind(): target.name() });
    if let Some(reason) = reason {
        detail["reason"] = json!(reason);
    }
    store.audit(by, what, Some(&detail.to_string()), at).await
}
