//! Owns the revision that is looked at, as the engine would use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::field::Field;
use crate::domain::flow::Flow;
use crate::domain::ids::NameNo;
use crate::domain::revision::{NameKind, Revision};
use crate::domain::segment::Condition;
use crate::engine::catalog::Catalog;
use crate::store::{FlowState, Published, Result, Store};

pub(super) struct Candidate {
    pub(super) catalog: Arc<Catalog>,
    pub(super) states: BTreeMap<NameNo, FlowState>,
    /// Fields of which the store has no values yet, as they are new or of another kind.
    unknown: Vec<String>,
}

impl Candidate {
    pub(super) async fn make(
        store: &Store,
        current: &Published,
        revision: Revision,
        now: Timestamp,
    ) -> Result<Self> {
        let model = &current.revision.data_model;
        let known = |field: &Field| {
            model
                .field(&field.identifier)
                .is_some_and(|was| (was.kind, was.cardinality) == (field.kind, field.cardinality))
        };
        let fields = revision.data_model.fields.iter();
        let unknown: Vec<String> = fields
            .filter(|field| !known(field))
            .map(|field| field.identifier.clone())
            .collect();
        let (published, successors) = store.candidate(revision, Some(current), now).await?;
        let mut catalog = Catalog::new(published, successors);
        if let Some(catalog) = Arc::get_mut(&mut catalog) {
            let fields = &mut catalog.wanted.model.fields;
            fields.retain(|field| !unknown.contains(&field.identifier));
        }
        Ok(Self {
            catalog,
            states: store.flow_states().await?,
            unknown,
        })
    }

    pub(super) fn revision(&self) -> &Revision {
        self.catalog.revision()
    }

    pub(super) fn flow(&self, id: &str) -> Option<NameNo> {
        let numbers = &self.catalog.published.numbers;
        numbers.number(NameKind::Flow, id)
    }

    /// The condition of a flow's segment, where the store can be asked about it.
    pub(super) fn audience(&self, flow: &Flow) -> Option<&Condition> {
        let segment = self.revision().segments.get(&flow.segment)?;
        self.can_ask(&segment.condition)
            .then_some(&segment.condition)
    }

    /// Whether every field that it asks about has its place in the store.
    pub(super) fn can_ask(&self, condition: &Condition) -> bool {
        let parts = condition.unfolded(self.revision());
        !parts.iter().any(|part| match part {
            Condition::Field { field, .. } | Condition::Many { field, .. } => {
                self.unknown.contains(field)
            }
            _ => false,
        })
    }
}
