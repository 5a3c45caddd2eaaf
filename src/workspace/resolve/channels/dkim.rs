//! Owns reading how e-mail is signed.

use crate::domain::channel::Channel;
use crate::domain::gateway::{DkimConfig, Secretive};
use crate::workspace::document::channel::DkimDoc;
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::{bad_value, secret_in_flows};
use crate::workspace::spanned::At;

pub(super) fn read(cx: &Context<'_>, channel: Channel, doc: &At<DkimDoc>) -> Option<DkimConfig> {
    if channel != Channel::Email {
        let message = format!("the channel `{channel}` cannot have `dkim`: only e-mail is signed");
        cx.add(bad_value::finding(doc.span, message));
        return None;
    }
    if secret_in_flows::reference(&doc.key).is_none() {
        let message = "`key` holds a private key, and it is written in the file";
        cx.add(
            bad_value::finding(doc.key.span, message)
                .help("write a reference: `${credential:dkim}`"),
        );
        return None;
    }
    Some(DkimConfig {
        domain: Secretive(doc.domain.value.clone()),
        selector: Secretive(doc.selector.value.clone()),
        key: Secretive(doc.key.value.clone()),
    })
}
