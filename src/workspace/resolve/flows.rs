//! Owns reading flows: their segment, entry, exit and steps.

use std::collections::{BTreeMap, BTreeSet};

use super::campaigns::belonging;
use super::conditions;
use super::context::Context;
use super::steps::{self, Reader};
use crate::domain::campaign::Campaign;
use crate::domain::duration::Delay;
use crate::domain::flow::{Entry, EntryLimit, Flow, Reentry, Step};
use crate::domain::revision::inline_segment;
use crate::domain::segment::Segment;
use crate::workspace::document::flow::{EntryDoc, FlowDoc};
use crate::workspace::document::word::Word;
use crate::workspace::documents::Doc;
use crate::workspace::rules::{
    bad_value, everyone, in_flow_reentry, missing_segment, no_steps, rating_reentry, unknown_flow,
};
use crate::workspace::spanned::{At, Own as _, TextOr};

const MAX_LATENESS: Delay = Delay::hours(72);

type Campaigns = BTreeMap<String, Campaign>;
type Segments = BTreeMap<String, Segment>;

/// Reads a flow; a segment written in it joins `segments`.
pub(crate) fn flow(
    cx: &Context<'_>,
    doc: &Doc<FlowDoc>,
    campaigns: &Campaigns,
    segments: &mut Segments,
) -> Option<Flow> {
    let written = &doc.written;
    let id = written.flow.0.clone();
    belonging(cx, written.category.as_ref(), written.group.as_ref());
    let segment = segment(cx, doc, segments);
    let reader = Reader {
        cx,
        doc,
        campaigns,
        window: written.window.as_ref().map(steps::window),
        is_marketing: !cx.policy.is_service(written.category.own().as_deref()),
    };
    if written.steps.is_empty() && doc.whole {
        cx.add(no_steps::flow(written.steps.span));
    }
    let read: Vec<Step> = written.steps.iter().map(|step| reader.step(step)).collect();
    let entry = written
        .entry
        .as_ref()
        .map(|doc| entry(cx, doc))
        .unwrap_or_default();
    let (exit, goal) = (reader.exit(), reader.goal());
    let segment = segment?;
    judge_reentry(cx, (written, &id), segments, &segment);
    Some(Flow {
        name: written.name.own().unwrap_or_else(|| id.clone()),
        category: written.category.own(),
        group: written.group.own(),
        status: said(written.status.as_ref()),
        segment,
        entry,
        exit,
        goal,
        window: reader.window,
        on_edit: said(written.on_edit.as_ref()),
        on_resume: said(written.on_resume.as_ref()),
        stop: said(written.stop.as_ref()),
        max_lateness: written
            .max_lateness
            .as_ref()
            .map_or(MAX_LATENESS, |span| span.0),
        unsubscribe: said(written.unsubscribe.as_ref()),
        dismissable: written
            .dismissable
            .as_ref()
            .is_some_and(|truth| truth.value),
        steps: read,
        moved_to: moved_to(cx, written),
        id,
    })
}

/// The word, or what holds where none is written.
fn said<T: Copy + Default>(written: Option<&At<Word<T>>>) -> T {
    written.map(|word| word.0).unwrap_or_default()
}

fn judge_reentry(
    cx: &Context<'_>,
    (written, flow): (&FlowDoc, &str),
    segments: &Segments,
    segment: &str,
) {
    let reentry = written
        .entry
        .as_ref()
        .and_then(|entry| entry.reentry.as_ref());
    let Some(rule) = reentry.filter(|rule| rule.0 == Reentry::EveryRequalification) else {
        return;
    };
    if rating_reentry::asks(segments, segment, &mut BTreeSet::new()) {
        cx.add(rating_reentry::finding(rule.span));
    }
    if in_flow_reentry::lets_in_again(segments, segment, flow) {
        cx.add(in_flow_reentry::finding(rule.span, flow));
    }
}

/// The id of the flow's segment.
fn segment(cx: &Context<'_>, doc: &Doc<FlowDoc>, segments: &mut Segments) -> Option<String> {
    let written = &doc.written;
    match &written.segment {
        None => {
            if doc.root.get("segment").is_none() && doc.whole {
                cx.add(everyone::no_segment(written.flow.span));
            }
            None
        }
        Some(At { span, value }) => match value {
            TextOr::Text(id) if everyone::is_everyone(id) => cx.refuse(everyone::named(*span, id)),
            TextOr::Text(id) => {
                let found = cx.holds(missing_segment::check(cx.names, *span, id));
                found.then(|| id.clone())
            }
            TextOr::Other(inline) => {
                let flow = &written.flow.0;
                let condition =
                    conditions::audience(cx, &doc.root, inline.condition, doc.whole, *span, None)?;
                let id = inline_segment(flow);
                let segment = Segment {
                    id: id.clone(),
                    description: None,
                    condition,
                };
                segments.insert(id.clone(), segment);
                Some(id)
            }
        },
    }
}

fn moved_to(cx: &Context<'_>, written: &FlowDoc) -> BTreeMap<String, String> {
    let mut moved = BTreeMap::new();
    for (gone, to) in &written.moved_to.0 {
        let is_here = |id: &str| written.steps.iter().any(|step| step.id.0 == id);
        if is_here(&gone.value) {
            let message = format!("the step `{}` is still here: nobody moves", gone.value);
            let help = "leave it out, or remove the step";
            cx.add(bad_value::finding(gone.span, message).help(help));
        } else if cx.holds(unknown_flow::step(
            cx.names,
            to.span,
            Some(written.flow.0.as_str()),
            &to.value,
        )) {
            moved.insert(gone.value.clone(), to.value.clone());
        }
    }
    moved
}

fn entry(cx: &Context<'_>, doc: &EntryDoc) -> Entry {
    if let (Some(_), Some(existing)) = (&doc.schedule, &doc.existing_members) {
        let message = "with a `schedule`, all members of its instants enter at them";
        let help = "leave `existing-members` out";
        cx.add(bad_value::finding(existing.span, message).help(help));
    }
    Entry {
        reentry: doc.reentry.own().map(|rule| rule.0).unwrap_or_default(),
        existing_members: doc
            .existing_members
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        schedule: doc.schedule.as_ref().map(|written| written.value.0.clone()),
        holdout: doc.holdout.as_ref().map_or(0, |share| share.0),
        limit: doc.limit.as_ref().map(|rate| {
            let (customers, per_seconds) = rate.0;
            EntryLimit {
                customers,
                per_seconds,
            }
        }),
    }
}
