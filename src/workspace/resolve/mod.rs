//! Owns turning documents into a revision: references followed, communications copied, templates read.

mod bodies;
mod campaigns;
mod channels;
mod communications;
mod conditions;
mod context;
mod data_model;
mod expectations;
mod faults;
mod field_tests;
mod flows;
mod import_settings;
mod policy;
mod scenarios;
mod settings;
mod sms_texts;
mod steps;
mod texts;
mod timing;
mod variants;
mod webhooks;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use self::context::{Context, Reveal};
use super::diagnostic::Report;
use super::documents::Documents;
use super::names::Names;
use super::node::Node;
use super::source::Sources;
use crate::domain::channel::Channel;
use crate::domain::daemon_settings::DaemonSettings;
use crate::domain::gateway::SmsRules;
use crate::domain::revision::{FORMAT, Revision};
use crate::domain::scenario::Scenario;
use crate::domain::segment::{Condition, Segment};

/// A condition that stands alone, against what a revision has.
pub(crate) fn condition(
    node: &Node,
    revision: &Revision,
    sources: &Sources,
    report: &mut Report,
) -> Option<Condition> {
    let names = Names::of_revision(revision);
    let cx = Context {
        sources,
        names: &names,
        zone: revision.time_zone(),
        model: revision.data_model.clone(),
        policy: revision.policy.clone(),
        sms: SmsRules::default(),
        report: RefCell::new(std::mem::take(report)),
        reveal: &|_| None,
    };
    let condition = conditions::condition(&cx, None, node);
    *report = cx.report.take();
    condition
}

/// The segments with the smart lists, and which of them those are.
fn segments(
    cx: &Context<'_>,
    documents: &Documents,
) -> (BTreeMap<String, Segment>, BTreeSet<String>) {
    let mut segments: BTreeMap<_, _> = documents
        .segments
        .iter()
        .filter_map(|doc| conditions::segment(cx, doc))
        .map(|segment| (segment.id.clone(), segment))
        .collect();
    let smart_lists: BTreeMap<_, _> = documents
        .smart_lists
        .iter()
        .filter_map(|doc| conditions::smart_list(cx, doc))
        .map(|segment| (segment.id.clone(), segment))
        .collect();
    let named: BTreeSet<String> = smart_lists.keys().cloned().collect();
    segments.extend(smart_lists);
    (segments, named)
}

/// What the documents say.
pub(crate) struct Resolved {
    pub(crate) revision: Revision,
    pub(crate) settings: DaemonSettings,
    pub(crate) scenarios: Vec<Scenario>,
}

/// Everything that the documents say, as far as it can be read; what cannot be is in the report.
pub(crate) fn resolve(
    sources: &Sources,
    documents: &Documents,
    names: &Names,
    reveal: &Reveal<'_>,
    report: &mut Report,
) -> Resolved {
    let settings = settings::settings(&documents.settings, report);
    let (model, rating) = data_model::data_model(&documents.customers, report);
    let policy = policy::policy(&documents.policies, names, report);
    let mut cx = Context {
        sources,
        names,
        zone: TimeZone::get(&settings.zone).unwrap_or(TimeZone::UTC),
        model,
        policy,
        sms: SmsRules::default(),
        report: RefCell::new(std::mem::take(report)),
        reveal,
    };
    let channels = channels::channels(&cx, &documents.channels);
    if let Some(config) = channels.get(&Channel::Sms) {
        cx.sms = config.sms.clone();
    }
    let (mut segments, named) = segments(&cx, documents);
    let campaigns: BTreeMap<_, _> = documents
        .campaigns
        .iter()
        .map(|doc| campaigns::campaign(&cx, doc))
        .map(|campaign| (campaign.id.clone(), campaign))
        .collect();
    let flows = documents
        .flows
        .iter()
        .filter_map(|doc| flows::flow(&cx, doc, &campaigns, &mut segments))
        .map(|flow| (flow.id.clone(), flow))
        .collect();
    let tests = documents.tests.iter();
    let scenarios = tests
        .filter_map(|doc| scenarios::scenario(&cx, doc))
        .collect();
    *report = cx.report.take();
    let revision = Revision {
        format: FORMAT,
        zone: settings.zone.clone(),
        public_url: settings.public_url.as_ref().map(|url| url.0.clone()),
        data_model: cx.model,
        rating,
        policy: cx.policy,
        channels,
        segments,
        campaigns,
        flows,
        smart_lists: named,
        made: BTreeSet::new(),
        definitions: sources.definitions(),
    };
    Resolved {
        revision,
        settings,
        scenarios,
    }
}
