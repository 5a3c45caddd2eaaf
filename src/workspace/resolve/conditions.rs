//! Owns reading conditions: one subject each, its references followed, its tests typed.

use super::context::Context;
use super::field_tests;
use crate::domain::channel::Channel;
use crate::domain::customer::Status;
use crate::domain::duration::Delay;
use crate::domain::interaction::Kind;
use crate::domain::list;
use crate::domain::nps::{NpsGroup, NpsTest};
use crate::domain::rating::Rating;
use crate::domain::segment::{Condition, Did, Moment, Segment};
use crate::domain::subscription::{Consent, Scope};
use crate::workspace::document::leaf::{self, Id};
use crate::workspace::document::segment::{ConditionDoc, SUBJECTS, SegmentDoc, SmartListDoc};
use crate::workspace::documents::Doc;
use crate::workspace::node::{Node, Span};
use crate::workspace::rules::{
    condition_mismatch, everyone, missing_campaign, missing_segment, unknown_category,
    unknown_flow, unknown_group, unknown_tag,
};
use crate::workspace::spanned::{At, Opt, Own as _};

const MOMENTS: [(&str, Moment); 4] = [
    ("created", Moment::Created),
    ("last-activity", Moment::LastActivity),
    ("last-engagement", Moment::LastEngagement),
    ("last-transaction", Moment::LastTransaction),
];
const DID_FILTERS: [&str; 6] = [
    "campaign",
    "flow",
    "step",
    "channel",
    "within-last",
    "at-least",
];

pub(crate) fn segment(cx: &Context<'_>, doc: &Doc<SegmentDoc>) -> Option<Segment> {
    let written = &doc.written;
    let about = (&written.segment, &written.description);
    named(cx, about, written.condition, (&doc.root, doc.whole))
}

/// Reads a smart list, which is a segment with a list of its own.
pub(crate) fn smart_list(cx: &Context<'_>, doc: &Doc<SmartListDoc>) -> Option<Segment> {
    let written = &doc.written;
    let about = (&written.smart_list, &written.description);
    named(cx, about, written.condition, (&doc.root, doc.whole))
}

fn named(
    cx: &Context<'_>,
    (id, description): (&At<Id>, &Opt<String>),
    written: Option<ConditionDoc>,
    (root, whole): (&Node, bool),
) -> Option<Segment> {
    let name = id.value.0.clone();
    if everyone::is_everyone(&name) {
        return cx.refuse(everyone::named(id.span, &name));
    }
    let condition = audience(cx, root, written, whole, id.span, None)?;
    Some(Segment {
        id: name,
        description: description.own(),
        condition,
    })
}

/// Reads the condition of a segment, which must ask something. `flow`: the flow it is written in.
pub(crate) fn audience(
    cx: &Context<'_>,
    root: &Node,
    written: Option<ConditionDoc>,
    whole: bool,
    span: Span,
    flow: Option<&str>,
) -> Option<Condition> {
    let Some(node) = written.and_then(|place| root.find(place.0.0)) else {
        if whole {
            cx.add(everyone::no_condition(span));
        }
        return None;
    };
    if everyone::asks_nothing(node) {
        if whole {
            let first = node.entries().first();
            cx.add(everyone::no_condition(
                first.map_or(node.span, |(key, _)| key.span),
            ));
        }
        return None;
    }
    condition(cx, flow, node)
}

/// Reads a condition; `flow` is the flow it stands in, whose steps it may name.
pub(crate) fn condition(cx: &Context<'_>, flow: Option<&str>, node: &Node) -> Option<Condition> {
    let Some(first) = node.entries().first() else {
        let finding = condition_mismatch::finding(node.span, "this condition asks nothing");
        return cx.refuse(finding.help("write one, such as `{ tag: vip }`, or leave the key out"));
    };
    let mut subjects = node
        .entries()
        .iter()
        .filter(|(key, _)| key.text().is_some_and(|key| SUBJECTS.contains(&key)));
    let subject = subjects.next();
    // `campaign` and the like belong to `did`, so a second subject can only be another whole condition.
    if let Some((second, _)) = subjects.next() {
        let message = "a condition has one subject: write the other as a condition of its own";
        let finding = condition_mismatch::finding(second.span, message);
        return cx.refuse(finding.help("`all: [ {…}, {…} ]` asks for both, `any` for one of them"));
    }
    let Some((key, value)) = subject else {
        let finding = condition_mismatch::finding(first.0.span, "this condition has no subject");
        return cx.refuse(finding.help("begin with what it is about, such as `field:` or `tag:`"));
    };
    let name = key.text()?;
    if !matches!(name, "field" | "did") {
        alone(cx, node, key)?;
    }
    subject_of(cx, flow, node, name, value)
}

fn subject_of(
    cx: &Context<'_>,
    flow: Option<&str>,
    node: &Node,
    name: &str,
    value: &Node,
) -> Option<Condition> {
    let text = value.text().unwrap_or_default();
    let owned = || text.to_owned();
    if let Some((_, moment)) = MOMENTS.iter().find(|(known, _)| *known == name) {
        let test = field_tests::moment(cx, value)?;
        return Some(Condition::Moment {
            moment: *moment,
            test,
        });
    }
    match name {
        "all" => parts(cx, flow, value).map(Condition::All),
        "any" => parts(cx, flow, value).map(Condition::Any),
        "not" => Some(Condition::Not(Box::new(condition(cx, flow, value)?))),
        "field" => field_tests::field(cx, node, value),
        "tag" => {
            cx.holds(unknown_tag::check(cx.names, value.span, text));
            Some(Condition::Tag(owned()))
        }
        "list" => match list::check_name(text) {
            Ok(()) => Some(Condition::List(owned())),
            Err(wrong) => {
                let message = format!("the name of a list {wrong}");
                cx.refuse(condition_mismatch::finding(value.span, message))
            }
        },
        "segment" => {
            if everyone::is_everyone(text) {
                return cx.refuse(everyone::named(value.span, text));
            }
            let found = cx.holds(missing_segment::check(cx.names, value.span, text));
            found.then(|| Condition::Segment(owned()))
        }
        "rating" => Rating::parse(text).map(Condition::Rating),
        "status" => Status::parse(text).map(Condition::Status),
        "identified" => Some(Condition::Identified(text == "true")),
        "consent" => consent(cx, value),
        "subscribed" => Some(Condition::Subscribed(scope(cx, value))),
        "did" => did(cx, flow, node, value),
        "in-flow" => {
            let found = cx.holds(unknown_flow::check(cx.names, value.span, text));
            found.then(|| Condition::InFlow(owned()))
        }
        "nps" => nps(cx, value),
        "random" => leaf::percent(text).ok().map(Condition::Random),
        _ => None,
    }
}

fn alone(cx: &Context<'_>, node: &Node, subject: &Node) -> Option<()> {
    let name = subject.text().unwrap_or_default();
    let other = node
        .entries()
        .iter()
        .find(|(key, _)| key.text() != Some(name));
    let Some((other, _)) = other else {
        return Some(());
    };
    let message = format!(
        "`{}` does not go with `{name}`",
        other.text().unwrap_or_default()
    );
    cx.refuse(condition_mismatch::finding(other.span, message))
}

fn parts(cx: &Context<'_>, flow: Option<&str>, list: &Node) -> Option<Vec<Condition>> {
    if list.items().is_empty() {
        let message = "an empty list asks nothing";
        return cx.refuse(condition_mismatch::finding(list.span, message));
    }
    let read: Vec<Option<Condition>> = list
        .items()
        .iter()
        .map(|part| condition(cx, flow, part))
        .collect();
    read.into_iter().collect()
}

fn consent(cx: &Context<'_>, value: &Node) -> Option<Condition> {
    let [(channel, is)] = value.entries() else {
        let message = "`consent` asks about one channel, such as `{ sms: opted-in }`";
        return cx.refuse(condition_mismatch::finding(value.span, message));
    };
    Some(Condition::Consent {
        channel: Channel::parse(channel.text()?)?,
        is: Consent::parse(is.text()?)?,
    })
}

fn nps(cx: &Context<'_>, value: &Node) -> Option<Condition> {
    if let Some(group) = value.text().and_then(NpsGroup::parse) {
        return Some(Condition::Nps(group.into()));
    }
    let score = |key| -> Option<u8> {
        let text = value.get(key).and_then(Node::text);
        text.and_then(|text| text.parse().ok())
    };
    let is = score("is");
    let test = NpsTest {
        least: is.or_else(|| score("at-least")).unwrap_or(NpsTest::LOWEST),
        most: is.or_else(|| score("at-most")).unwrap_or(NpsTest::HIGHEST),
    };
    let is_alone = is.is_none() || value.entries().len() == 1;
    if value.entries().is_empty() || test.least > test.most || !is_alone {
        let message = "`nps` asks for a group, or for a score from 0 to 10";
        let finding = condition_mismatch::finding(value.span, message);
        return cx.refuse(finding.help("write `nps: promoter`, or `nps: { at-least: 9 }`"));
    }
    Some(Condition::Nps(test))
}

fn scope(cx: &Context<'_>, value: &Node) -> Scope {
    let text = |key| value.get(key).and_then(Node::text).map(str::to_owned);
    let span = |key| value.get(key).map(|value| value.span).unwrap_or_default();
    if let Some(id) = text("campaign") {
        cx.holds(missing_campaign::check(cx.names, span("campaign"), &id));
    }
    if let Some(id) = text("category") {
        cx.holds(unknown_category::check(cx.names, span("category"), &id));
    }
    if let Some(id) = text("group") {
        cx.holds(unknown_group::check(cx.names, span("group"), &id));
    }
    Scope {
        campaign: text("campaign"),
        category: text("category"),
        group: text("group"),
        channel: text("channel").and_then(|channel| Channel::parse(&channel)),
    }
}

fn did(cx: &Context<'_>, flow: Option<&str>, node: &Node, kind: &Node) -> Option<Condition> {
    for (key, _) in node.entries() {
        let name = key.text().unwrap_or_default();
        if name != "did" && !DID_FILTERS.contains(&name) {
            let message = format!("`{name}` does not go with `did`");
            return cx.refuse(condition_mismatch::finding(key.span, message));
        }
    }
    let text = |key| node.get(key).and_then(Node::text).map(str::to_owned);
    references(cx, flow, node);
    let at_least = match node.get("at-least") {
        Some(count) => number(cx, count)?,
        None => 1,
    };
    Some(Condition::Did(Did {
        kind: Kind::parse(kind.text()?)?,
        campaign: text("campaign"),
        flow: text("flow"),
        step: text("step"),
        channel: text("channel").and_then(|channel| Channel::parse(&channel)),
        within_last: text("within-last").and_then(|span| span.parse::<Delay>().ok()),
        at_least,
    }))
}

fn references(cx: &Context<'_>, flow: Option<&str>, node: &Node) {
    let value = |key| {
        node.get(key)
            .and_then(|value| Some((value.span, value.text()?)))
    };
    if let Some((span, id)) = value("campaign") {
        cx.holds(missing_campaign::check(cx.names, span, id));
    }
    if let Some((span, id)) = value("flow") {
        cx.holds(unknown_flow::check(cx.names, span, id));
    }
    if let Some((span, step)) = value("step") {
        let of = value("flow").map(|(_, id)| id).or(flow);
        cx.holds(unknown_flow::step(cx.names, span, of, step));
    }
}

fn number(cx: &Context<'_>, count: &Node) -> Option<u32> {
    let number = count.text().and_then(|text| text.parse().ok());
    let Some(number) = number.filter(|number| *number > 0) else {
        let message = "`at-least` is a number of times, from 1 on";
        return cx.refuse(condition_mismatch::finding(count.span, message));
    };
    Some(number)
}
