//! Owns what is asked of the texts of text messages: how many parts, and in which alphabet.

use super::context::Context;
use super::faults;
use super::texts;
use crate::domain::sms_parts::{self, Alphabet, Foreign};
use crate::domain::template::{Outline, TemplateProblem};
use crate::domain::transliteration;
use crate::workspace::document::texts::TextsDoc;
use crate::workspace::rules::{sms_alphabet, sms_too_long};
use crate::workspace::spanned::At;

pub(crate) fn check(cx: &Context<'_>, written: &At<TextsDoc>) {
    for (_, source, span) in texts::each(written) {
        // One that cannot be read has been told of.
        let Some(outline) = Outline::of(source) else {
            continue;
        };
        let found = sms_parts::sizes(&sent(cx, &outline.longest));
        cx.holds(sms_too_long::check(span, found, cx.sms.max_parts));
        let Some(foreign) = stray(cx, &outline) else {
            continue;
        };
        let problem =
            TemplateProblem::with_character(source, foreign.letter, foreign.offset, String::new());
        let place = faults::within_yaml(cx, span, &problem);
        let whole = sms_parts::sizes(&format!("{}{}", outline.longest, foreign.letter));
        let found = if found.alphabet == Alphabet::Ucs2 {
            found
        } else {
            whole
        };
        cx.add(sms_alphabet::finding(place, foreign.letter, found));
    }
}

/// As the channel would write it.
fn sent(cx: &Context<'_>, text: &str) -> String {
    if cx.sms.transliterate {
        transliteration::gsm7(text)
    } else {
        text.to_owned()
    }
}

/// The first foreign character of a text that could do without: fewer than half of its letters are foreign.
fn stray(cx: &Context<'_>, outline: &Outline) -> Option<Foreign> {
    let all: String = outline
        .literals
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    let all = sent(cx, &all);
    let letters = all.chars().filter(|letter| letter.is_alphabetic()).count();
    let foreign = all
        .chars()
        .filter(|letter| sms_parts::septets(*letter).is_none());
    if foreign.count() * 2 > letters {
        return None;
    }
    outline.literals.iter().find_map(|(start, text)| {
        let mut each = text.char_indices();
        each.find_map(|(offset, letter)| {
            let written = sent(cx, letter.encode_utf8(&mut [0; 4]));
            sms_parts::foreign(&written)?;
            Some(Foreign {
                letter,
                offset: start + offset,
            })
        })
    })
}
