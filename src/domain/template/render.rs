//! Owns the rendering of a step's communication for one customer.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use minijinja::{Environment, Error, Value, context};

use super::asked::{RenderContext, RenderFailure, Which};
use super::lint::uses;
use super::sandbox::{self, Abort};
use crate::domain::by_hand;
use crate::domain::channel::Channel;
use crate::domain::communication::{Content, EmailContent, Localized, PushContent, SmsContent};
use crate::domain::customer::FieldValue;
use crate::domain::field::{Cardinality, DataModel, ID};
use crate::domain::flow::{Action, Flow, Step};
use crate::domain::gateway::SmsRules;
use crate::domain::message::{Rendered, RenderedEmail, RenderedPush, RenderedSms};
use crate::domain::plain_text;
use crate::domain::revision::Revision;
use crate::domain::sms_parts::sizes;
use crate::domain::{transliteration, value};

/// Every text of every step of a revision, compiled. Cheap to clone and to share.
#[derive(Debug, Clone)]
pub struct Templates(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    environment: Environment<'static>,
    /// By flow and step; one for each channel and variant.
    steps: BTreeMap<String, BTreeMap<String, Vec<StepTexts>>>,
    /// Why a text has no template, by its name.
    broken: BTreeMap<String, String>,
    /// The fields with several values; a customer without any has an empty list.
    many: Vec<String>,
    /// What the texts name.
    names: BTreeSet<String>,
    sms: SmsRules,
}

#[derive(Debug)]
struct StepTexts {
    variant: Option<String>,
    /// The step's content with the names of templates in place of their sources.
    content: Content,
    /// What all its customers see: flow, campaign, step, organization.
    shared: Value,
    list_id: String,
}

impl Templates {
    /// Compiles a revision. A text that cannot be read (refused when files are checked) fails when rendered.
    pub fn new(revision: &Revision) -> Self {
        let mut compiled = Compiled {
            environment: sandbox::environment(),
            steps: BTreeMap::new(),
            broken: BTreeMap::new(),
            many: many_valued(&revision.data_model),
            names: BTreeSet::new(),
            sms: sms_rules(revision),
        };
        let by_hand: Vec<Flow> = by_hand::flows(revision).collect();
        for flow in revision.flows.values().chain(&by_hand) {
            let steps = flow.steps.iter();
            let texts = steps.map(|step| (step.id.clone(), compiled.step(revision, flow, step)));
            let texts = texts.collect();
            compiled.steps.insert(flow.id.clone(), texts);
        }
        Self(Arc::new(compiled))
    }

    /// The dotted names that the texts use, such as `customer.first_name`.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.0.names
    }

    /// Makes the message of a step, in the customer's language.
    pub fn render(
        &self,
        which: Which<'_>,
        context: &RenderContext<'_>,
    ) -> Result<Rendered, RenderFailure> {
        let Which { flow, step, .. } = which;
        let steps = self.0.steps.get(flow);
        let mut ways = steps
            .and_then(|steps| steps.get(step))
            .into_iter()
            .flatten();
        let texts = ways.find(|way| way.is(which)).ok_or_else(|| {
            RenderFailure::Error(format!("the step `{flow}/{step}` has no message"))
        })?;
        let rendering = Rendering {
            compiled: &self.0,
            language: context.language,
            values: values(&texts.shared, customer(context, &self.0.many), context),
        };
        match &texts.content {
            Content::Email(email) => rendering.email(email, texts, context).map(Rendered::Email),
            Content::Sms(sms) => rendering.sms(sms).map(Rendered::Sms),
            Content::Push(push) => rendering.push(push).map(Rendered::Push),
        }
    }
}

impl StepTexts {
    fn is(&self, which: Which<'_>) -> bool {
        self.content.channel() == which.channel && self.variant.as_deref() == which.variant
    }
}

impl Compiled {
    fn step(&mut self, revision: &Revision, flow: &Flow, step: &Step) -> Vec<StepTexts> {
        let actions = step.actions.iter();
        let texts = actions.flat_map(|action| self.action(revision, flow, step, action));
        texts.collect()
    }

    fn action(
        &mut self,
        revision: &Revision,
        flow: &Flow,
        step: &Step,
        action: &Action,
    ) -> Vec<StepTexts> {
        let reused = action.reuses.as_ref().map(|reuse| reuse.campaign.as_str());
        let campaign = reused.and_then(|id| revision.campaigns.get(id));
        let (campaign_id, campaign_name) = campaign.map_or((&flow.id, &flow.name), |campaign| {
            (&campaign.id, &campaign.name)
        });
        let organization = &revision.policy.organization;
        let shared = context! {
            flow => context! { id => flow.id.as_str(), name => flow.name.as_str() },
            campaign => context! { id => campaign_id.as_str(), name => campaign_name.as_str() },
            step => context! { id => step.id.as_str() },
            organization => context! {
                name => organization.name.as_str(),
                postal_address => organization.postal_address.as_str(),
            },
        };
        let at = |variant: Option<&str>| match (step.actions.len(), variant) {
            (0 | 1, None) => format!("{}/{}", flow.id, step.id),
            (_, None) => format!("{}/{}/{}", flow.id, step.id, action.content.channel()),
            (_, Some(variant)) => {
                let channel = action.content.channel();
                format!("{}/{}/{channel}/{variant}", flow.id, step.id)
            }
        };
        let ways = action.content.ways();
        let texts = ways.map(|(variant, content)| StepTexts {
            variant: variant.map(ToOwned::to_owned),
            content: self.content(&at(variant), content),
            shared: shared.clone(),
            list_id: campaign_id.clone(),
        });
        texts.collect()
    }

    fn content(&mut self, at: &str, content: &Content) -> Content {
        match content {
            Content::Email(email) => Content::Email(EmailContent {
                subject: self.text(&email.subject, at, "subject.txt"),
                preheader: self.optional(email.preheader.as_ref(), at, "preheader.txt"),
                from: email.from.clone(),
                reply_to: email.reply_to.clone(),
                html: self.optional(email.html.as_ref(), at, "body.html"),
                text: self.optional(email.text.as_ref(), at, "body.txt"),
            }),
            Content::Sms(sms) => Content::Sms(SmsContent {
                text: self.text(&sms.text, at, "text.txt"),
            }),
            Content::Push(push) => Content::Push(PushContent {
                title: self.text(&push.title, at, "title.txt"),
                body: self.text(&push.body, at, "body.txt"),
                link: push
                    .link
                    .as_ref()
                    .map(|link| self.add(link, at, "link.txt")),
            }),
        }
    }

    fn optional(&mut self, text: Option<&Localized>, at: &str, part: &str) -> Option<Localized> {
        text.map(|text| self.text(text, at, part))
    }

    fn text(&mut self, text: &Localized, at: &str, part: &str) -> Localized {
        let by_language = text.by_language.iter().map(|(language, source)| {
            (
                language.clone(),
                self.add(source, at, &format!("{language}/{part}")),
            )
        });
        let by_language = by_language.collect();
        Localized {
            default: self.add(&text.default, at, part),
            by_language,
        }
    }

    fn add(&mut self, source: &str, at: &str, part: &str) -> String {
        let name = format!("{at}/{part}");
        self.names.extend(uses(source));
        if let Err(error) = sandbox::add(&mut self.environment, &name, source) {
            let failure = failure(&name, &error).to_string();
            self.broken.insert(name.clone(), failure);
        }
        name
    }
}

struct Rendering<'a> {
    compiled: &'a Compiled,
    language: Option<&'a str>,
    values: Value,
}

impl Rendering<'_> {
    fn email(
        &self,
        email: &EmailContent,
        texts: &StepTexts,
        context: &RenderContext<'_>,
    ) -> Result<RenderedEmail, RenderFailure> {
        let subject = plain_text::one_line(&self.text(&email.subject)?);
        let preheader = self.optional(email.preheader.as_ref())?;
        let html = self.optional(email.html.as_ref())?;
        let text = match (self.optional(email.text.as_ref())?, &html) {
            (Some(text), _) => Some(text),
            (None, html) => html.as_deref().map(plain_text::from_html),
        };
        let html = html.map(|html| match preheader {
            Some(preheader) => plain_text::with_preheader(&html, &preheader),
            None => html,
        });
        Ok(RenderedEmail {
            from: email.from.clone(),
            reply_to: email.reply_to.clone(),
            subject,
            html,
            text,
            unsubscribe_url: context.unsubscribe_url.map(str::to_owned),
            list_id: Some(texts.list_id.clone()),
        })
    }

    fn sms(&self, sms: &SmsContent) -> Result<RenderedSms, RenderFailure> {
        let rules = &self.compiled.sms;
        let text = self.text(&sms.text)?;
        let text = if rules.transliterate {
            transliteration::gsm7(&text)
        } else {
            text
        };
        let found = sizes(&text);
        if found.parts > rules.max_parts as usize {
            return Err(RenderFailure::Error(format!(
                "the text takes {} parts ({} characters in {}): the channel `sms` sends at most {}, its `max-parts`",
                found.parts,
                found.characters,
                found.alphabet.as_str(),
                rules.max_parts,
            )));
        }
        Ok(RenderedSms { text })
    }

    fn push(&self, push: &PushContent) -> Result<RenderedPush, RenderFailure> {
        Ok(RenderedPush {
            title: self.text(&push.title)?,
            body: self.text(&push.body)?,
            link: push
                .link
                .as_deref()
                .map(|link| self.named(link))
                .transpose()?,
        })
    }

    fn optional(&self, text: Option<&Localized>) -> Result<Option<String>, RenderFailure> {
        text.map(|text| self.text(text)).transpose()
    }

    fn text(&self, text: &Localized) -> Result<String, RenderFailure> {
        self.named(text.in_language(self.language))
    }

    fn named(&self, name: &str) -> Result<String, RenderFailure> {
        if let Some(broken) = self.compiled.broken.get(name) {
            return Err(RenderFailure::Error(broken.clone()));
        }
        let template = self.compiled.environment.get_template(name);
        template
            .and_then(|template| sandbox::render(&template, self.values.clone()))
            .map_err(|error| failure(name, &error))
    }
}

/// Names the part (`subject`, `es/body`) and the line.
fn failure(name: &str, error: &Error) -> RenderFailure {
    if let Some(Abort(reason)) = error.source().and_then(|source| source.downcast_ref()) {
        return RenderFailure::Abort(reason.clone());
    }
    let part = name.splitn(3, '/').nth(2).unwrap_or(name);
    let part = part.rsplit_once('.').map_or(part, |(part, _)| part);
    let line = error.line().unwrap_or(1);
    let words = sandbox::explain(error);
    RenderFailure::Error(format!("{part}, line {line}: {words}"))
}

fn values(shared: &Value, customer: Value, of: &RenderContext<'_>) -> Value {
    let urls = [
        ("unsubscribe_url", of.unsubscribe_url),
        ("preferences_url", of.preferences_url),
        ("dismiss_url", of.dismiss_url),
    ];
    let own: BTreeMap<&str, Value> = urls
        .into_iter()
        .filter_map(|(name, url)| Some((name, Value::from(url?))))
        .chain([("customer", customer)])
        .collect();
    context! { ..Value::from(own), ..shared.clone() }
}

fn sms_rules(revision: &Revision) -> SmsRules {
    let channel = revision.channels.get(&Channel::Sms);
    channel.map(|config| config.sms.clone()).unwrap_or_default()
}

fn many_valued(model: &DataModel) -> Vec<String> {
    let fields = model.fields.iter();
    fields
        .filter(|field| field.cardinality == Cardinality::Many)
        .map(|field| field.identifier.clone())
        .collect()
}

/// The customer's fields. A missing value, and a text without a character, is left out.
fn customer(of: &RenderContext<'_>, many: &[String]) -> Value {
    let empty = many
        .iter()
        .map(|field| (field.as_str(), Value::from(Vec::<Value>::new())));
    let fields = of.customer.fields.iter().filter_map(|(name, field)| {
        let written = match field {
            FieldValue::One(value::Value::Text(text)) if text.is_empty() => return None,
            FieldValue::One(value) => plain(value, of.zone),
            FieldValue::Many(values) => values.iter().map(|v| plain(v, of.zone)).collect(),
        };
        Some((name.as_str(), written))
    });
    let built_in = [
        (ID, Value::from(of.customer.external_id.as_str())),
        ("tags", Value::from(of.customer.tags.clone())),
        ("rating", Value::from(of.rating.as_str())),
    ];
    let all: BTreeMap<&str, Value> = empty.chain(fields).chain(built_in).collect();
    Value::from(all)
}

/// Dates and instants are ISO texts, which the `date` filter reads; instants in the customer's zone.
fn plain(value: &value::Value, zone: &TimeZone) -> Value {
    match value {
        value::Value::Text(text) => Value::from(text.as_str()),
        value::Value::Integer(number) => Value::from(*number),
        value::Value::Number(number) => Value::from(*number),
        value::Value::Boolean(truth) => Value::from(*truth),
        value::Value::Date(date) => Value::from(date.to_string()),
        value::Value::Instant(instant) => Value::from(
            instant
                .display_with_offset(zone.to_offset(*instant))
                .to_string(),
        ),
    }
}
