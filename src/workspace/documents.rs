//! Owns the documents of a workspace by kind, each with its tree for looking up places.

use serde::Deserialize;

use super::diagnostic::Finding;
use super::document::Kind;
use super::document::campaign::CampaignDoc;
use super::document::channel::ChannelDoc;
use super::document::customers::CustomersDoc;
use super::document::flow::FlowDoc;
use super::document::policy::PolicyDoc;
use super::document::segment::{SegmentDoc, SmartListDoc};
use super::document::settings::SettingsDoc;
use super::document::test::TestDoc;
use super::node::Node;
use super::rules::{unknown_document, wrong_type};
use super::schema;
use super::shape;

/// One document without its mistakes of shape.
pub(crate) struct Doc<T> {
    pub(crate) written: T,
    pub(crate) root: Node,
    /// Whether nothing had to be left out.
    pub(crate) whole: bool,
}

#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) flows: Vec<Doc<FlowDoc>>,
    pub(crate) segments: Vec<Doc<SegmentDoc>>,
    pub(crate) smart_lists: Vec<Doc<SmartListDoc>>,
    pub(crate) campaigns: Vec<Doc<CampaignDoc>>,
    pub(crate) customers: Vec<Doc<CustomersDoc>>,
    pub(crate) policies: Vec<Doc<PolicyDoc>>,
    pub(crate) channels: Vec<Doc<ChannelDoc>>,
    pub(crate) settings: Vec<Doc<SettingsDoc>>,
    pub(crate) tests: Vec<Doc<TestDoc>>,
    /// Every document as it was written, also those that could not be read further.
    pub(crate) written: Vec<(Kind, Node)>,
}

/// The kind that a document's first key says.
pub(crate) fn kind_of(document: &Node) -> Option<Kind> {
    let (key, _) = document.entries().first()?;
    Kind::parse(key.text()?)
}

impl Documents {
    /// Holds a document to its schema and keeps what is good of it.
    pub(crate) fn add(&mut self, document: Node, report: &mut impl FnMut(Finding)) {
        let Some(kind) = kind_of(&document) else {
            report(unknown_document::finding(
                &document,
                &Kind::ALL.map(Kind::as_str),
            ));
            return;
        };
        let mut whole = true;
        let mut noted = |finding| {
            whole = false;
            report(finding);
        };
        let checked = shape::check(&document, kind, schema::of(kind), &mut noted);
        if let Some(root) = checked {
            let read = self.read(kind, root, whole);
            if let Err(message) = read {
                report(wrong_type::unreadable(&document, &message.to_string()));
            }
        }
        self.written.push((kind, document));
    }

    fn read(&mut self, kind: Kind, root: Node, whole: bool) -> Result<(), serde::de::value::Error> {
        match kind {
            Kind::Flow => self.flows.push(doc(root, whole)?),
            Kind::Segment => self.segments.push(doc(root, whole)?),
            Kind::SmartList => self.smart_lists.push(doc(root, whole)?),
            Kind::Campaign => self.campaigns.push(doc(root, whole)?),
            Kind::Customers => self.customers.push(doc(root, whole)?),
            Kind::Policy => self.policies.push(doc(root, whole)?),
            Kind::Channel => self.channels.push(doc(root, whole)?),
            Kind::Workspace => self.settings.push(doc(root, whole)?),
            Kind::Test => self.tests.push(doc(root, whole)?),
        }
        Ok(())
    }
}

fn doc<T: for<'de> Deserialize<'de>>(
    root: Node,
    whole: bool,
) -> Result<Doc<T>, serde::de::value::Error> {
    Ok(Doc {
        written: T::deserialize(&root)?,
        root,
        whole,
    })
}
