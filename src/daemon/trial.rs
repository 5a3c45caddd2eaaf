//! Owns sending a message by way of trial: through the channel's own gateway, to an address that somebody
//! names, past every rule and every record but the audit.

use std::path::Path;

use uuid::Uuid;

use super::options::Failure;
use super::parts::Workshop;
use crate::channels::{HandOver, Recalled};
use crate::domain::dispatch::Outcome;
use crate::domain::ids::DispatchId;
use crate::domain::message::{Frozen, Message, Rendered};
use crate::domain::revision::Revision;
use crate::settings::Settings;

/// What marks the message for whoever gets it.
const MARK: &str = "[Test] ";

struct Nobody;

impl HandOver for Nobody {
    fn mark(&self) -> Result<(), Recalled> {
        Ok(())
    }
}

/// Sends it once; what the gateway says.
pub async fn send_trial(
    (workspace, settings): (&Path, Settings),
    revision: &Revision,
    frozen: Frozen,
) -> Result<Outcome, Failure> {
    let channel = frozen.rendered.channel();
    let Some(config) = revision.channels.get(&channel) else {
        let why =
            format!("the channel `{channel}` has no gateway: write `channels/{channel}.yaml`");
        return Err(Failure::Configuration(why));
    };
    let workshop = Workshop {
        workspace: workspace.to_owned(),
        settings,
        returns: None,
        is_shared: false,
    };
    let outlet = workshop
        .open(config)
        .map_err(|bad| Failure::Configuration(bad.to_string()))?;
    let message = Message {
        id: DispatchId::from_bytes(Uuid::new_v4().into_bytes()),
        attempt: 1,
        receipt_url: None,
        frozen: Frozen {
            rendered: marked(frozen.rendered),
            ..frozen
        },
    };
    Ok(outlet.gateway.send(&message, &Nobody).await)
}

fn marked(mut rendered: Rendered) -> Rendered {
    let text = match &mut rendered {
        Rendered::Email(email) => &mut email.subject,
        Rendered::Sms(sms) => &mut sms.text,
        Rendered::Push(push) => &mut push.title,
    };
    text.insert_str(0, MARK);
    rendered
}
