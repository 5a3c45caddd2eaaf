//! Owns what is declared anywhere in the files, also in documents with mistakes: who may be referred to.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Kind;
use super::node::{Node, Span};
use crate::domain::channel::Channel;
use crate::domain::field::{ID, built_in_fields};
use crate::domain::revision::Revision;

/// Every declared name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) segments: BTreeSet<String>,
    /// Each flow with its steps.
    pub(crate) flows: BTreeMap<String, BTreeSet<String>>,
    /// Each campaign with its communications.
    pub(crate) campaigns: BTreeMap<String, BTreeMap<String, Communication>>,
    pub(crate) fields: BTreeSet<String>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) categories: BTreeSet<String>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) channels: BTreeSet<Channel>,
}

/// Where a communication is defined, and the key that says its kind.
#[derive(Debug, Clone)]
pub(crate) struct Communication {
    pub(crate) span: Span,
    pub(crate) kind: String,
}

impl Names {
    pub(crate) fn of(documents: &[(Kind, Node)]) -> Self {
        let mut names = Self::default();
        let built_in = built_in_fields();
        names.fields = built_in.into_iter().map(|field| field.identifier).collect();
        names.fields.insert(ID.to_owned());
        for (kind, document) in documents {
            names.add(*kind, document);
        }
        names
    }

    /// What a revision has that conditions name.
    pub(crate) fn of_revision(revision: &Revision) -> Self {
        let keys = |names: Vec<&String>| names.into_iter().cloned().collect();
        let fields = revision.data_model.fields.iter();
        let mut names = Self {
            segments: keys(revision.segments.keys().collect()),
            fields: fields.map(|field| field.identifier.clone()).collect(),
            tags: keys(revision.data_model.tags.keys().collect()),
            categories: keys(revision.policy.categories.keys().collect()),
            groups: keys(revision.policy.groups.keys().collect()),
            channels: revision.channels.keys().copied().collect(),
            ..Self::default()
        };
        names.fields.insert(ID.to_owned());
        for (id, flow) in &revision.flows {
            let steps = flow.steps.iter().map(|step| step.id.clone());
            names.flows.insert(id.clone(), steps.collect());
        }
        let campaigns = revision.campaigns.keys();
        names.campaigns = campaigns.map(|id| (id.clone(), BTreeMap::new())).collect();
        names
    }

    fn add(&mut self, kind: Kind, document: &Node) {
        let Some((_, first)) = document.entries().first() else {
            return;
        };
        let id = first.text().unwrap_or_default().to_owned();
        match kind {
            Kind::Flow => {
                let steps = document.get("steps").map(Node::items).unwrap_or_default();
                let ids = steps.iter().filter_map(|step| step.get("id")?.text());
                let known = self.flows.entry(id).or_default();
                known.extend(ids.map(str::to_owned));
            }
            Kind::Segment | Kind::SmartList => drop(self.segments.insert(id)),
            Kind::Campaign => {
                let known = self.campaigns.entry(id).or_default();
                known.extend(communications(document));
            }
            Kind::Customers => {
                self.fields.extend(keys(first.get("fields")));
                self.tags.extend(keys(first.get("tags")));
            }
            Kind::Policy => {
                self.categories.extend(keys(first.get("categories")));
                self.groups.extend(keys(first.get("groups")));
            }
            Kind::Channel => self.channels.extend(Channel::parse(&id)),
            Kind::Workspace | Kind::Test => {}
        }
    }

    /// Campaigns and flows: a flow is a campaign too.
    pub(crate) fn is_campaign(&self, id: &str) -> bool {
        self.campaigns.contains_key(id) || self.flows.contains_key(id)
    }
}

fn keys(map: Option<&Node>) -> impl Iterator<Item = String> {
    let entries = map.map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, _)| key.text().map(str::to_owned))
}

fn communications(document: &Node) -> BTreeMap<String, Communication> {
    let written = document.get("communications").map(Node::entries);
    let named = |(key, value): &(Node, Node)| {
        let kinds = value.entries().iter().filter_map(|(kind, _)| kind.text());
        let kind = kinds.into_iter().find(|kind| *kind != "variants");
        let communication = Communication {
            span: key.span,
            kind: kind.unwrap_or_default().to_owned(),
        };
        Some((key.text()?.to_owned(), communication))
    };
    written
        .unwrap_or_default()
        .iter()
        .filter_map(named)
        .collect()
}
