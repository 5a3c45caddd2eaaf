//! Owns reading the steps of a flow: when each comes, on what condition, and what it sends.

use std::collections::BTreeMap;

use jiff::civil::Time;

use super::communications;
use super::conditions;
use super::context::Context;
use super::timing;
use super::variants;
use crate::domain::calendar::{Days, Window, WindowZone};
use crate::domain::campaign::Campaign;
use crate::domain::channel::Channel;
use crate::domain::communication::{Communication, Content};
use crate::domain::duration::Delay;
use crate::domain::flow::{Action, Exit, Reuse, Step};
use crate::domain::goal::Goal;
use crate::domain::segment::Condition;
use crate::workspace::document::campaign::{EmailDoc, PushDoc, SmsDoc};
use crate::workspace::document::flow::{FlowDoc, StepDoc, WindowDoc};
use crate::workspace::document::segment::ConditionDoc;
use crate::workspace::documents::Doc;
use crate::workspace::node::Span;
use crate::workspace::rules::{
    at_outside_window, bad_value, channel_without_gateway, exactly_one, forbidden_action,
    missing_campaign, missing_communication, no_steps,
};
use crate::workspace::spanned::{At, TextOr};

/// So long after the entry a goal counts.
const WITHIN: Delay = Delay::days(30);

pub(super) fn window(doc: &WindowDoc) -> Window {
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

/// What the steps of one flow are read with.
pub(super) struct Reader<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) doc: &'a Doc<FlowDoc>,
    pub(super) campaigns: &'a BTreeMap<String, Campaign>,
    pub(super) window: Option<Window>,
    pub(super) is_marketing: bool,
}

impl Reader<'_> {
    pub(super) fn exit(&self) -> Exit {
        let doc = self.doc.written.exit.as_ref();
        Exit {
            on_leaving_segment: doc
                .and_then(|doc| doc.on_leaving_segment.as_ref())
                .is_some_and(|truth| truth.value),
            when: doc.and_then(|doc| self.condition(doc.when)),
        }
    }

    pub(super) fn goal(&self) -> Option<Goal> {
        let written = self.doc.written.goal.as_ref()?;
        Some(Goal {
            when: self.condition(Some(written.when))?,
            within: written.within.as_ref().map_or(WITHIN, |span| span.0),
            exit: written.exit.as_ref().is_some_and(|truth| truth.value),
        })
    }

    fn condition(&self, written: Option<ConditionDoc>) -> Option<Condition> {
        let node = self.doc.root.find(written?.0.0)?;
        let flow = self.doc.written.flow.0.as_str();
        conditions::condition(self.cx, Some(flow), node)
    }

    pub(super) fn step(&self, written: &At<StepDoc>) -> Step {
        let own = written.window.as_ref().map(window);
        let at = written.at.as_ref();
        if let (Some(at), Some(window)) = (at, own.as_ref().or(self.window.as_ref())) {
            self.cx
                .holds(at_outside_window::check(at.0, at.span, window));
        }
        let actions = self.actions(written);
        let timed = written.after.is_some() || written.due.is_some() || written.wait_for.is_some();
        let sends = written.email.is_some()
            || written.sms.is_some()
            || written.push.is_some()
            || written.first_of.is_some();
        if !sends && !timed && at.is_none() && self.doc.whole {
            self.cx.add(no_steps::step(written.id.span));
        }
        Step {
            id: written.id.0.clone(),
            when: timing::when(self.cx, self.doc, written),
            at: at.map(|at| at.0),
            condition: self.condition(written.condition),
            window: own,
            on_skip: written
                .on_skip
                .as_ref()
                .map(|word| word.0)
                .unwrap_or_default(),
            actions,
        }
    }

    fn actions(&self, step: &At<StepDoc>) -> Vec<Action> {
        let alone = Choice {
            email: step.email.as_ref(),
            sms: step.sms.as_ref(),
            push: step.push.as_ref(),
        };
        let Some(choices) = &step.first_of else {
            let action = (alone.found() > 0).then(|| self.action(step.id.span, "a step", &alone));
            return action.flatten().into_iter().collect();
        };
        if alone.found() > 0 {
            let kinds = ["email", "sms", "push", "first-of"];
            let found = alone.found() + 1;
            self.cx
                .add(exactly_one::finding(choices.span, "a step", &kinds, found));
        }
        if choices.len() < 2 && self.doc.whole {
            let message = "`first-of` chooses among channels: fewer than two are no choice";
            self.cx.add(bad_value::finding(choices.span, message));
        }
        let mut actions: Vec<Action> = Vec::new();
        for choice in choices.iter() {
            let written = Choice {
                email: choice.email.as_ref(),
                sms: choice.sms.as_ref(),
                push: choice.push.as_ref(),
            };
            let Some(action) = self.action(choice.span, "a choice", &written) else {
                continue;
            };
            let channel = action.content.channel();
            if actions
                .iter()
                .any(|other| other.content.channel() == channel)
            {
                let message =
                    format!("`{channel}` is here twice: the second would never be chosen");
                self.cx.add(bad_value::finding(choice.span, message));
                continue;
            }
            actions.push(action);
        }
        actions
    }

    fn action(&self, span: Span, what: &str, choice: &Choice<'_>) -> Option<Action> {
        let cx = self.cx;
        let on_the_spot = |content| Action {
            reuses: None,
            content,
        };
        let has_gateway = |span, channel| {
            cx.holds(channel_without_gateway::check(cx.names, span, channel));
        };
        match (choice.email, choice.sms, choice.push) {
            (Some(At { span, value }), None, None) => {
                has_gateway(*span, Channel::Email);
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Email),
                    TextOr::Other(doc) => {
                        variants::email(cx, (*span, doc), &None, self.is_marketing).map(on_the_spot)
                    }
                }
            }
            (None, Some(At { span, value }), None) => {
                has_gateway(*span, Channel::Sms);
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Sms),
                    TextOr::Other(doc) => variants::sms(cx, doc, &None).map(on_the_spot),
                }
            }
            (None, None, Some(At { span, value })) => {
                has_gateway(*span, Channel::Push);
                match value {
                    TextOr::Text(name) => self.reuse(&at(*span, name), Channel::Push),
                    TextOr::Other(doc) => variants::push(cx, doc, &None).map(on_the_spot),
                }
            }
            _ => {
                let kinds = ["email", "sms", "push"];
                cx.refuse(exactly_one::finding(span, what, &kinds, choice.found()))
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
    fn service_text(&self, name: &At<&str>, campaign: &Campaign, content: &Communication) {
        let is_service = self.cx.policy.is_service(campaign.category.as_deref());
        if !is_service || !self.is_marketing {
            return;
        }
        for (_, content) in content.ways() {
            if let Content::Email(email) = content {
                communications::marketing(self.cx, name.span, email);
            }
        }
    }
}

/// What a step or one of its choices says it sends.
struct Choice<'a> {
    email: Option<&'a At<TextOr<EmailDoc>>>,
    sms: Option<&'a At<TextOr<SmsDoc>>>,
    push: Option<&'a At<TextOr<PushDoc>>>,
}

impl Choice<'_> {
    fn found(&self) -> usize {
        let there = [
            self.email.is_some(),
            self.sms.is_some(),
            self.push.is_some(),
        ];
        there.iter().filter(|there| **there).count()
    }
}

fn at(span: Span, value: &str) -> At<&str> {
    At { span, value }
}
