//! Owns reading variants: what each says in full, and who gets which.

use super::communications;
use super::context::Context;
use crate::domain::channel::Channel;
use crate::domain::communication::{Communication, Content, Variant};
use crate::domain::draw::WHOLE;
use crate::workspace::diagnostic::suggestion;
use crate::workspace::document::campaign::{EmailDoc, PushDoc, SmsDoc};
use crate::workspace::document::variants::{VariantDoc, VariantsDoc};
use crate::workspace::node::Span;
use crate::workspace::rules::bad_value;
use crate::workspace::spanned::{At, Opt};

type Variants = Option<At<VariantsDoc>>;

/// An e-mail with the variants that stand in it, or beside it.
pub(crate) fn email(
    cx: &Context<'_>,
    (span, doc): (Span, &EmailDoc),
    beside: &Variants,
    is_marketing: bool,
) -> Option<Communication> {
    let content = communications::email(cx, span, doc, is_marketing)?;
    let variants = of(cx, &doc.variants, beside);
    let variants = read(cx, variants, Channel::Email, |variant| {
        let body = [&variant.template, &variant.html, &variant.mjml];
        let replaced = body.iter().any(|part| part.is_some());
        let kept = |own: &Opt<_>| own.clone().filter(|_| !replaced);
        let own = |own: &Opt<_>, other: &Opt<_>| own.clone().or_else(|| kept(other));
        let merged = EmailDoc {
            subject: variant
                .subject
                .clone()
                .unwrap_or_else(|| doc.subject.clone()),
            preheader: variant.preheader.clone().or_else(|| doc.preheader.clone()),
            from: variant.from.clone().or_else(|| doc.from.clone()),
            reply_to: variant.reply_to.clone().or_else(|| doc.reply_to.clone()),
            template: own(&variant.template, &doc.template),
            html: own(&variant.html, &doc.html),
            mjml: own(&variant.mjml, &doc.mjml),
            text: variant.text.clone().or_else(|| doc.text.clone()),
            variants: None,
        };
        communications::email(cx, variant.span, &merged, is_marketing)
    })?;
    Some(Communication { content, variants })
}

pub(crate) fn sms(cx: &Context<'_>, doc: &SmsDoc, beside: &Variants) -> Option<Communication> {
    let content = communications::sms(cx, doc);
    let variants = read(cx, of(cx, &doc.variants, beside), Channel::Sms, |variant| {
        let merged = SmsDoc {
            text: variant.text.clone().unwrap_or_else(|| doc.text.clone()),
            variants: None,
        };
        Some(communications::sms(cx, &merged))
    })?;
    Some(Communication { content, variants })
}

pub(crate) fn push(cx: &Context<'_>, doc: &PushDoc, beside: &Variants) -> Option<Communication> {
    let content = communications::push(cx, doc);
    let variants = read(
        cx,
        of(cx, &doc.variants, beside),
        Channel::Push,
        |variant| {
            let merged = PushDoc {
                title: variant.title.clone().unwrap_or_else(|| doc.title.clone()),
                body: variant.body.clone().unwrap_or_else(|| doc.body.clone()),
                link: variant.link.clone().or_else(|| doc.link.clone()),
                variants: None,
            };
            Some(communications::push(cx, &merged))
        },
    )?;
    Some(Communication { content, variants })
}

fn of<'a>(
    cx: &Context<'_>,
    inside: &'a Variants,
    beside: &'a Variants,
) -> Option<&'a At<VariantsDoc>> {
    if let (Some(_), Some(beside)) = (inside, beside) {
        let message = "the variants are written twice";
        cx.add(bad_value::finding(beside.span, message).help("keep one of the two"));
    }
    inside.as_ref().or(beside.as_ref())
}

fn read(
    cx: &Context<'_>,
    written: Option<&At<VariantsDoc>>,
    channel: Channel,
    content: impl Fn(&At<VariantDoc>) -> Option<Content>,
) -> Option<Vec<Variant>> {
    let Some(written) = written else {
        return Some(Vec::new());
    };
    let shares = shares(cx, written)?;
    let mut variants = Vec::new();
    for ((id, variant), share) in written.0.iter().zip(shares) {
        if let Some((span, key)) = stray(variant, channel) {
            let message = format!("`{channel}` has no `{key}`");
            let known = keys(channel).iter().copied();
            cx.add(bad_value::finding(span, message).help(suggestion(key, "keys", known)));
            continue;
        }
        variants.push(Variant {
            id: id.value.clone(),
            share,
            content: content(variant)?,
        });
    }
    Some(variants)
}

/// Who gets which, in ten-thousandths: together the whole.
fn shares(cx: &Context<'_>, written: &At<VariantsDoc>) -> Option<Vec<u32>> {
    let variants = &written.0;
    if variants.len() < 2 {
        let message = "there is nothing to compare: one variant is none";
        return cx.refuse(bad_value::finding(written.span, message).help("write two or more"));
    }
    let given: Vec<Option<u32>> = variants
        .iter()
        .map(|(_, variant)| variant.share.as_ref().map(|share| share.0))
        .collect();
    let taken: u32 = given.iter().flatten().sum();
    let open = u32::try_from(given.iter().filter(|share| share.is_none()).count()).ok()?;
    let fits = if open == 0 {
        taken == WHOLE
    } else {
        taken < WHOLE
    };
    if !fits {
        let message = "the shares of the variants do not make up 100 %";
        let help = "leave one `share` out: it gets what the others leave";
        return cx.refuse(bad_value::finding(written.span, message).help(help));
    }
    let mut left = WHOLE - taken;
    let mut open_left = open;
    let each = given.into_iter().map(|share| {
        share.unwrap_or_else(|| {
            let own = left / open_left;
            (left, open_left) = (left - own, open_left - 1);
            own
        })
    });
    Some(each.collect())
}

fn keys(channel: Channel) -> &'static [&'static str] {
    match channel {
        Channel::Email => &[
            "share",
            "subject",
            "preheader",
            "from",
            "reply-to",
            "template",
            "html",
            "mjml",
            "text",
        ],
        Channel::Sms => &["share", "text"],
        Channel::Push => &["share", "title", "body", "link"],
    }
}

/// A key that the channel's messages do not have.
fn stray(variant: &VariantDoc, channel: Channel) -> Option<(Span, &'static str)> {
    let texts = [
        ("subject", &variant.subject),
        ("preheader", &variant.preheader),
        ("template", &variant.template),
        ("html", &variant.html),
        ("mjml", &variant.mjml),
        ("text", &variant.text),
        ("title", &variant.title),
        ("body", &variant.body),
    ];
    let plain = [
        ("from", &variant.from),
        ("reply-to", &variant.reply_to),
        ("link", &variant.link),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(key, at)| Some((at.as_ref()?.span, key)));
    let plain = plain
        .into_iter()
        .filter_map(|(key, at)| Some((at.as_ref()?.span, key)));
    let mut written = texts.chain(plain);
    written.find(|(_, key)| !keys(channel).contains(key))
}
