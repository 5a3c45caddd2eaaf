//! Owns who is to be told of what: asked before anything is written down for them.

use std::collections::BTreeMap;

use crate::domain::webhook::Event;

/// The numbers of the places, by event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wants(BTreeMap<Event, Vec<i32>>);

impl Wants {
    /// Of places by their numbers, each with what it is told.
    pub(super) fn of<'e>(places: impl IntoIterator<Item = (i32, &'e [Event])>) -> Self {
        let mut wants: BTreeMap<Event, Vec<i32>> = BTreeMap::new();
        for (number, events) in places {
            for event in events {
                wants.entry(*event).or_default().push(number);
            }
        }
        Self(wants)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of those who are told of it.
    pub(super) fn by(&self, event: Event) -> &[i32] {
        self.0.get(&event).map_or(&[], Vec::as_slice)
    }
}
