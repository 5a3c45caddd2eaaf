//! Owns reading flows: their segment, entry, exit and steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;

use super::campaigns::belonging;
use super::communications;
use super::conditions;
use super::context::Context;
use crate::domain::calendar::{Days, Window, WindowZone};
use crate::domain::campaign::Campaign;
use crate::domain::channel::Channel;
use crate::domain::communication::Content;
use crate::domain::duration::Delay;
use crate::domain::flow::{Action, Entry, EntryLimit, Exit, Flow, Reentry, Reuse, Step};
use crate::domain::revision::inline_segment;
use crate::domain::segment::{Condition, Segment};
use crate::workspace::document::flow::{EntryDoc, FlowDoc, StepDoc, WindowDoc};
use crate::workspace::document::segment::ConditionDoc;
use crate::workspace::documents::Doc;
use crate::workspace::rules::{
    at_outside_window, bad_value, channel_without_gateway, everyone, exactly_one, forbidden_action,
    in_flow_reentry, missing_campaign, missing_communication, missing_segment, no_steps,
    rating_reentry,
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
        window: written.window.as_ref().map(window),
        is_marketing: !cx.policy.is_service(written.category.own().as_deref()),
    };
    if written.steps.is_empty() && doc.whole {
        cx.add(no_steps::flow(written.steps.span));
    }
    let steps: Vec<Step> = written.steps.iter().map(|step| reader.step(step)).collect();
    let entry = written.entry.as_ref().map(entry).unwrap_or_default();
    let exit = reader.exit();
    let segment = segment?;
    judge_reentry(cx, (written, &id), segments, &segment);
    Some(Flow {
        name: written.name.own().unwrap_or_else(|| id.clone()),
        category: written.category.own(),
        group: written.group.own(),
        status: written
            .status
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        segment,
        entry,
        exit,
        window: reader.window,
        on_edit: written
            .on_edit
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        on_resume: written
            .on_resume
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        max_lateness: written
            .max_lateness
            .as_ref()
            .map_or(MAX_LATENESS, |span| span.0),
        unsubscribe: written
            .unsubscribe
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        dismissable: written
            .dismissable
            .as_ref()
            .is_some_and(|truth| truth.value),
        steps,
        id,
    })
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

fn entry(doc: &EntryDoc) -> Entry {
    Entry {
        reentry: doc.reentry.own().map(|rule| rule.0).unwrap_or_default(),
        existing_members: doc
            .existing_members
            .as_ref()
            .map(|word| word.0)
            .unwrap_or_default(),
        limit: doc.limit.as_ref().map(|rate| {
            let (customers, per_seconds) = rate.0;
            EntryLimit {
                customers,
                per_seconds,
            }
        }),
    }
}

fn window(doc: &WindowDoc) -> Window {
    let (from, until) = doc
        .hours
        .as_ref()
        .map_or((Time::midnight(), Time::midnight()), |hours| hours.0);
    Window {
        days: doc.days.as_ref().map_or(Days::EVERY, |days| days.0),
        from,
        until,
        zone: doc
            .zone
            .as_ref()
            .map_or(WindowZone::Customer, |word| word.0),
    }
}

struct Reader<'a> {
    cx: &'a Context<'a>,
    doc: &'a Doc<FlowDoc>,
    campaigns: &'a Campaigns,
    window: Option<Window>,
    is_marketing: bool,
}

impl Reader<'_> {
    fn exit(&self) -> Exit {
        let doc = self.doc.written.exit.as_ref();
        Exit {
            on_leaving_segment: doc
                .and_then(|doc| doc.on_leaving_segment.as_ref())
                .is_some_and(|truth| truth.value),
            when: doc.and_then(|doc| self.condition(doc.when)),
        }
    }

    fn condition(&self, written: Option<ConditionDoc>) -> Option<Condition> {
        let node = self.doc.root.find(written?.0.0)?;
        let flow = self.doc.written.flow.0.as_str();
        conditions::condition(self.cx, Some(flow), node)
    }

    fn step(&self, written: &At<StepDoc>) -> Step {
        let own = written.window.as_ref().map(window);
        let at = written.at.as_ref();
        if let (Some(at), Some(window)) = (at, own.as_ref().or(self.window.as_ref())) {
            self.cx
                .holds(at_outside_window::check(at.0, at.span, window));
        }
        let action = self.action(written);
        let sends = written.email.is_some() || written.sms.is_some() || written.push.is_some();
        if !sends && written.after.is_none() && at.is_none() && self.doc.whole {
            self.cx.add(no_steps::step(written.id.span));
        }
        Step {
            id: written.id.0.clone(),
            after: written.after.as_ref().map_or(Delay::ZERO, |span| span.0),
            at: at.map(|at| at.0),
            condition: self.condition(written.condition),
            window: own,
            on_skip: written
                .on_skip
                .as_ref()
                .map(|word| word.0)
                .unwrap_or_default(),
            action,
        }
    }

    fn action(&self, step: &At<StepDoc>) -> Option<Action> {
        let cx = self.cx;
        let on_the_spot = |content| Action {
            reuses: None,
            content,
        };
        match (&step.email, &step.sms, &step.push) {
            (None, None, None) => None,
            (Some(At { span, value }), None, None) => {
                cx.holds(channel_without_gateway::check(
                    cx.names,
                    *span,
                    Channel::Email,
                ));
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Email),
                    TextOr::Other(doc) => {
                        communications::email(cx, *span, doc, self.is_marketing).map(on_the_spot)
                    }
                }
            }
            (None, Some(At { span, value }), None) => {
                cx.holds(channel_without_gateway::check(
                    cx.names,
                    *span,
                    Channel::Sms,
                ));
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Sms),
                    TextOr::Other(doc) => Some(on_the_spot(communications::sms(cx, doc))),
                }
            }
            (None, None, Some(At { span, value })) => {
                cx.holds(channel_without_gateway::check(
                    cx.names,
                    *span,
                    Channel::Push,
                ));
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Push),
                    TextOr::Other(doc) => Some(on_the_spot(communications::push(cx, doc))),
                }
            }
            (email, sms, push) => {
                let found = [email.is_some(), sms.is_some(), push.is_some()];
                let found = found.iter().filter(|there| **there).count();
                let kinds = ["email", "sms", "push"];
                cx.refuse(exactly_one::finding(step.id.span, "a step", &kinds, found))
            }
        }
    }

    /// Copies a campaign's communication into the step.
    fn reuse(&self, name: &At<&str>, channel: Channel) -> Option<Action> {
        let (cx, span) = (self.cx, name.span);
        let Some((campaign, communication)) = name.value.split_once('/') else {
            let message = format!("`{}` names no communication", name.value);
            let help = "write the campaign's id, a slash and the communication's name";
            return cx.refuse(bad_value::finding(span, message).help(help));
        };
        let Some(known) = cx.names.campaigns.get(campaign) else {
            return cx.refuse(missing_campaign::finding(cx.names, span, campaign));
        };
        let Some(found) = known.get(communication) else {
            let known = known.keys().map(String::as_str);
            let finding = missing_communication::finding(span, campaign, communication, known);
            return cx.refuse(finding);
        };
        if let Some(finding) = forbidden_action::reused(span, name.value, &found.kind, found.span) {
            return cx.refuse(finding);
        }
        if Channel::parse(&found.kind).is_some_and(|kind| kind != channel) {
            let message = format!("`{}` is not `{channel}` but `{}`", name.value, found.kind);
            let finding = bad_value::finding(span, message).also(found.span, "defined here");
            return cx.refuse(finding.help(format!("write `{}:`", found.kind)));
        }
        // None when the communication has a mistake, which is told where it is written.
        let campaign = self.campaigns.get(campaign)?;
        let content = campaign.communications.get(communication)?.clone();
        self.service_text(name, campaign, &content);
        Some(Action {
            reuses: Some(Reuse {
                campaign: campaign.id.clone(),
                communication: communication.to_owned(),
            }),
            content,
        })
    }

    /// A service's e-mail was not held to what marketing must carry; in a marketing flow it is.
    fn service_text(&self, name: &At<&str>, campaign: &Campaign, content: &Content) {
        let is_service = self.cx.policy.is_service(campaign.category.as_deref());
        if let Content::Email(email) = content
            && is_service
            && self.is_marketing
        {
            communications::marketing(self.cx, name.span, email);
        }
    }
}

fn at(span: crate::workspace::node::Span, value: &str) -> At<&str> {
    At { span, value }
}
