//! Owns revisions that are not published: numbered as if they were, so that the engine can look at them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::db::Store;
use super::error::Result;
use super::flow_edits;
use super::names;
use super::revisions::{Published, names_of};
use crate::domain::ids::{NameNo, RevisionNo};
use crate::domain::revision::{NameKind, Numbers, Revision};

/// Where the people of removed steps go: to a step, or to the end.
pub type Successors = Vec<(NameNo, Option<NameNo>)>;

impl Store {
    /// What a revision would be if it came after the current one: names that have no number yet get one
    /// that nothing in the store has.
    pub async fn candidate(
        &self,
        revision: Revision,
        current: Option<&Published>,
        at: Timestamp,
    ) -> Result<(Published, Successors)> {
        let mut numbers = names::all(self.read()).await?;
        number(&mut numbers, &names_of(&revision));
        let mut successors: BTreeMap<_, _> = self.successors().await?.into_iter().collect();
        for flow in revision.flows.values() {
            let was = current.and_then(|current| current.revision.flows.get(&flow.id));
            let removed = was.map(|was| flow_edits::removals(was, flow, &numbers));
            for (gone, _, to) in removed.unwrap_or_default() {
                for successor in successors.values_mut().filter(|to| **to == Some(gone)) {
                    *successor = to;
                }
                successors.insert(gone, to);
            }
            for step in &flow.steps {
                numbers
                    .step(&flow.id, &step.id)
                    .map(|here| successors.remove(&here));
            }
        }
        let published = Published {
            number: RevisionNo(current.map_or(0, |current| current.number.0) + 1),
            hash: String::new(),
            commit: None,
            published_at: at,
            approved: None,
            revision,
            numbers,
        };
        Ok((published, successors.into_iter().collect()))
    }
}

fn number(numbers: &mut Numbers, names: &[(NameKind, String)]) {
    let mut next = numbers.highest().0 + 1;
    for (kind, name) in names {
        if numbers.number(*kind, name).is_none() {
            numbers.insert(*kind, name, NameNo(next));
            next += 1;
        }
    }
}
