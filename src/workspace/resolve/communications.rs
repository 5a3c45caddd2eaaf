//! Owns reading communications, and what a marketing e-mail must carry.

use std::collections::BTreeSet;

use super::bodies::{self, Form};
use super::context::Context;
use super::sms_texts;
use super::texts::{self, FileBody};
use crate::domain::communication::{Content, EmailContent, Localized, PushContent, SmsContent};
use crate::domain::template;
use crate::workspace::document::campaign::{EmailDoc, PushDoc, SmsDoc};
use crate::workspace::document::texts::TextsDoc;
use crate::workspace::node::Span;
use crate::workspace::rules::{
    email_without_from, exactly_one, no_postal_address, no_unsubscribe_link,
};
use crate::workspace::spanned::{At, Opt};

const BODY: &str = "an e-mail's body";

/// `span` is where the e-mail is written.
pub(crate) fn email(
    cx: &Context<'_>,
    span: Span,
    doc: &EmailDoc,
    is_marketing: bool,
) -> Option<Content> {
    let sender = |address: &Opt<String>| {
        let address = address.as_ref()?;
        cx.holds(email_without_from::check(address.span, address));
        Some(address.value.clone())
    };
    let subject = texts::inline(cx, &doc.subject, Form::Text);
    let preheader = doc
        .preheader
        .as_ref()
        .map(|text| texts::inline(cx, text, Form::Text));
    let (from, reply_to) = (sender(&doc.from), sender(&doc.reply_to));
    let (html, text) = bodies(cx, span, doc)?;
    let content = EmailContent {
        subject,
        preheader,
        from,
        reply_to,
        html,
        text,
    };
    if is_marketing {
        let place = |part: &Opt<TextsDoc>| part.as_ref().map(|part| part.span);
        let body = place(&doc.template)
            .or_else(|| place(&doc.html))
            .or_else(|| place(&doc.mjml))
            .or_else(|| place(&doc.text));
        marketing(cx, body.unwrap_or(span), &content);
    }
    Some(Content::Email(content))
}

fn bodies(
    cx: &Context<'_>,
    span: Span,
    doc: &EmailDoc,
) -> Option<(Option<Localized>, Option<Localized>)> {
    let text = doc
        .text
        .as_ref()
        .map(|text| texts::inline(cx, text, Form::Text));
    let html = match (&doc.html, &doc.mjml) {
        (Some(_), Some(mjml)) => {
            let kinds = ["html", "mjml"];
            return cx.refuse(exactly_one::finding(mjml.span, BODY, &kinds, 2));
        }
        (Some(html), None) => Some(texts::inline(cx, html, Form::Html)),
        (None, mjml) => mjml
            .as_ref()
            .map(|mjml| texts::inline(cx, mjml, Form::Mjml)),
    };
    let Some(template) = &doc.template else {
        if html.is_none() && text.is_none() {
            let kinds = ["template", "mjml", "html", "text"];
            return cx.refuse(exactly_one::finding(span, BODY, &kinds, 0));
        }
        return Some((html, text));
    };
    let FileBody {
        html: is_html,
        texts,
    } = texts::files(cx, template)?;
    match (is_html, html, text) {
        (true, None, text) => Some((Some(texts), text)),
        (false, html, None) => Some((html, Some(texts))),
        (_, html, _) => {
            let other = match html {
                Some(_) if doc.mjml.is_some() => "mjml",
                Some(_) => "html",
                None => "text",
            };
            let kinds = ["template", other];
            cx.refuse(exactly_one::finding(template.span, BODY, &kinds, 2))
        }
    }
}

/// Reports a body without a link to give it up, or without the postal address.
pub(crate) fn marketing(cx: &Context<'_>, span: Span, content: &EmailContent) {
    let parts = [("HTML", &content.html), ("text", &content.text)];
    let mut findings = BTreeSet::new();
    for (name, part) in parts {
        let sources = part.iter().flat_map(Localized::texts);
        for (_, source) in sources.filter(|(_, source)| *source != bodies::NOT_MADE) {
            let uses = template::uses(source);
            let link = ["unsubscribe_url", "preferences_url"];
            if !link.iter().any(|name| uses.contains(*name)) {
                findings.insert((0, name));
            }
            let address = &cx.policy.organization.postal_address;
            if uses.contains("organization.postal_address") {
                if address.is_empty() {
                    findings.insert((2, name));
                }
            } else if address.is_empty() || !source.contains(address.as_str()) {
                findings.insert((1, name));
            }
        }
    }
    for (what, name) in findings {
        cx.add(match what {
            0 => no_unsubscribe_link::finding(span, name),
            1 => no_postal_address::finding(span, name),
            _ => no_postal_address::unset(span),
        });
    }
}

pub(crate) fn sms(cx: &Context<'_>, doc: &SmsDoc) -> Content {
    sms_texts::check(cx, &doc.text);
    Content::Sms(SmsContent {
        text: texts::inline(cx, &doc.text, Form::Text),
    })
}

pub(crate) fn push(cx: &Context<'_>, doc: &PushDoc) -> Content {
    let link = doc.link.as_ref().map(|link| {
        let written = At {
            span: link.span,
            value: TextsDoc::One(link.value.clone()),
        };
        texts::inline(cx, &written, Form::Text).default
    });
    Content::Push(PushContent {
        title: texts::inline(cx, &doc.title, Form::Text),
        body: texts::inline(cx, &doc.body, Form::Text),
        link,
    })
}
