//! Owns reading tests: their customers typed, their instants counted from the start.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::expectations;
use crate::domain::calendar;
use crate::domain::channel::Channel;
use crate::domain::customer::{FieldValue, Switch};
use crate::domain::duration::Delay;
use crate::domain::field::{Cardinality, FieldType};
use crate::domain::interaction::Kind;
use crate::domain::scenario::{
    Done, Edit, Event, Expected, Happening, Person, Place, Scenario, ToCustomer,
};
use crate::domain::subscription::Scope;
use crate::domain::value::{Value, parse_date};
use crate::workspace::document::test::{
    ConsentsDoc, EventDoc, ExpectDoc, ScopeDoc, SwitchDoc, TestDoc,
};
use crate::workspace::documents::Doc;
use crate::workspace::node::{Node, Span};
use crate::workspace::rules::{
    bad_value, exactly_one, missing_campaign, missing_key, unknown_field, unknown_flow, unknown_tag,
};
use crate::workspace::spanned::{At, Own as _};

/// The keys of a customer that are no fields.
const TAGS: &str = "tags";
const ID: &str = "id";

/// None: something in it cannot be read, and is told.
pub(crate) fn scenario(cx: &Context<'_>, doc: &Doc<TestDoc>) -> Option<Scenario> {
    let told = cx.report.borrow().findings.len();
    let read = read(cx, doc);
    if read.is_none() && cx.report.borrow().findings.len() == told {
        let message = "this test cannot be read: a value is not of the form that its key takes";
        cx.add(bad_value::finding(doc.written.test.span, message));
    }
    read
}

fn read(cx: &Context<'_>, doc: &Doc<TestDoc>) -> Option<Scenario> {
    let written = &doc.written;
    let reader = Reader {
        cx,
        doc,
        start: instant(cx, &written.start)?,
    };
    let flows = written.flows.as_ref();
    for flow in flows.into_iter().flatten() {
        cx.holds(unknown_flow::check(cx.names, flow.span, flow));
    }
    let customers = written.customers.iter();
    let mut events: Vec<Event> = all(written.events.iter().map(|event| reader.event(event)))?;
    events.sort_by_key(|event| event.at);
    let after = |span: &At<_>| reader.later(span);
    Some(Scenario {
        name: written.test.value.clone(),
        place: reader.place(written.test.span),
        start: reader.start,
        until: written
            .lasts
            .as_ref()
            .map(|lasts| after(&at(lasts.span, lasts.0))),
        flows: flows.map(|flows| flows.iter().map(|flow| flow.value.clone()).collect()),
        customers: all(customers.map(|person| reader.person(person.0.0, None)))?,
        events,
        expected: all(written
            .expect
            .iter()
            .map(|expected| reader.expected(expected)))?,
        written: expectations::written(cx, &doc.root)?,
    })
}

/// All of them, after each was read.
fn all<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}

fn at<T>(span: Span, value: T) -> At<T> {
    At { span, value }
}

fn instant(cx: &Context<'_>, written: &At<String>) -> Option<Timestamp> {
    if let Some(date) = parse_date(&written.value) {
        return Some(calendar::instant(
            date.to_datetime(Time::midnight()),
            &cx.zone,
        ));
    }
    if let Ok(Value::Instant(instant)) = Value::parse(FieldType::Datetime, &written.value, &cx.zone)
    {
        return Some(instant);
    }
    let message = format!("`{}` is not an instant", written.value);
    let help =
        "write a date and time such as 2026-01-05T10:30, or a span from the start such as +5d";
    cx.refuse(bad_value::finding(written.span, message).help(help))
}

struct Reader<'a> {
    cx: &'a Context<'a>,
    doc: &'a Doc<TestDoc>,
    start: Timestamp,
}

impl Reader<'_> {
    fn place(&self, span: Span) -> Place {
        let file = self.cx.sources.file(span.file);
        Place {
            file: file.map(|file| file.name.clone()).unwrap_or_default(),
            line: file.map_or(1, |file| file.position(span.start).0),
        }
    }

    fn later(&self, span: &At<Delay>) -> Timestamp {
        calendar::after(self.start, span.value, &self.cx.zone)
    }

    /// `+5d`, or a date and time.
    fn moment(&self, written: &At<String>) -> Option<Timestamp> {
        let Some(span) = written.value.strip_prefix('+') else {
            return instant(self.cx, written);
        };
        match span.trim().parse() {
            Ok(span) => Some(self.later(&at(written.span, span))),
            Err(error) => {
                let error: crate::domain::duration::BadDuration = error;
                self.cx
                    .refuse(bad_value::finding(written.span, error.to_string()))
            }
        }
    }

    /// A customer; `id` where it is written beside.
    fn person(&self, span: Span, id: Option<&str>) -> Option<Person> {
        let cx = self.cx;
        let node = self.doc.root.find(span)?;
        let own = node.get(ID).and_then(Node::text).or(id);
        let Some(id) = own else {
            return cx.refuse(missing_key::at(span, "a customer", ID));
        };
        let mut person = Person {
            id: id.to_owned(),
            ..Person::default()
        };
        for (key, value) in node.entries() {
            match key.text()? {
                ID => {}
                TAGS => {
                    for tag in value.items() {
                        let name = tag.text()?;
                        cx.holds(unknown_tag::check(cx.names, tag.span, name));
                        person.tags.push(name.to_owned());
                    }
                }
                _ => person.fields.push(self.field(key, value)?),
            }
        }
        Some(person)
    }

    /// A field with what stands for it; nothing: it is cleared.
    fn field(&self, key: &Node, value: &Node) -> Option<(String, Option<FieldValue>)> {
        let (cx, name) = (self.cx, key.text()?);
        if let Err(finding) = unknown_field::check(cx.names, key.span, name) {
            return cx.refuse(finding);
        }
        let field = cx.model.field(name)?;
        let one = |node: &Node| {
            let text = node.text()?;
            match Value::parse(field.kind, text, &cx.zone) {
                Ok(value) => Some(value),
                Err(bad) => cx.refuse(bad_value::finding(node.span, bad.to_string())),
            }
        };
        let single = std::slice::from_ref(value);
        let items = if value.text().is_some() {
            single
        } else {
            value.items()
        };
        let read = if value.text().is_some_and(str::is_empty) {
            None
        } else if field.cardinality == Cardinality::One {
            Some(FieldValue::One(one(value)?))
        } else {
            Some(FieldValue::Many(all(items.iter().map(one))?))
        };
        Some((name.to_owned(), read))
    }

    fn event(&self, event: &At<EventDoc>) -> Option<Event> {
        Some(Event {
            at: self.moment(&event.at)?,
            place: self.place(event.span),
            what: self.happening(event)?,
        })
    }

    fn happening(&self, event: &At<EventDoc>) -> Option<Happening> {
        let cx = self.cx;
        let kinds = [
            ("set", event.set.is_some()),
            ("untag", event.untag.is_some()),
            ("did", event.did.is_some()),
            ("unsubscribe", event.unsubscribe.is_some()),
            ("resubscribe", event.resubscribe.is_some()),
            ("dismiss", event.dismiss.is_some()),
            ("switch", event.switch.is_some()),
            ("consent", event.consent.is_some()),
            ("status", event.status.is_some()),
            ("delete", event.delete.is_some()),
            ("pause", event.pause.is_some()),
            ("resume", event.resume.is_some()),
            ("edit", event.edit.is_some()),
        ];
        let found = kinds.iter().filter(|(_, there)| *there).count();
        if found != 1 {
            let names = kinds.map(|(name, _)| name);
            return cx.refuse(exactly_one::finding(event.span, "an event", &names, found));
        }
        if let Some(flow) = event.pause.as_ref().or(event.resume.as_ref()) {
            cx.holds(unknown_flow::check(cx.names, flow.span, flow));
            let flow = flow.value.clone();
            return Some(match event.pause {
                Some(_) => Happening::Pause(flow),
                None => Happening::Resume(flow),
            });
        }
        if let Some(edit) = &event.edit {
            return self.edit(&edit.file, &edit.replace, &edit.with);
        }
        let Some(customer) = event.customer.own() else {
            return cx.refuse(missing_key::at(event.span, "an event", "customer"));
        };
        if let Some(set) = &event.set {
            return self.person(set.0.0, Some(&customer)).map(Happening::Set);
        }
        Some(Happening::Customer(customer, self.to_customer(event)?))
    }

    fn edit(
        &self,
        file: &At<String>,
        replace: &At<String>,
        with: &At<String>,
    ) -> Option<Happening> {
        if self.cx.sources.named(&file.value).is_none() {
            let message = format!("there is no file `{}`", file.value);
            let help = "write it from the workspace's folder, such as `flows/welcome.yaml`";
            return self
                .cx
                .refuse(bad_value::finding(file.span, message).help(help));
        }
        Some(Happening::Edit(Edit {
            file: file.value.clone(),
            replace: replace.value.clone(),
            with: with.value.clone(),
        }))
    }

    fn to_customer(&self, event: &At<EventDoc>) -> Option<ToCustomer> {
        let cx = self.cx;
        if let Some(tag) = &event.untag {
            cx.holds(unknown_tag::check(cx.names, tag.span, tag));
            return Some(ToCustomer::Untag(tag.value.clone()));
        }
        if let Some(did) = &event.did {
            return self.done(event, did).map(ToCustomer::Did);
        }
        if let Some(scope) = &event.unsubscribe {
            return Some(ToCustomer::Unsubscribe(scope_of(scope)));
        }
        if let Some(scope) = &event.resubscribe {
            return Some(ToCustomer::Resubscribe(scope_of(scope)));
        }
        if let Some(campaign) = &event.dismiss {
            cx.holds(missing_campaign::check(cx.names, campaign.span, campaign));
            return Some(ToCustomer::Dismiss(campaign.value.clone()));
        }
        if let Some(status) = &event.status {
            return Some(ToCustomer::Status(status.value.0));
        }
        let consents = event.consent.iter().flat_map(consents_of);
        let switches = event.switch.iter().flat_map(switches_of);
        let deleted = event.delete.iter().filter(|deleted| deleted.value);
        let deleted = deleted.map(|_| ToCustomer::Delete);
        let mut changes: Vec<ToCustomer> = consents.chain(switches).chain(deleted).collect();
        if changes.len() != 1 {
            let message = format!("this event says {} changes, and is one", changes.len());
            let help = "write an event for each";
            return cx.refuse(bad_value::finding(event.span, message).help(help));
        }
        changes.pop()
    }

    fn done(&self, event: &EventDoc, did: &At<String>) -> Option<Done> {
        let cx = self.cx;
        let Some(kind) = Kind::parse(&did.value).filter(|kind| kind.can_be_asked()) else {
            let asked = Kind::ALL.iter().filter(|kind| kind.can_be_asked());
            let known = asked.map(|kind| kind.as_str());
            return cx.refuse(bad_value::word(did.span, "`did`", &did.value, known));
        };
        Some(Done {
            kind,
            campaign: event.campaign.own(),
            flow: event.flow.own(),
            step: event.step.own(),
            channel: event.channel.as_ref().map(|channel| channel.value.0),
        })
    }

    fn expected(&self, expected: &At<ExpectDoc>) -> Option<Expected> {
        let cx = self.cx;
        if let Some(flow) = &expected.flow {
            cx.holds(unknown_flow::check(cx.names, flow.span, flow));
        }
        let kinds = [
            ("email", expected.email.is_some()),
            ("sms", expected.sms.is_some()),
            ("push", expected.push.is_some()),
            ("withheld", expected.withheld.is_some()),
            ("exited", expected.exited.is_some()),
            ("completed", expected.completed.is_some()),
        ];
        let found = kinds.iter().filter(|(_, there)| *there).count();
        if found > 1 {
            let names = kinds.map(|(name, _)| name);
            let finding = exactly_one::finding(expected.span, "an expectation", &names, found);
            return cx.refuse(finding);
        }
        Some(Expected {
            place: self.place(expected.span),
            at: match &expected.at {
                Some(at) => Some(self.within(at)?),
                None => None,
            },
            customer: expected.customer.value.clone(),
            flow: expected.flow.own(),
            step: expected.step.own(),
            what: expectations::outcome(cx, expected)?,
        })
    }

    /// A day where a date is written, else a minute.
    fn within(&self, written: &At<String>) -> Option<(Timestamp, Timestamp)> {
        let from = self.moment(written)?;
        let until = match parse_date(&written.value) {
            Some(_) => calendar::after(from, Delay::days(1), &self.cx.zone),
            None => from + SignedDuration::from_mins(1),
        };
        Some((from, until))
    }
}

fn scope_of(scope: &ScopeDoc) -> Scope {
    Scope {
        campaign: scope.campaign.own(),
        category: scope.category.own(),
        group: scope.group.own(),
        channel: scope.channel.as_ref().map(|channel| channel.value.0),
    }
}

fn switches_of(doc: &SwitchDoc) -> impl Iterator<Item = ToCustomer> {
    let switches = [
        (Switch::Outbound, doc.outbound.own()),
        (Switch::Channel(Channel::Email), doc.email.own()),
        (Switch::Channel(Channel::Sms), doc.sms.own()),
        (Switch::Channel(Channel::Push), doc.push.own()),
    ];
    let switches = switches.into_iter();
    switches.filter_map(|(switch, on)| Some(ToCustomer::Switch(switch, on?)))
}

fn consents_of(doc: &ConsentsDoc) -> impl Iterator<Item = ToCustomer> {
    let consents = [
        (Channel::Email, doc.email.as_ref()),
        (Channel::Sms, doc.sms.as_ref()),
        (Channel::Push, doc.push.as_ref()),
    ];
    let consents = consents.map(|(channel, consent)| (channel, consent.map(|word| word.value.0)));
    let consents = consents.into_iter();
    consents.filter_map(|(channel, consent)| Some(ToCustomer::Consent(channel, consent?)))
}
