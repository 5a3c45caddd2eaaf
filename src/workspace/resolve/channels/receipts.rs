//! Owns reading what an HTTP gateway tells of messages that it took.

use super::header::header;
use crate::domain::gateway::{HttpReceipts, ReceiptId, ReceiptWords, Secretive};
use crate::workspace::document::channel::ReceiptsDoc;
use crate::workspace::node::{Node, Span};
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::{bad_value, exactly_one};
use crate::workspace::spanned::{At, Own as _};

/// What a text of the gateway calls the address of the callback.
const URL: &str = "receipt_url";

pub(super) fn read(
    cx: &Context<'_>,
    doc: &At<ReceiptsDoc>,
    has_id_pointer: bool,
) -> Option<HttpReceipts> {
    if let Some(name) = &doc.header {
        header(cx, name);
    }
    if let Some(pointer) = doc.each.as_ref().filter(|text| !text.starts_with('/')) {
        let message = "`each` is a JSON pointer: it begins with `/`, such as `/results`";
        cx.add(bad_value::finding(pointer.span, message));
    }
    let id = match (&doc.id, &doc.gateway_id) {
        (None, None) => ReceiptId::Address,
        (Some(field), None) => ReceiptId::Ours(field.value.clone()),
        (None, Some(field)) => {
            if !has_id_pointer {
                let message = "`gateway-id` names messages by ids that nobody writes down";
                let finding = bad_value::finding(field.span, message);
                cx.add(finding.help("set `id-pointer` to where the gateway's answer has the id"));
            }
            ReceiptId::Theirs(field.value.clone())
        }
        (Some(_), Some(second)) => {
            let kinds = ["id", "gateway-id"];
            return cx.refuse(exactly_one::finding(second.span, "`receipts`", &kinds, 2));
        }
    };
    only_once(cx, ("receipts", doc.span), listed(doc));
    Some(HttpReceipts {
        secret: Secretive(doc.secret.value.clone()),
        header: doc.header.own(),
        id,
        each: doc.each.own(),
        status: doc.status.value.clone(),
        detail: doc.detail.own(),
        words: words(doc),
    })
}

pub(super) fn words(doc: &ReceiptsDoc) -> ReceiptWords {
    let own = |words: &[At<String>]| words.iter().map(|word| word.value.clone()).collect();
    ReceiptWords {
        accepted: own(&doc.accepted),
        delivered: own(&doc.delivered),
        bounced: own(&doc.bounced),
        bounced_soft: own(&doc.bounced_soft),
        bounced_policy: own(&doc.bounced_policy),
        complained: own(&doc.complained),
        expired: own(&doc.expired),
        failed: own(&doc.failed),
    }
}

fn listed(doc: &ReceiptsDoc) -> impl Iterator<Item = &At<String>> {
    let lists = [
        &doc.accepted,
        &doc.delivered,
        &doc.bounced,
        &doc.bounced_soft,
        &doc.bounced_policy,
        &doc.complained,
        &doc.expired,
        &doc.failed,
    ];
    lists.into_iter().flatten()
}

/// Each word means one thing, and there is one at least.
pub(super) fn only_once<'w>(
    cx: &Context<'_>,
    (key, span): (&str, Span),
    words: impl Iterator<Item = &'w At<String>>,
) {
    let mut seen: Vec<&At<String>> = Vec::new();
    for word in words {
        if seen.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            let message = format!("the word `{}` already means something", word.value);
            cx.add(bad_value::finding(word.span, message));
        }
        seen.push(word);
    }
    if seen.is_empty() {
        let message = format!("`{key}` has no word that means anything");
        let finding = bad_value::finding(span, message);
        cx.add(finding.help("say at least which words mean `delivered` and `failed`"));
    }
}

/// Without receipts nothing would answer at that address.
pub(super) fn refuse_url(cx: &Context<'_>, root: &Node, gateway: Span) {
    let Some(gateway) = root.find(gateway) else {
        return;
    };
    gateway.walk(&mut |node| {
        if node.text().is_some_and(|text| text.contains(URL)) {
            let message = format!("`{URL}` leads to nothing without `receipts`");
            cx.add(bad_value::finding(node.span, message));
        }
    });
}
