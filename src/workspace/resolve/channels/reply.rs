//! Owns reading what people may reply to text messages, and what they are answered.

use std::collections::BTreeMap;

use crate::domain::reply_word::{ReplyRules, ReplyWord, plain};
use crate::workspace::document::channel::{ReplyAnswersDoc, ReplyWordsDoc};
use crate::workspace::resolve::bodies::Form;
use crate::workspace::resolve::context::Context;
use crate::workspace::resolve::texts;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::At;

pub(super) fn read(
    cx: &Context<'_>,
    words: Option<&At<ReplyWordsDoc>>,
    answers: Option<&At<ReplyAnswersDoc>>,
) -> ReplyRules {
    ReplyRules {
        words: words.map(|doc| own_words(cx, doc)).unwrap_or_default(),
        answers: answers.map_or_else(BTreeMap::new, |doc| {
            let written = [
                (ReplyWord::Stop, &doc.stop),
                (ReplyWord::Start, &doc.start),
                (ReplyWord::Help, &doc.help),
            ];
            let written = written.into_iter().filter_map(|(word, text)| {
                Some((word, texts::inline(cx, text.as_ref()?, Form::Text)))
            });
            written.collect()
        }),
    }
}

/// Each word may stand for one thing only.
fn own_words(cx: &Context<'_>, doc: &ReplyWordsDoc) -> BTreeMap<ReplyWord, Vec<String>> {
    let written = [
        (ReplyWord::Stop, &doc.stop),
        (ReplyWord::Start, &doc.start),
        (ReplyWord::Help, &doc.help),
    ];
    let mut meant: BTreeMap<String, ReplyWord> = BTreeMap::new();
    for (kind, words) in written {
        for word in words {
            let folded = plain(word);
            if folded.is_empty() || folded.split_whitespace().count() != 1 {
                let message = format!("`{}` is not one word", word.value);
                cx.add(bad_value::finding(word.span, message));
                continue;
            }
            if let Some(other) = meant.get(&folded).filter(|other| **other != kind) {
                let message = format!("`{}` already means `{}`", word.value, other.as_str());
                cx.add(bad_value::finding(word.span, message));
                continue;
            }
            meant.insert(folded, kind);
        }
    }
    let mut own: BTreeMap<ReplyWord, Vec<String>> = BTreeMap::new();
    for (word, kind) in meant {
        own.entry(kind).or_default().push(word);
    }
    own
}
