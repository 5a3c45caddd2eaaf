//! Owns the rule `channel-without-gateway`: a step on a channel that has no channel document.
//!
//! **What it does.** Names each channel that a flow uses and that no file configures.
//!
//! **Why.** Its messages could not be handed to anybody.
//!
//! **Example.** A step with `sms:` in a workspace without a document that begins with `channel: sms`.
//!
//! **Use instead.** Ask IT for `channels/sms.yaml`; to try it out, `gateway: { file: { folder: var/outbox } }`.

use crate::domain::channel::Channel;
use crate::workspace::diagnostic::Finding;
use crate::workspace::names::Names;
use crate::workspace::node::Span;

pub(crate) fn check(names: &Names, span: Span, channel: Channel) -> Result<(), Finding> {
    if names.channels.contains(&channel) {
        return Ok(());
    }
    Err(Finding::error(
        "channel-without-gateway",
        span,
        format!("the channel `{channel}` has no gateway"),
    )
    .help(format!("add a file that begins with `channel: {channel}` and names its gateway")))
}
