//! Owns reading campaigns.

use std::collections::BTreeMap;

use super::context::Context;
use super::variants;
use crate::domain::campaign::{Active, Campaign};
use crate::domain::communication::Communication;
use crate::workspace::document::campaign::{ActiveDoc, CampaignDoc, CommunicationDoc};
use crate::workspace::documents::Doc;
use crate::workspace::rules::{
    bad_value, exactly_one, missing_segment, unknown_category, unknown_group,
};
use crate::workspace::spanned::{At, Own as _};

pub(crate) fn campaign(cx: &Context<'_>, doc: &Doc<CampaignDoc>) -> Campaign {
    let written = &doc.written;
    belonging(cx, written.category.as_ref(), written.group.as_ref());
    if let Some(segment) = &written.segment {
        cx.holds(missing_segment::check(cx.names, segment.span, segment));
    }
    let id = written.campaign.0.clone();
    let category = written.category.own();
    let is_marketing = !cx.policy.is_service(category.as_deref());
    Campaign {
        name: written.name.own().unwrap_or_else(|| id.clone()),
        id,
        category,
        group: written.group.own(),
        segment: written.segment.own(),
        active: written
            .active
            .as_ref()
            .map(|doc| active(cx, doc))
            .unwrap_or_default(),
        unsubscribe: written
            .unsubscribe
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        dismissable: written
            .dismissable
            .as_ref()
            .is_some_and(|truth| truth.value),
        communications: contents(cx, doc, is_marketing),
    }
}

/// Checks the category and group of a flow or campaign.
pub(crate) fn belonging(
    cx: &Context<'_>,
    category: Option<&At<String>>,
    group: Option<&At<String>>,
) {
    if let Some(category) = category {
        cx.holds(unknown_category::check(cx.names, category.span, category));
    }
    if let Some(group) = group {
        cx.holds(unknown_group::check(cx.names, group.span, group));
    }
}

fn active(cx: &Context<'_>, doc: &ActiveDoc) -> Active {
    let active = Active {
        from: doc.from.as_ref().map(|day| day.0),
        until: doc.until.as_ref().map(|day| day.0),
    };
    if let (Some(from), Some(until)) = (&doc.from, &doc.until)
        && from.0 > until.0
    {
        let message = "`until` is before `from`: the campaign would never be active";
        cx.add(bad_value::finding(until.span, message));
    }
    active
}

fn contents(
    cx: &Context<'_>,
    doc: &Doc<CampaignDoc>,
    is_marketing: bool,
) -> BTreeMap<String, Communication> {
    doc.written
        .communications
        .0
        .iter()
        .filter_map(|(name, written)| {
            let content = content(cx, written, is_marketing, doc.whole)?;
            Some((name.value.clone(), content))
        })
        .collect()
}

fn content(
    cx: &Context<'_>,
    written: &At<CommunicationDoc>,
    is_marketing: bool,
    whole: bool,
) -> Option<Communication> {
    let kept = [
        written.on_screen.is_some(),
        written.popup.is_some(),
        written.banner.is_some(),
        written.form.is_some(),
        written.data_capture.is_some(),
        written.docusign.is_some(),
    ];
    let kept = kept.iter().filter(|there| **there).count();
    match (&written.email, &written.sms, &written.push, kept) {
        (Some(doc), None, None, 0) => {
            variants::email(cx, (doc.span, doc), &written.variants, is_marketing)
        }
        (None, Some(doc), None, 0) => variants::sms(cx, doc, &written.variants),
        (None, None, Some(doc), 0) => variants::push(cx, doc, &written.variants),
        (None, None, None, 1) => None,
        (None, None, None, 0) if !whole => None,
        (email, sms, push, kept) => {
            let sent = [email.is_some(), sms.is_some(), push.is_some()];
            let found = sent.iter().filter(|there| **there).count() + kept;
            let kinds = ["email", "sms", "push", "on-screen", "form", "docusign"];
            cx.refuse(exactly_one::finding(
                written.span,
                "a communication",
                &kinds,
                found,
            ))
        }
    }
}
