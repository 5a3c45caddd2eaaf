//! Owns what DNS says of names, as far as it was asked.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What DNS says of the TXT records of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Each record whole; none, when there is no such name, or it has no such record.
    Texts(Vec<String>),
    /// No server answered, and why.
    Silence(String),
}

/// What is known by now. What is asked for and not known is remembered.
#[derive(Debug, Default)]
pub struct Answers {
    known: BTreeMap<String, Answer>,
    wanted: RefCell<BTreeSet<String>>,
}

impl Answers {
    pub fn learn(&mut self, name: String, answer: Answer) {
        self.known.insert(name, answer);
    }

    pub(super) fn texts(&self, name: &str) -> Option<&Answer> {
        let known = self.known.get(name);
        if known.is_none() {
            self.wanted.borrow_mut().insert(name.to_owned());
        }
        known
    }

    /// The names that are still to be asked for; they are forgotten here.
    pub fn wanted(&self) -> BTreeSet<String> {
        self.wanted.take()
    }
}
