//! Owns reading what a step is timed by: a delay, a day, or something that is waited for.

use super::conditions;
use super::context::Context;
use crate::domain::duration::Delay;
use crate::domain::field::{Cardinality, FieldType};
use crate::domain::timing::{DueBy, Moved, Otherwise, WaitFor, When};
use crate::workspace::document::flow::{FlowDoc, StepDoc};
use crate::workspace::document::timing::{DueDoc, WaitForDoc};
use crate::workspace::documents::Doc;
use crate::workspace::node::{Node, Span, Value};
use crate::workspace::rules::{
    bad_value, condition_mismatch, exactly_one, unknown_field, unknown_flow,
};
use crate::workspace::spanned::At;

pub(crate) fn when(cx: &Context<'_>, doc: &Doc<FlowDoc>, step: &At<StepDoc>) -> When {
    let ways = [
        step.after.as_ref().map(|after| after.span),
        step.due.as_ref().map(|due| due.span),
        step.wait_for.as_ref().map(|wait| wait.span),
    ];
    let found = ways.iter().flatten().count();
    if found > 1 {
        let span = ways.into_iter().flatten().last().unwrap_or(step.span);
        let kinds = ["after", "due", "wait-for"];
        cx.add(exactly_one::finding(span, "a step's time", &kinds, found));
    }
    if let Some(wait) = &step.wait_for {
        return wait_for(cx, doc, (step, wait)).map_or_else(When::default, When::WaitFor);
    }
    if let Some(due) = &step.due {
        return due_by(cx, due, doc.whole).map_or_else(When::default, When::Due);
    }
    When::After(step.after.as_ref().map_or(Delay::ZERO, |span| span.0))
}

/// Of a document that has lost something wrong, nothing is said to be missing.
fn due_by(cx: &Context<'_>, due: &At<DueDoc>, whole: bool) -> Option<DueBy> {
    let kinds = ["field", "anniversary-of", "weekday", "business-day"];
    let found = [
        due.field.is_some(),
        due.anniversary_of.is_some(),
        due.weekday.is_some(),
        due.business_day.is_some(),
    ];
    let found = found.iter().filter(|there| **there).count();
    if found == 0 && !whole {
        return None;
    }
    if found != 1 {
        return cx.refuse(exactly_one::finding(due.span, "`due`", &kinds, found));
    }
    let moved = moved(cx, due)?;
    if let Some(field) = &due.field {
        let kind = date_field(cx, field)?;
        let span = due.before.as_ref().or(due.after.as_ref());
        if let Some(span) = span.filter(|span| span.0.seconds != 0 && kind == FieldType::Date) {
            let message = format!("`{}` is a date without a time of day", field.value);
            let help = "count in days, weeks or months, and give the time of day with `at:`";
            return cx.refuse(bad_value::finding(span.span, message).help(help));
        }
        return Some(DueBy::Field {
            field: field.value.clone(),
            moved,
        });
    }
    if let Some(stray) = due.before.as_ref().or(due.after.as_ref()) {
        let message = "`before` and `after` belong to `field`";
        return cx.refuse(bad_value::finding(stray.span, message).help("leave it out"));
    }
    if let Some(field) = &due.anniversary_of {
        date_field(cx, field)?;
        return Some(DueBy::AnniversaryOf(field.value.clone()));
    }
    if let Some(day) = &due.weekday {
        return Some(DueBy::Weekday(day.0));
    }
    let day = due.business_day.as_ref()?;
    if !(1..=23).contains(&day.value) {
        let message = format!("no month has a business day {}", day.value);
        let help = "write a number from 1 to 23; a month that has fewer is passed over";
        return cx.refuse(bad_value::finding(day.span, message).help(help));
    }
    Some(DueBy::BusinessDay(day.value))
}

fn moved(cx: &Context<'_>, due: &DueDoc) -> Option<Moved> {
    match (&due.before, &due.after) {
        (Some(_), Some(after)) => {
            let kinds = ["before", "after"];
            cx.refuse(exactly_one::finding(after.span, "a date", &kinds, 2))
        }
        (Some(before), None) => Some(Moved::Before(before.0)),
        (None, after) => Some(Moved::After(
            after.as_ref().map_or(Delay::ZERO, |span| span.0),
        )),
    }
}

/// The type of a field that holds one date or instant.
fn date_field(cx: &Context<'_>, written: &At<String>) -> Option<FieldType> {
    if let Err(finding) = unknown_field::check(cx.names, written.span, &written.value) {
        return cx.refuse(finding);
    }
    let field = cx.model.field(&written.value)?;
    let is_date = matches!(field.kind, FieldType::Date | FieldType::Datetime);
    if !is_date || field.cardinality != Cardinality::One {
        let message = format!("`{}` does not hold one date", written.value);
        let finding = condition_mismatch::finding(written.span, message);
        return cx.refuse(finding.help("name a field of the type `date` or `datetime`"));
    }
    Some(field.kind)
}

fn wait_for(
    cx: &Context<'_>,
    doc: &Doc<FlowDoc>,
    (step, wait): (&At<StepDoc>, &At<WaitForDoc>),
) -> Option<WaitFor> {
    if let Some(at) = &step.at {
        let message =
            "`at` and `wait-for` do not go together: what is waited for may happen at any time";
        let help = "give the step that follows its time of day";
        return cx.refuse(bad_value::finding(at.span, message).help(help));
    }
    if let Some((span, channel)) = sends(step) {
        let message =
            format!("a step that waits for something sends nothing: `{channel}` is one too many");
        let help = "put the message into a step of its own, behind this one";
        return cx.refuse(bad_value::finding(span, message).help(help));
    }
    let flow = &doc.written;
    let node = asked(doc.root.find(wait.span)?);
    let until = conditions::condition(cx, Some(flow.flow.0.as_str()), &node)?;
    Some(WaitFor {
        until,
        at_most: wait.at_most.0,
        otherwise: otherwise(cx, flow, step, wait.otherwise.as_ref())?,
    })
}

/// The condition alone.
fn asked(wait: &Node) -> Node {
    let own = ["at-most", "otherwise"];
    let is_own = |key: &Node| key.text().is_some_and(|key| own.contains(&key));
    let entries = wait.entries().iter().filter(|(key, _)| !is_own(key));
    Node {
        span: wait.span,
        value: Value::Map(entries.cloned().collect()),
    }
}

fn sends(step: &StepDoc) -> Option<(Span, &'static str)> {
    let email = step.email.as_ref().map(|at| (at.span, "email"));
    let sms = step.sms.as_ref().map(|at| (at.span, "sms"));
    let push = step.push.as_ref().map(|at| (at.span, "push"));
    let first_of = step.first_of.as_ref().map(|at| (at.span, "first-of"));
    email.or(sms).or(push).or(first_of)
}

fn otherwise(
    cx: &Context<'_>,
    flow: &FlowDoc,
    step: &At<StepDoc>,
    written: Option<&At<String>>,
) -> Option<Otherwise> {
    let Some(written) = written else {
        return Some(Otherwise::default());
    };
    match written.value.as_str() {
        "next" => Some(Otherwise::Next),
        "exit" => Some(Otherwise::Exit),
        id => {
            let place = |id: &str| flow.steps.iter().position(|step| step.id.0 == id);
            let Some(to) = place(id) else {
                let flow = Some(flow.flow.0.as_str());
                let unknown = unknown_flow::step(cx.names, written.span, flow, id).err()?;
                return cx.refuse(unknown);
            };
            if place(&step.id.0).is_some_and(|here| to <= here) {
                let message = format!("`{id}` does not come after this step");
                let help = "name a later step, `next` or `exit`: nobody takes a step twice";
                return cx.refuse(bad_value::finding(written.span, message).help(help));
            }
            Some(Otherwise::Step(id.to_owned()))
        }
    }
}
