//! Owns reading how an HTTP gateway is asked about a message whose answer was lost.

use super::header::header;
use super::receipts;
use super::request::{address, snippet, texts};
use crate::domain::gateway::{HttpLookup, Missing, ReceiptWords, Secretive};
use crate::workspace::document::channel::{HttpDoc, LookupDoc, ReceiptsDoc};
use crate::workspace::resolve::context::Context;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Named};

/// What names one message among all.
const ID: &str = "message.id";

type Words = Named<Vec<At<String>>>;

/// What the gateway says of it, if anything.
#[expect(
    clippy::option_option,
    reason = "a wrong one is none; that there is none is right"
)]
pub(super) fn of(cx: &Context<'_>, doc: &HttpDoc) -> Option<Option<Box<HttpLookup>>> {
    let Some(written) = &doc.lookup else {
        return Some(None);
    };
    read(cx, written, doc.receipts.as_ref()).map(|lookup| Some(Box::new(lookup)))
}

fn read(
    cx: &Context<'_>,
    doc: &At<LookupDoc>,
    told: Option<&At<ReceiptsDoc>>,
) -> Option<HttpLookup> {
    address(cx, &doc.url);
    for (name, value) in &doc.headers.0 {
        header(cx, name);
        snippet(cx, value.span, value);
    }
    let mut texts_of = doc.headers.0.iter().map(|(_, value)| value);
    if !doc.url.contains(ID) && !texts_of.any(|text| text.contains(ID)) {
        let message = "`lookup` does not say which message it asks about";
        let finding = bad_value::finding(doc.url.span, message);
        cx.add(finding.help("write `{{ message.id }}` into the address"));
    }
    let words = match (&doc.words, told) {
        (Some(words), _) => read_words(cx, doc, words),
        (None, Some(told)) => receipts::words(told),
        (None, None) => {
            let message = "`lookup` needs `words` where there are no `receipts`";
            return cx.refuse(bad_value::finding(doc.span, message));
        }
    };
    Some(HttpLookup {
        url: Secretive(doc.url.value.clone()),
        headers: texts(&doc.headers.0),
        status: doc.status.value.clone(),
        detail: doc.detail.as_ref().map(|field| field.value.clone()),
        words,
        missing: doc
            .missing
            .as_ref()
            .map_or_else(Missing::default, |word| word.0),
    })
}

fn read_words(cx: &Context<'_>, doc: &At<LookupDoc>, written: &Words) -> ReceiptWords {
    let mut words = ReceiptWords::default();
    for (fate, list) in &written.0 {
        let Some(place) = words.of(fate) else {
            let known = ReceiptWords::default().all().map(|(fate, _, _)| fate);
            cx.add(bad_value::word(fate.span, "`words`", fate, known));
            continue;
        };
        place.extend(list.iter().map(|word| word.value.clone()));
    }
    let all = written.0.iter().flat_map(|(_, list)| list);
    receipts::only_once(cx, ("words", doc.span), all);
    words
}
